import type { DatabaseSync } from 'node:sqlite';
import { describeSqliteError, type OpenDatabase } from './open-database.ts';

/** SQLite's write lock on a database: while it is held, no program can commit to it. */
export class WriteLock {
  readonly #open: OpenDatabase;
  readonly #connection: DatabaseSync;

  private constructor(open: OpenDatabase, connection: DatabaseSync) {
    this.#open = open;
    this.#connection = connection;
  }

  /**
   * Waits for the lock as long as the database's time-out says.
   *
   * @throws ReplicationError `database_locked` when another program keeps it for longer.
   */
  static take(open: OpenDatabase): WriteLock {
    const connection = open.connect();
    try {
      connection.exec('BEGIN IMMEDIATE');
      return new WriteLock(open, connection);
    } catch (error) {
      open.disconnect(connection);
      throw describeSqliteError(open.path, error);
    }
  }

  /** Lets the lock go. Repeatable. */
  release(): void {
    this.#open.disconnect(this.#connection);
  }
}
