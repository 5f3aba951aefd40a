import { EVENT_COLUMNS, VISIT_COLUMNS, type PackedRows } from '@loggia/contract';
import { assert } from '@tandem/base';
import { integerOf } from './cell.ts';
import type { Connection, Query } from './connection.ts';
import { Counters } from './counters.ts';
import { packedList } from './tail-columns.ts';
import { packedRowsOf } from './tail-reader.ts';

/** A stretch of a site's visits: begun in `[fromMs, toMs)` and silent since before `idleMs`. */
export interface FinishedVisits {
  readonly siteId: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly idleMs: number;
}

/** Visits that are about to leave the tail, with all their events, as they were when read. */
export interface VisitBatch {
  readonly visits: PackedRows;
  readonly events: PackedRows;
}

/**
 * Takes finished visits out of the tail: `choose` and `read` outside of any lock, `remove` within
 * the transaction that stores them elsewhere. What was chosen lives in a temporary table of the
 * connection, so the journal's file is written to by `remove` alone.
 */
export class Sealing {
  readonly #connection: Connection;
  readonly #choose: Query;
  readonly #chooseId: Query;
  readonly #count: Query;
  readonly #counters: Counters;
  readonly #visits: Query;
  readonly #events: Query;
  readonly #forgetChanged: Query;
  readonly #deleteEvents: Query;
  readonly #deleteVisits: Query;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.execute(
      `CREATE TEMP TABLE IF NOT EXISTS chosen (
        id INTEGER PRIMARY KEY, change INTEGER NOT NULL
      ) STRICT`,
    );
    this.#choose = connection.query(
      `INSERT INTO chosen (id, change)
       SELECT id, change FROM visit INDEXED BY visit_by_start
       WHERE site_id = ? AND start_ms >= ? AND start_ms < ? AND last_ms < ?
       ORDER BY start_ms LIMIT ?`,
    );
    this.#chooseId = connection.query(
      'INSERT INTO chosen (id, change) SELECT id, change FROM visit WHERE id = ?',
    );
    this.#counters = new Counters(connection);
    this.#count = connection.query(
      'SELECT count(*) FROM chosen CROSS JOIN event ON event.visit_id = chosen.id',
    );
    this.#visits = connection.query(
      `SELECT count(*), 0, ${packedList(VISIT_COLUMNS)}
       FROM (SELECT visit.* FROM chosen CROSS JOIN visit ON visit.id = chosen.id)`,
    );
    this.#events = connection.query(
      `SELECT count(*), 0, ${packedList(EVENT_COLUMNS)}
       FROM (SELECT event.* FROM chosen CROSS JOIN event ON event.visit_id = chosen.id)`,
    );
    this.#forgetChanged = connection.query(
      `DELETE FROM chosen WHERE NOT EXISTS
         (SELECT 1 FROM visit WHERE visit.id = chosen.id AND visit.change = chosen.change)`,
    );
    this.#deleteEvents = connection.query(
      'DELETE FROM event WHERE visit_id IN (SELECT id FROM chosen)',
    );
    this.#deleteVisits = connection.query('DELETE FROM visit WHERE id IN (SELECT id FROM chosen)');
  }

  /** Drops what was chosen before. */
  clear(): void {
    this.#connection.execute('DELETE FROM chosen');
  }

  /** Adds the oldest of these visits, `rowsMax` at most, to what is chosen, and says how many. */
  choose({ siteId, fromMs, toMs, idleMs }: FinishedVisits, rowsMax: number): number {
    return this.#choose.run(siteId, fromMs, toMs, idleMs, rowsMax);
  }

  /** Chooses those of the visits that are in the tail, as they are now. */
  chooseIds(ids: readonly number[]): void {
    for (const id of ids) this.#chooseId.run(id);
  }

  /** The events of the chosen visits. */
  eventCount(): number {
    return integerOf(this.#count.get()?.[0]);
  }

  /** The chosen visits that are as they were when chosen, with their events; forgets the others. */
  read(): VisitBatch {
    return this.#connection.snapshot(() => {
      this.#forgetChanged.run();
      return {
        visits: packedRowsOf(this.#visits.get()),
        events: packedRowsOf(this.#events.get()),
      };
    });
  }

  /**
   * Deletes the chosen visits with their events from the tail. False, and nothing is deleted, when
   * one of them has changed since it was chosen: `read` then gives what is left.
   */
  remove(): boolean {
    assert(this.#connection.inTransaction, 'sealing is one transaction');
    if (this.#forgetChanged.run() > 0) return false;
    this.#deleteEvents.run();
    this.#deleteVisits.run();
    // Whoever keeps visits in memory must not go on with one that has been sealed.
    this.#connection.invalidate();
    return true;
  }

  /** As `remove`, for visits that are stored nowhere else: followers read everything anew. */
  erase(): boolean {
    if (!this.remove()) return false;
    this.#counters.next('epoch');
    return true;
  }
}
