import type { SQLOutputValue } from 'node:sqlite';
import { EVENT_COLUMNS, VISIT_COLUMNS, type PackedRows } from '@loggia/contract';
import { bytesOf, integerOf, integerOrNullOf } from './cell.ts';
import type { Cells, Connection, Query } from './connection.ts';
import {
  EVENT_NAMES,
  VISITOR_IN_EVENT,
  VISITOR_IN_VISIT,
  foldVisitor,
  packedList,
  selectList,
} from './tail-columns.ts';

/** A row as an array in the order of the contract's columns; `int64` is bigint. */
export type TailRow = readonly SQLOutputValue[];

/** How far the tail reaches, for those who follow it. */
export interface TailHead {
  /** The last event's id, also when that event has been deleted since; 0 before the first. */
  readonly eventId: number;
  /** The newest number that stamps a visit; 0 before the first. */
  readonly visitChange: number;
  /** When it has risen, a follower reads everything anew. */
  readonly epoch: number;
}

const NO_ROWS: PackedRows = { rowCount: 0, last: 0, columns: [] };

/** Reads the tail in the order of commit, for those who mirror it. */
export class TailReader {
  readonly #head: Query;
  readonly #events: Query;
  readonly #visits: Query;
  readonly #visitsOfChange: Query;
  readonly #packedEvents: Query;
  readonly #packedVisits: Query;
  readonly #lastChange: Query;
  readonly #firstStart: Query;

  constructor(connection: Connection) {
    this.#head = connection.query(
      `SELECT
         ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0),
         (SELECT value FROM counter WHERE name = 'change'),
         (SELECT value FROM counter WHERE name = 'epoch')`,
    );
    this.#events = connection.query(
      `SELECT ${selectList(EVENT_COLUMNS)} FROM event WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#visits = connection.query(
      `SELECT ${selectList(VISIT_COLUMNS, 'change')} FROM visit
       WHERE change > ? ORDER BY change, id LIMIT ?`,
    );
    this.#visitsOfChange = connection.query(
      `SELECT ${selectList(VISIT_COLUMNS, 'change')} FROM visit
       WHERE change = ? AND id > ? ORDER BY id`,
    );
    this.#packedEvents = connection.query(
      `SELECT count(*), max(id), ${packedList(EVENT_COLUMNS)}
       FROM (SELECT ${EVENT_NAMES.join(', ')} FROM event WHERE id > ? ORDER BY id LIMIT ?)`,
    );
    this.#packedVisits = connection.query(
      `SELECT count(*), max(change), ${packedList(VISIT_COLUMNS)}
       FROM visit WHERE change > ? AND change <= ?`,
    );
    this.#lastChange = connection.query(
      'SELECT max(change) FROM (SELECT change FROM visit WHERE change > ? ORDER BY change LIMIT ?)',
    );
    this.#firstStart = connection.query('SELECT min(start_ms) FROM visit WHERE site_id = ?');
  }

  /** One consistent reading: a single statement sees a single state. */
  head(): TailHead {
    const cells = this.#head.get();
    return {
      eventId: integerOf(cells?.[0]),
      visitChange: integerOf(cells?.[1]),
      epoch: integerOf(cells?.[2]),
    };
  }

  events(afterId: number, rowsMax: number): TailRow[] {
    const rows = this.#events.all(afterId, rowsMax);
    for (const row of rows) foldVisitor(row, VISITOR_IN_EVENT);
    return rows;
  }

  /** Invariant J7: the visits of one number come in one answer. */
  visits(afterChange: number, rowsMax: number): TailRow[] {
    const rows = this.#visits.all(afterChange, rowsMax);
    const last = rows.at(-1);
    if (last !== undefined && rows.length === rowsMax) {
      const change = integerOf(last[VISIT_COLUMNS.length]);
      for (const row of this.#visitsOfChange.all(change, integerOf(last[0]))) rows.push(row);
    }
    for (const row of rows) foldVisitor(row, VISITOR_IN_VISIT);
    return rows;
  }

  packedEvents(afterId: number, rowsMax: number): PackedRows {
    return packedRowsOf(this.#packedEvents.get(afterId, rowsMax));
  }

  /** Invariant J7, as `visits`. */
  packedVisits(afterChange: number, rowsMax: number): PackedRows {
    const last = integerOrNullOf(this.#lastChange.get(afterChange, rowsMax)?.[0]);
    return last === null ? NO_ROWS : packedRowsOf(this.#packedVisits.get(afterChange, last));
  }

  firstEventMs(siteId: number): number | undefined {
    const first = this.#firstStart.get(siteId)?.[0];
    return first === null ? undefined : integerOf(first);
  }
}

/** The packed rows of a SELECT of their count, the greatest number and `packedList`. */
export function packedRowsOf(cells: Cells | undefined): PackedRows {
  const [count, last, ...columns] = cells ?? [];
  const rowCount = integerOf(count);
  if (rowCount === 0) return NO_ROWS;
  return { rowCount, last: integerOf(last), columns: columns.map(bytesOf) };
}
