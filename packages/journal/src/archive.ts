import type { SQLOutputValue } from 'node:sqlite';
import type { Segment, SegmentKind, SegmentLevel, SegmentSet } from '@loggia/contract';
import { assert } from '@tandem/base';
import { bytesOf, integerOf, integerOrNullOf, textOf } from './cell.ts';
import type { Connection, Query } from './connection.ts';
import { Counters } from './counters.ts';
import type { FinishedVisits } from './sealing.ts';

/** The layout of the files: which columns they have and how they are sorted. */
export const SEGMENT_FORMAT = 1;

/** A Parquet file that has no row yet. */
export interface NewSegment {
  readonly kind: SegmentKind;
  readonly rows: number;
  readonly sha256: string;
  readonly body: Uint8Array;
}

/** A set that has no id yet. */
export type NewSegmentSet = Omit<SegmentSet, 'id' | 'sealed' | 'segments'> & {
  readonly segments: readonly NewSegment[];
};

/**
 * The sealed visits with their events, as sets of Parquet files.
 *
 * Invariant J11: a visit is in the tail or in one set, never in both and never in neither: sets come
 * and go within the transaction that takes from the tail, or from other sets, what they hold.
 */
export class Archive {
  readonly #connection: Connection;
  readonly #counters: Counters;
  readonly #sets: Query;
  readonly #segments: Query;
  readonly #body: Query;
  readonly #insertSet: Query;
  readonly #insertSegment: Query;
  readonly #deleteSegments: Query;
  readonly #deleteSet: Query;
  readonly #sealedOf: Query;
  readonly #firstFinished: Query;
  readonly #firstMs: Query;
  readonly #noteFirst: Query;
  readonly #forgetFirst: Query;
  readonly #removedSites: Query;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#counters = new Counters(connection);
    this.#sets = connection.query(
      `SELECT id, level, sealed, first_day, last_day, from_ms, to_ms, visits, events
       FROM segment_set ORDER BY first_day, id`,
    );
    this.#segments = connection.query(
      'SELECT set_id, id, kind, rows, bytes, sha256 FROM segment ORDER BY id',
    );
    this.#body = connection.query('SELECT body FROM segment WHERE id = ?');
    this.#insertSet = connection.query(
      `INSERT INTO segment_set
         (level, sealed, first_day, last_day, from_ms, to_ms, visits, events)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertSegment = connection.query(
      `INSERT INTO segment (set_id, kind, format, rows, bytes, sha256, body)
       VALUES (?, ?, ${SEGMENT_FORMAT}, ?, ?, ?, ?)`,
    );
    this.#deleteSegments = connection.query('DELETE FROM segment WHERE set_id = ?');
    this.#deleteSet = connection.query('DELETE FROM segment_set WHERE id = ?');
    this.#sealedOf = connection.query('SELECT sealed FROM segment_set WHERE id = ?');
    this.#firstFinished = connection.query(
      `SELECT start_ms FROM visit INDEXED BY visit_by_start
       WHERE site_id = ? AND start_ms >= ? AND start_ms < ? AND last_ms < ?
       ORDER BY start_ms LIMIT 1`,
    );
    this.#firstMs = connection.query('SELECT first_ms FROM archived_site WHERE site_id = ?');
    this.#noteFirst = connection.query(
      `INSERT INTO archived_site (site_id, first_ms) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET first_ms = min(first_ms, excluded.first_ms)`,
    );
    this.#removedSites = connection.query(
      'SELECT site_id FROM archived_site WHERE site_id IN (SELECT id FROM removed_site) ORDER BY 1',
    );
    this.#forgetFirst = connection.query('DELETE FROM archived_site WHERE site_id = ?');
  }

  /** Rises with every change of the sets. */
  version(): number {
    return this.#counters.read('archive');
  }

  /** All sets, by their first day. Read it within `Journal.snapshot` together with the version. */
  sets(): SegmentSet[] {
    const segments = new Map<number, Segment[]>();
    for (const cells of this.#segments.all()) {
      const setId = integerOf(cells[0]);
      const known = segments.get(setId) ?? [];
      known.push(readSegment(cells));
      segments.set(setId, known);
    }
    return this.#sets.all().map((cells) => readSet(cells, segments.get(integerOf(cells[0])) ?? []));
  }

  /** The bytes of a segment; undefined when it has been replaced or deleted. */
  body(segmentId: number): Uint8Array | undefined {
    const cells = this.#body.get(segmentId);
    return cells === undefined ? undefined : bytesOf(cells[0]);
  }

  /** Stores a set of visits that the same transaction takes from the tail; its id. */
  insertSealed(set: NewSegmentSet): number {
    assert(this.#connection.inTransaction, 'sealing is one transaction');
    return this.#insert(set, this.#counters.next('archive'));
  }

  /**
   * Puts `added` in the place of `removedIds`. False, and nothing is changed, when one of them is
   * gone: then somebody else has been at it, and the plan has to be made anew.
   */
  replace(removedIds: readonly number[], added: readonly NewSegmentSet[]): boolean {
    return this.#connection.atomically(() => {
      const sealed = removedIds.map((id) => integerOrNullOf(this.#sealedOf.get(id)?.[0] ?? null));
      if (sealed.includes(null)) return false;
      for (const id of removedIds) {
        this.#deleteSegments.run(id);
        this.#deleteSet.run(id);
      }
      this.#counters.next('archive');
      const newest = sealed.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
      for (const set of added) this.#insert(set, newest);
      return true;
    });
  }

  /** When the first of these visits of the tail began; undefined when there is none. */
  firstFinishedMs({ siteId, fromMs, toMs, idleMs }: FinishedVisits): number | undefined {
    const cells = this.#firstFinished.get(siteId, fromMs, toMs, idleMs);
    return cells === undefined ? undefined : integerOf(cells[0]);
  }

  /** Notes that a visit of the site that is sealed began at `startMs`. */
  noteFirst(siteId: number, startMs: number): void {
    this.#noteFirst.run(siteId, startMs);
  }

  /** Forgets when the site's first sealed visit began, before that is noted anew. */
  forgetFirst(siteId: number): void {
    this.#forgetFirst.run(siteId);
  }

  /** Removed sites of which something may still be sealed. */
  removedSiteIds(): number[] {
    return this.#removedSites.all().map(([id]) => integerOf(id));
  }

  /** When the site's first sealed visit began. */
  firstMs(siteId: number): number | undefined {
    const cells = this.#firstMs.get(siteId);
    return cells === undefined ? undefined : integerOf(cells[0]);
  }

  #insert(set: NewSegmentSet, sealed: number): number {
    const { level, firstDay, lastDay, fromMs, toMs, visits, events } = set;
    const range = [firstDay, lastDay, fromMs, toMs];
    const id = this.#insertSet.insert(level, sealed, ...range, visits, events);
    for (const { kind, rows, sha256, body } of set.segments) {
      this.#insertSegment.run(id, kind, rows, body.byteLength, sha256, body);
    }
    return id;
  }
}

function readSegment(cells: readonly SQLOutputValue[]): Segment {
  return {
    id: integerOf(cells[1]),
    // The table's CHECK allows nothing else.
    kind: textOf(cells[2]) as SegmentKind,
    rows: integerOf(cells[3]),
    bytes: integerOf(cells[4]),
    sha256: textOf(cells[5]),
  };
}

function readSet(cells: readonly SQLOutputValue[], segments: readonly Segment[]): SegmentSet {
  return {
    id: integerOf(cells[0]),
    // The table's CHECK allows nothing else.
    level: textOf(cells[1]) as SegmentLevel,
    sealed: integerOf(cells[2]),
    firstDay: integerOf(cells[3]),
    lastDay: integerOf(cells[4]),
    fromMs: integerOf(cells[5]),
    toMs: integerOf(cells[6]),
    visits: integerOf(cells[7]),
    events: integerOf(cells[8]),
    segments,
  };
}
