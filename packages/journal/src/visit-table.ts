import type { SQLOutputValue } from 'node:sqlite';
import { VISIT_COLUMNS } from '@loggia/contract';
import { assert } from '@tandem/base';
import { int64Of } from './cell.ts';
import type { Cells, Connection, Query } from './connection.ts';
import { Counters } from './counters.ts';
import { VISIT_NAMES, VISITOR_IN_VISIT, insertSql, selectList, valuesOf } from './tail-columns.ts';
import type { NewVisit, VisitRow } from './tail-row.ts';
import { VisitCache } from './visit-cache.ts';

const NEW_NAMES = VISIT_NAMES.filter((name) => name !== 'id');
/** What most events change. A narrow update leaves the index over the start alone. */
const ACTIVITY_NAMES = [
  'last_ms',
  'pageviews',
  'events',
  'bounce',
  'exit_hostname',
  'exit_page',
  'exit_ms',
] as const;
/** A visit stays with its site and its visitor. */
const LASTING_NAMES: readonly string[] = ['id', 'site_id', 'visitor'];
const CHANGEABLE_NAMES = VISIT_NAMES.filter((name) => !LASTING_NAMES.includes(name));
const RARELY_CHANGED_NAMES = CHANGEABLE_NAMES.filter(
  (name) => !ACTIVITY_NAMES.some((other) => other === name),
);

/** Reads and writes single visits, for the one who forms them. */
export class VisitTable {
  readonly #connection: Connection;
  readonly #counters: Counters;
  readonly #insert: Query;
  readonly #update: Query;
  readonly #updateActivity: Query;
  readonly #ofVisitor: Query;
  readonly #cache = new VisitCache();
  /** What was so when the cache was last found true. */
  #cachedAt = { transaction: -1, dataVersion: -1, invalidations: -1 };
  #change = 0;
  /** The transaction that `#change` belongs to. */
  #changeTransaction = -1;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#counters = new Counters(connection);
    this.#insert = connection.query(insertSql('visit', [...NEW_NAMES, 'change']));
    this.#update = connection.query(updateSql(CHANGEABLE_NAMES));
    this.#updateActivity = connection.query(updateSql(ACTIVITY_NAMES));
    // Without statistics SQLite would take the index over the start, which a whole site shares.
    this.#ofVisitor = connection.query(
      `SELECT ${selectList(VISIT_COLUMNS)} FROM visit INDEXED BY visit_by_visitor
       WHERE visitor = ?`,
    );
  }

  /** The visitor's visits on the site that touch `[fromMs, toMs]`. */
  find(
    siteId: number,
    visitor: bigint,
    aroundMs: { readonly fromMs: number; readonly toMs: number },
  ): readonly VisitRow[] {
    const { fromMs, toMs } = aroundMs;
    return this.#allOf(visitor).filter(
      ({ site_id, last_ms, start_ms }) =>
        site_id === siteId && last_ms >= fromMs && start_ms <= toMs,
    );
  }

  /** The new visit's id. */
  insert(visit: NewVisit): number {
    return this.#connection.atomically(() => {
      const id = this.#insert.insert(...valuesOf(visit, NEW_NAMES), this.#nextChange());
      this.#currentCache()?.add({ ...visit, id });
      return id;
    });
  }

  /** Writes the visit, which must exist, with the site and the visitor that it has. */
  update(visit: VisitRow): void {
    this.#connection.atomically(() => {
      const before = this.#currentCache()?.exchange(visit);
      let updated = 0;
      try {
        updated =
          before !== undefined && isActivityOnly(before, visit)
            ? this.#writeActivity(visit)
            : this.#writeAll(visit);
      } finally {
        // Whoever catches the failure and goes on must not meet what was not written.
        if (updated === 0) this.#connection.invalidate();
      }
      assert(updated === 1, 'the visit to be changed exists');
    });
  }

  #writeActivity(visit: VisitRow): number {
    return this.#updateActivity.run(
      visit.last_ms,
      visit.pageviews,
      visit.events,
      visit.bounce,
      visit.exit_hostname,
      visit.exit_page,
      visit.exit_ms,
      this.#nextChange(),
      visit.id,
    );
  }

  #writeAll(visit: VisitRow): number {
    return this.#update.run(...valuesOf(visit, CHANGEABLE_NAMES), this.#nextChange(), visit.id);
  }

  #allOf(visitor: bigint): readonly VisitRow[] {
    const cache = this.#currentCache();
    const known = cache?.visitsOf(visitor);
    if (known !== undefined) return known;
    const visits = this.#ofVisitor.all(visitor).map(readVisit);
    cache?.set(visitor, visits);
    return visits;
  }

  /** The cache, emptied if need be; none outside a transaction, where others may write. */
  #currentCache(): VisitCache | undefined {
    const connection = this.#connection;
    if (!connection.inTransaction) return undefined;
    const transaction = connection.transactionCount;
    const { invalidations } = connection;
    const at = this.#cachedAt;
    if (at.transaction === transaction && at.invalidations === invalidations) return this.#cache;
    const dataVersion = connection.dataVersion();
    if (at.dataVersion !== dataVersion || at.invalidations !== invalidations) this.#cache.clear();
    this.#cachedAt = { transaction, dataVersion, invalidations };
    return this.#cache;
  }

  /** The number that stamps the visits of the transaction under way. */
  #nextChange(): number {
    const transaction = this.#connection.transactionCount;
    if (this.#changeTransaction !== transaction) {
      this.#change = this.#counters.next('change');
      this.#changeTransaction = transaction;
    }
    return this.#change;
  }
}

function updateSql(names: readonly string[]): string {
  return `UPDATE visit SET ${names.map((name) => `${name} = ?`).join(', ')}, change = ? WHERE id = ?`;
}

/** Whether nothing but the columns of activity tells the two states apart. */
function isActivityOnly(before: VisitRow, after: VisitRow): boolean {
  for (const name of RARELY_CHANGED_NAMES) if (before[name] !== after[name]) return false;
  return true;
}

function readVisit(cells: Cells): VisitRow {
  const visit: Record<string, SQLOutputValue> = {};
  for (const [index, name] of VISIT_NAMES.entries()) visit[name] = cells[index] ?? null;
  visit['visitor'] = int64Of(cells[VISITOR_IN_VISIT], cells[VISIT_NAMES.length]);
  // A STRICT table's columns hold what the contract's table of columns says.
  return visit as unknown as VisitRow;
}
