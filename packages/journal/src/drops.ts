import { DROP_REASONS, type DropReason } from '@loggia/contract';
import { type LocalDate, assert } from '@tandem/base';
import { integerOf, textOf } from './cell.ts';
import type { Cells, Connection, Query } from './connection.ts';

/** Hits of one site that were dropped on one date for one reason. */
export interface DropCount {
  readonly date: LocalDate;
  readonly reason: DropReason;
  readonly count: number;
}

export interface NewDropCount extends DropCount {
  /** Null for hits that named no known site; nothing else of them is kept. */
  readonly siteId: number | null;
}

/** Stands for 'no known site'; ids of sites begin at 1. */
const NO_SITE = 0;

/** How many hits were not stored, and why. */
export class Drops {
  readonly #connection: Connection;
  readonly #add: Query;
  readonly #list: Query;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#add = connection.query(
      `INSERT INTO drop_count (site_id, date, reason, count) VALUES (?, ?, ?, ?)
       ON CONFLICT (site_id, date, reason) DO UPDATE SET count = count + excluded.count`,
    );
    this.#list = connection.query(
      `SELECT date, reason, count FROM drop_count
       WHERE site_id = ? AND date BETWEEN ? AND ? ORDER BY date, reason`,
    );
  }

  /** Adds to what is counted already: all of `entries` or, when it throws, none. */
  add(entries: readonly NewDropCount[]): void {
    this.#connection.atomically(() => {
      for (const { siteId, date, reason, count } of entries) {
        this.#add.run(siteId ?? NO_SITE, date, reason, count);
      }
    });
  }

  /** The counts of `fromDate` to `toDate`, both included, by date and reason. */
  list(siteId: number | null, fromDate: LocalDate, toDate: LocalDate): DropCount[] {
    return this.#list.all(siteId ?? NO_SITE, fromDate, toDate).map(readDropCount);
  }
}

function readDropCount(cells: Cells): DropCount {
  const reason = textOf(cells[1]);
  assert(isDropReason(reason), 'a reason is one of the table');
  return { date: textOf(cells[0]), reason, count: integerOf(cells[2]) };
}

function isDropReason(text: string): text is DropReason {
  return Object.hasOwn(DROP_REASONS, text);
}
