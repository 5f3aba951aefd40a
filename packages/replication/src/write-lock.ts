import type { DatabaseSync } from 'node:sqlite';
import type { OpenDatabase } from './open-database.ts';
import { describeSqliteError, isBusy } from './sqlite-failure.ts';

/** For so long the lock is tried again at once, then the processor is left alone for as long. */
const BURST_MS = 1;

/** SQLite's write lock on a database: while it is held, no program can commit to it. */
export class WriteLock {
  readonly #open: OpenDatabase;
  readonly #connection: DatabaseSync;

  private constructor(open: OpenDatabase, connection: DatabaseSync) {
    this.#open = open;
    this.#connection = connection;
  }

  /**
   * Waits for the lock as long as the database's time-out says. SQLite's lock has no queue, and its
   * own way of waiting looks ever less often: it would not get past programs that write without
   * pause, which let go of the lock for microseconds. In bursts, one of those moments is met.
   *
   * @throws ReplicationError `database_locked` when another program keeps it for longer.
   */
  static take(open: OpenDatabase, timeoutMs = open.busyTimeoutMs): WriteLock {
    const connection = open.connect(0);
    try {
      takeInBursts(connection, timeoutMs);
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

/** As `WriteLock.take`, on a connection whose own time-out is 0. @throws what SQLite does */
export function takeInBursts(connection: DatabaseSync, timeoutMs: number): void {
  const endMs = performance.now() + timeoutMs;
  let burstEndMs = performance.now() + BURST_MS;
  for (;;) {
    try {
      connection.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= endMs) throw error;
    }
    if (performance.now() < burstEndMs) continue;
    Atomics.wait(NEVER, 0, 0, BURST_MS);
    burstEndMs = performance.now() + BURST_MS;
  }
}

/** Nobody notifies it. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));
