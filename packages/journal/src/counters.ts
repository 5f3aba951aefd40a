import { integerOf } from './cell.ts';
import type { Connection, Query } from './connection.ts';

/**
 * Numbers that only rise over the life of the journal (J4):
 * `configuration` by triggers, when a site, goal, user, key or setting changes;
 * `change` with each transaction that writes visits;
 * `epoch` when rows of the tail are deleted or rewritten other than by a visit's change or sealing;
 * `archive` with each transaction that seals, merges or rewrites segments.
 */
export type CounterName = 'configuration' | 'change' | 'epoch' | 'archive';

export class Counters {
  readonly #read: Query;
  readonly #raise: Query;

  constructor(connection: Connection) {
    this.#read = connection.query('SELECT value FROM counter WHERE name = ?');
    this.#raise = connection.query(
      'UPDATE counter SET value = value + 1 WHERE name = ? RETURNING value',
    );
  }

  read(name: CounterName): number {
    return integerOf(this.#read.get(name)?.[0]);
  }

  /** Raises the counter by one and returns the new value. */
  next(name: CounterName): number {
    return integerOf(this.#raise.get(name)?.[0]);
  }
}
