import type { DatabaseSync } from 'node:sqlite';
import { describeSqliteError, type OpenDatabase } from './open-database.ts';
import { ReplicationError } from './replication-error.ts';

/** As often the lock is asked for without a pause; then whoever has it needs the processor. */
const BUSY_ATTEMPTS = 200;
const PAUSE_MS = 0.2;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** SQLite's write lock on a database: while it is held, no program can commit to it. */
export class WriteLock {
  readonly #open: OpenDatabase;
  readonly #connection: DatabaseSync;

  private constructor(open: OpenDatabase, connection: DatabaseSync) {
    this.#open = open;
    this.#connection = connection;
  }

  /**
   * Waits for the lock as long as the database's time-out says. SQLite's own waiting sleeps for up to
   * a tenth of a second at a time and hardly ever meets the moment between two transactions of a
   * program that writes without pause; this asks at every moment.
   *
   * @throws ReplicationError `database_locked` when another program keeps it for longer.
   */
  static take(open: OpenDatabase): WriteLock {
    const connection = open.connect();
    connection.exec('PRAGMA busy_timeout = 0');
    const endMs = performance.now() + open.busyTimeoutMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        connection.exec('BEGIN IMMEDIATE');
        return new WriteLock(open, connection);
      } catch (error) {
        const failure = describeSqliteError(open.path, error);
        const isLocked = failure instanceof ReplicationError && failure.code === 'database_locked';
        if (!isLocked || performance.now() > endMs) {
          open.disconnect(connection);
          throw failure;
        }
      }
      if (attempt >= BUSY_ATTEMPTS) Atomics.wait(PAUSE, 0, 0, PAUSE_MS);
    }
  }

  /** Lets the lock go. Repeatable. */
  release(): void {
    this.#open.disconnect(this.#connection);
  }
}
