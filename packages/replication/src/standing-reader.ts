import type { DatabaseSync } from 'node:sqlite';
import type { OpenDatabase } from './open-database.ts';

/**
 * A read transaction that is always open, so that no other program can overwrite frames of the log
 * that have not been captured.
 *
 * While it reads at frame n > 0, SQLite lets nobody restart the log, and lets checkpoints copy
 * frames up to n only. When it began at a moment at which the whole log had been copied into the
 * database, it reads the file alone: the log may then restart once, but nothing of what follows can
 * be copied, so nothing can be overwritten either. Hence R2: whoever calls `advance` has captured
 * everything up to the old snapshot first.
 */
export class StandingReader {
  readonly #open: OpenDatabase;
  #current: DatabaseSync;
  #spare: DatabaseSync;

  constructor(open: OpenDatabase) {
    this.#open = open;
    this.#current = open.connect();
    this.#spare = open.connect();
    begin(this.#current);
  }

  /** Moves to the newest snapshot; the old one is let go only when the new one is held. */
  advance(): void {
    begin(this.#spare);
    this.#current.exec('ROLLBACK');
    [this.#current, this.#spare] = [this.#spare, this.#current];
  }

  close(): void {
    this.#open.disconnect(this.#current);
    this.#open.disconnect(this.#spare);
  }
}

function begin(connection: DatabaseSync): void {
  connection.exec('BEGIN');
  // BEGIN alone takes no lock; a read does.
  connection.exec('SELECT 1 FROM sqlite_schema LIMIT 1');
}
