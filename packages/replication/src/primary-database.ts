import { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import type { OpenDatabase } from './open-database.ts';
import { PrimaryCheckpoint } from './primary-checkpoint.ts';
import { StandingReader } from './standing-reader.ts';
import { TransactionCapture, type TransactionCaptureOptions } from './transaction-capture.ts';
import type { WalCursor } from './wal-cursor.ts';
import { WriteLock } from './write-lock.ts';

export interface PrimaryOptions extends TransactionCaptureOptions {
  /** From this many frames on that are not in the database yet, they are copied. */
  readonly checkpointFrames: number;
  /** From this many frames on, writers are held up for a moment to let the log restart. */
  readonly framesMax: number;
}

/** A database that applications of this node write: their transactions are captured. */
export class PrimaryDatabase {
  readonly #open: OpenDatabase;
  readonly #state: DatabaseState;
  readonly #options: PrimaryOptions;
  readonly #reader: StandingReader;
  readonly #capture: TransactionCapture;
  readonly #checkpoint: PrimaryCheckpoint;
  /** Doubles when holding up writers did not help, since readers were in the way. */
  #framesMax: number;
  /** What the wal-index said when the standing reader last moved. */
  #seen = '';

  /** Everything up to `cursor` is in the state already. Nothing may write before this returns. */
  constructor(
    open: OpenDatabase,
    state: DatabaseState,
    cursor: WalCursor,
    options: PrimaryOptions,
  ) {
    this.#open = open;
    this.#state = state;
    this.#options = options;
    this.#framesMax = options.framesMax;
    this.#reader = new StandingReader(open);
    this.#capture = new TransactionCapture(open, state, cursor, options);
    this.#checkpoint = new PrimaryCheckpoint(open, this.#reader, () => void this.capture());
  }

  /** Captures what has been committed. @returns how many transactions that were */
  capture(): number {
    return this.#capture.capture();
  }

  /**
   * Copies SQLite's log into the database when it has grown enough. Before that, it lets the standing
   * reader move on, so that a checkpoint of an application does not wait for it for long.
   */
  checkpointIfDue(): void {
    const { mxFrame, backfilledFrames, salt1, changeCounter } = this.#open.readWalIndexHeader();
    if (mxFrame - backfilledFrames < this.#options.checkpointFrames) {
      const seen = `${salt1} ${changeCounter} ${backfilledFrames}`;
      if (seen !== this.#seen) this.#moveReader(seen);
      return;
    }
    let isComplete = this.#checkpoint.run();
    if (!isComplete && mxFrame >= this.#framesMax) {
      isComplete = this.#checkpoint.runAlone();
      this.#framesMax = isComplete ? this.#options.framesMax : this.#framesMax * 2;
    }
    if (isComplete) this.#state.markSynced();
  }

  /** All pages at one position. Writers wait while it is opened, and not any longer. */
  view(): ConsistentView {
    const lock = WriteLock.take(this.#open);
    try {
      this.capture();
      const { pageSize, pageCount } = this.#state.table;
      return ConsistentView.open(this.#open, { pageSize, pageCount });
    } finally {
      lock.release();
    }
  }

  /** Ends capture. The caller sees to it that nothing is written from here on. */
  close(): void {
    this.#checkpoint.close();
    this.#reader.close();
  }

  #moveReader(seen: string): void {
    this.capture();
    this.#reader.advance();
    this.#seen = seen;
  }
}
