import { assert } from '@tandem/base';
import { integerOf } from './cell.ts';
import type { Connection, Query } from './connection.ts';
import { Counters } from './counters.ts';

/** Tables whose rows of one site are few or small, keyed by it, and read by no warehouse. */
const SIDE_TABLES = [
  { table: 'seen_id', key: 'site_id, dedupe_id' },
  { table: 'alias', key: 'site_id, alias, visitor' },
  { table: 'drop_count', key: 'site_id, date, reason' },
] as const;

/**
 * Deletes what removed sites have left behind, in steps of bounded size.
 *
 * Invariant J6: a step is one transaction that depends only on what is stored, so it may be cut off
 * and repeated anywhere. `removed_site` keeps every id for ever: an event that was on its way while
 * its site was removed is found by a later step.
 */
export class SitePurge {
  readonly #connection: Connection;
  readonly #counters: Counters;
  readonly #removedSites: Query;
  readonly #visits: Query;
  readonly #deleteEvents: Query;
  readonly #deleteVisit: Query;
  readonly #sideDeletes: readonly Query[];

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#counters = new Counters(connection);
    this.#removedSites = connection.query('SELECT id FROM removed_site ORDER BY id');
    this.#visits = connection.query(
      'SELECT id FROM visit WHERE site_id = ? ORDER BY start_ms LIMIT ?',
    );
    this.#deleteEvents = connection.query(
      'DELETE FROM event WHERE id IN (SELECT id FROM event WHERE visit_id = ? LIMIT ?)',
    );
    this.#deleteVisit = connection.query('DELETE FROM visit WHERE id = ?');
    this.#sideDeletes = SIDE_TABLES.map(({ table, key }) =>
      connection.query(
        `DELETE FROM ${table}
         WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE site_id = ? LIMIT ?)`,
      ),
    );
  }

  /** Deletes up to `rowsMax` rows and returns how many; 0 when no removed site has rows. */
  step(rowsMax: number): number {
    assert(rowsMax > 0, 'a step deletes at least one row');
    return this.#connection.transaction(() => {
      let deleted = 0;
      for (const [id] of this.#removedSites.all()) {
        deleted += this.#purgeSite(integerOf(id), rowsMax - deleted);
        if (deleted === rowsMax) break;
      }
      return deleted;
    });
  }

  #purgeSite(siteId: number, rowsMax: number): number {
    let deleted = this.#purgeVisits(siteId, rowsMax);
    // The warehouse reloads once per site, when nothing of it is left, not at each step.
    if (deleted > 0 && this.#visits.get(siteId, 1) === undefined) this.#counters.next('epoch');
    for (const query of this.#sideDeletes) {
      if (deleted < rowsMax) deleted += query.run(siteId, rowsMax - deleted);
    }
    return deleted;
  }

  #purgeVisits(siteId: number, rowsMax: number): number {
    let deleted = 0;
    const visits = this.#visits.all(siteId, rowsMax);
    if (visits.length > 0) this.#connection.invalidate();
    for (const [id] of visits) {
      const visitId = integerOf(id);
      deleted += this.#deleteEvents.run(visitId, rowsMax - deleted);
      if (deleted === rowsMax) break;
      deleted += this.#deleteVisit.run(visitId);
      if (deleted === rowsMax) break;
    }
    return deleted;
  }
}
