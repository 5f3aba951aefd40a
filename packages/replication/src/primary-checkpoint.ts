import type { DatabaseSync } from 'node:sqlite';
import type { OpenDatabase } from './open-database.ts';
import type { StandingReader } from './standing-reader.ts';
import { WriteLock } from './write-lock.ts';

/** While readers are waited for. */
const LOOK_AGAIN_MS = 0.5;
/** Nobody notifies it. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * Copies the primary's log into its database, so that the log can restart and does not grow for
 * ever. Everything is captured before it may be overwritten (R2): the log restarts only while the
 * standing reader looks at the database alone, and it is moved there only when all that had been
 * copied by then has been captured.
 */
export class PrimaryCheckpoint {
  readonly #open: OpenDatabase;
  readonly #reader: StandingReader;
  readonly #connection: DatabaseSync;
  readonly #drain: () => void;

  /** `drain` captures all that is committed. */
  constructor(open: OpenDatabase, reader: StandingReader, drain: () => void) {
    this.#open = open;
    this.#reader = reader;
    this.#connection = open.connect();
    this.#drain = drain;
  }

  /**
   * Copies what can be copied without holding up a writer.
   *
   * @returns whether the next writer will restart the log
   */
  run(): boolean {
    this.#drain();
    this.#reader.advance();
    this.#copy();
    if (!this.#isCopied()) return false;
    // What was committed before the reader moved, and is copied. If there is more, it is not.
    this.#drain();
    if (!this.#isCopied()) return false;
    this.#reader.advance();
    return true;
  }

  /**
   * The same with writers held up, for a log that never comes to rest: until it is done, or for
   * `holdMs` of doing nothing but waiting for readers. The program that wrote last may still look at
   * the state before its commit, if it has not had the processor since.
   *
   * @returns for how long writers were held up, and whether the next one will restart the log
   * @throws ReplicationError `database_locked` when a writer keeps its lock for longer than the time-out
   */
  runAlone(holdMs: number): { readonly heldMs: number; readonly isComplete: boolean } {
    const lock = WriteLock.take(this.#open);
    const startMs = performance.now();
    try {
      let isComplete = this.run();
      for (let leftMs = holdMs; !isComplete && leftMs > 0; leftMs -= LOOK_AGAIN_MS) {
        Atomics.wait(NEVER, 0, 0, LOOK_AGAIN_MS);
        isComplete = this.run();
      }
      return { heldMs: performance.now() - startMs, isComplete };
    } finally {
      lock.release();
    }
  }

  close(): void {
    this.#open.disconnect(this.#connection);
  }

  #isCopied(): boolean {
    const { mxFrame, backfilledFrames } = this.#open.readWalIndexHeader();
    return backfilledFrames === mxFrame;
  }

  #copy(): void {
    this.#connection.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
  }
}
