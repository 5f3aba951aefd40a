import { assert } from '@tandem/base';
import type { PackedRows } from '@loggia/contract';
import { AliasTable, type NewAlias } from './alias-table.ts';
import type { Connection, Query } from './connection.ts';
import { EVENT_NAMES, insertSql } from './tail-columns.ts';
import { type TailHead, TailReader, type TailRow } from './tail-reader.ts';
import type { NewEvent, NewVisit, VisitRow } from './tail-row.ts';
import { VisitTable } from './visit-table.ts';

const NEW_EVENT_NAMES = EVENT_NAMES.filter((name) => name !== 'id');

/** Rows that are deleted at most by one call that tidies. */
const TIDY_ROWS_MAX = 50_000;

/**
 * The events and visits that are not archived yet, for the one who writes them and for those who
 * follow. Writing is meant to happen within `Journal.transaction`, many events in each.
 *
 * Invariant J4: event ids, and the numbers that stamp visits, ascend in the order of commit and are
 * never used again. Invariant J5: an event belongs to a visit that exists.
 */
export class Tail {
  readonly #connection: Connection;
  readonly #visits: VisitTable;
  readonly #reader: TailReader;
  readonly #insertEvent: Query;
  readonly #rememberId: Query;
  readonly #forgetIds: Query;
  readonly #aliases: AliasTable;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#visits = new VisitTable(connection);
    this.#reader = new TailReader(connection);
    this.#insertEvent = connection.query(insertSql('event', NEW_EVENT_NAMES));
    this.#rememberId = connection.query(
      'INSERT OR IGNORE INTO seen_id (site_id, dedupe_id, time_ms) VALUES (?, ?, ?)',
    );
    this.#forgetIds = connection.query(
      `DELETE FROM seen_id WHERE (site_id, dedupe_id) IN
         (SELECT site_id, dedupe_id FROM seen_id WHERE time_ms < ? LIMIT ?)`,
    );
    this.#aliases = new AliasTable(connection);
  }

  /** Visits of those visitors on the site that touch `[fromMs, toMs]`, in the visitors' order. */
  visitsOf(
    siteId: number,
    visitors: readonly bigint[],
    aroundMs: { readonly fromMs: number; readonly toMs: number },
  ): VisitRow[] {
    return visitors.flatMap((visitor) => this.#visits.find(siteId, visitor, aroundMs));
  }

  /** The new visit's id. */
  insertVisit(visit: NewVisit): number {
    return this.#visits.insert(visit);
  }

  /** Writes the visit, which must exist. Its site and its visitor cannot change. */
  updateVisit(visit: VisitRow): void {
    this.#visits.update(visit);
  }

  /** The new event's id. Its visit must exist. The values are in the order of the contract. */
  insertEvent(event: NewEvent): number {
    return this.#insertEvent.insert(
      event.site_id,
      event.visit_id,
      event.visitor,
      event.time_ms,
      event.name,
      event.hostname,
      event.page,
      event.properties,
      event.revenue_milli,
      event.revenue_currency,
      event.interactive,
      event.scroll_depth,
      event.engaged_ms,
    );
  }

  /** The last event's id. All are stored or, when this throws, none. */
  insertEvents(events: readonly NewEvent[]): number {
    assert(events.length > 0, 'there is an event to be stored');
    return this.#connection.atomically(() => {
      let id = 0;
      for (const event of events) id = this.insertEvent(event);
      return id;
    });
  }

  /**
   * Remembers a sender's id of an event; false when the site has seen it already. `timeMs` is what
   * `forgetIdsBefore` goes by: the time of arrival, for an event may be much older than that.
   */
  rememberId(siteId: number, dedupeId: string, timeMs: number): boolean {
    return this.#rememberId.run(siteId, dedupeId, timeMs) === 1;
  }

  /** Forgets some of the older ids and returns how many; to forget all, repeat until it is 0. */
  forgetIdsBefore(timeMs: number): number {
    return this.#forgetIds.run(timeMs, TIDY_ROWS_MAX);
  }

  /** Notes that a visitor goes by one more id; said again, the later end holds. */
  addAlias(alias: NewAlias): void {
    this.#aliases.add(alias);
  }

  /** The visitors for which this id is an alias. */
  aliasesOf(siteId: number, alias: bigint): bigint[] {
    return this.#aliases.visitorsOf(siteId, alias);
  }

  /** The number of aliases that were removed. */
  removeExpiredAliases(nowMs: number): number {
    return this.#aliases.removeExpired(nowMs);
  }

  /** How far the tail reaches, as one consistent reading. */
  head(): TailHead {
    return this.#reader.head();
  }

  /** The oldest events with an id above `afterId`, by id, in the order of `EVENT_COLUMNS`. */
  readEvents(afterId: number, rowsMax: number): TailRow[] {
    return this.#reader.events(afterId, rowsMax);
  }

  /**
   * Visits stamped with a number above `afterChange`, by it, in the order of `VISIT_COLUMNS` with
   * the number as one more element; the last row's number is where to go on. Visits of one number
   * come in one answer, which may therefore be longer than `rowsMax`, by less than what one
   * transaction wrote.
   */
  readVisits(afterChange: number, rowsMax: number): TailRow[] {
    return this.#reader.visits(afterChange, rowsMax);
  }

  /** As `readEvents`, packed; `last` is the id after which to go on. */
  packEvents(afterId: number, rowsMax: number): PackedRows {
    return this.#reader.packedEvents(afterId, rowsMax);
  }

  /** As `readVisits`, packed and without the numbers; `last` is the one after which to go on. */
  packVisits(afterChange: number, rowsMax: number): PackedRows {
    return this.#reader.packedVisits(afterChange, rowsMax);
  }

  /** The time of the site's first event in the tail. */
  firstEventMs(siteId: number): number | undefined {
    return this.#reader.firstEventMs(siteId);
  }
}
