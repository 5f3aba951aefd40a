import type { DatabaseSync } from 'node:sqlite';
import type { OpenDatabase } from './open-database.ts';

/**
 * A read transaction that is always open, so that no other program can overwrite frames of the log
 * that have not been captured.
 *
 * While it looks at frame n > 0 of the log, SQLite lets nobody restart the log, and lets checkpoints
 * copy frames up to n only. When it began at a moment at which the whole log had been copied into
 * the database, it looks at the file alone (SQLite's read lock 0): the log may then restart once,
 * but nothing of what follows can be copied before it ends, so the log cannot restart twice.
 *
 * R2. Whoever calls `advance` has captured everything up to the old snapshot first. The new one looks
 * at the file alone only if all frames had been copied, which the old one did not allow beyond its
 * own snapshot; so whenever the log may restart, everything in it has been captured.
 */
export class StandingReader {
  readonly #open: OpenDatabase;
  #current: DatabaseSync;
  #spare: DatabaseSync;

  constructor(open: OpenDatabase) {
    this.#open = open;
    this.#current = open.connect();
    this.#spare = open.connect();
    open.beginRead(this.#current);
  }

  /**
   * Moves to the newest snapshot; the old one is let go only when the new one is held.
   *
   * @throws ReplicationError `database_locked`; the old snapshot is then held as before.
   */
  advance(): void {
    this.#open.beginRead(this.#spare);
    this.#current.exec('ROLLBACK');
    [this.#current, this.#spare] = [this.#spare, this.#current];
  }

  close(): void {
    this.#open.disconnect(this.#current);
    this.#open.disconnect(this.#spare);
  }
}
