import type { CheckpointedFile } from './checkpointed-file.ts';
import { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import { HoldPace, type LogExtent } from './hold-pace.ts';
import type { OpenDatabase } from './open-database.ts';
import { PrimaryCheckpoint } from './primary-checkpoint.ts';
import { StandingReader } from './standing-reader.ts';
import { TransactionCapture, type TransactionCaptureOptions } from './transaction-capture.ts';
import { cursorOf, isSameGeneration, type WalCursor } from './wal-cursor.ts';
import { WriteLock } from './write-lock.ts';

export interface PrimaryOptions extends TransactionCaptureOptions {
  /** From this many frames on that are not in the database yet, they are copied. */
  readonly checkpointFrames: number;
  /** From this many frames on, writers are held up for a moment to let the log restart. */
  readonly framesMax: number;
  /**
   * The page table is marked as that of the database no more often than that: it costs several syncs,
   * and spares the next start some work, and the log of transactions some room. A second unless said
   * otherwise.
   */
  readonly checkpointPauseMs?: number;
}

/** What is open of the database; somebody else closes it. */
export interface PrimaryParts {
  readonly open: OpenDatabase;
  readonly state: DatabaseState;
  readonly checkpointed: CheckpointedFile;
}

const CHECKPOINT_PAUSE_MS = 1000;

/** A database that applications of this node write: their transactions are captured. */
export class PrimaryDatabase {
  readonly #open: OpenDatabase;
  readonly #state: DatabaseState;
  readonly #checkpointed: CheckpointedFile;
  readonly #options: PrimaryOptions;
  readonly #reader: StandingReader;
  readonly #capture: TransactionCapture;
  readonly #checkpoint: PrimaryCheckpoint;
  readonly #pace = new HoldPace();
  /** Up to here, `capture` has told its callers of transactions. */
  #toldTxid: number;
  #markedMs = -Infinity;
  /** What the wal-index said when the standing reader last moved. */
  #seen = '';

  /** Everything up to `cursor` is in the state already. Nothing may write before this returns. */
  constructor(present: PrimaryParts, cursor: WalCursor, options: PrimaryOptions) {
    const { open, state, checkpointed } = present;
    this.#checkpointed = checkpointed;
    this.#open = open;
    this.#state = state;
    this.#options = options;
    this.#toldTxid = state.log.lastTxid;
    this.#reader = new StandingReader(open);
    this.#capture = new TransactionCapture(open, state, cursor, options);
    this.#checkpoint = new PrimaryCheckpoint(
      open,
      this.#reader,
      () => void this.#capture.capture(),
    );
  }

  /**
   * Captures what has been committed; it is durable after `flush`.
   *
   * @returns how many transactions the last call has not told of: a checkpoint and a view capture too
   */
  capture(): number {
    this.#capture.capture();
    const { lastTxid } = this.#state.log;
    const count = lastTxid - this.#toldTxid;
    this.#toldTxid = lastTxid;
    return count;
  }

  /** Makes durable what has been captured, if that is wanted. */
  flush(): void {
    this.#capture.flush();
  }

  /**
   * Captures, and copies SQLite's log into the database when it has grown enough.
   *
   * @returns as `capture` does
   */
  look(): number {
    const header = this.#open.readWalIndexHeader();
    if (this.#isLong(header)) this.#shorten(header.mxFrame);
    return this.capture();
  }

  /**
   * Copies SQLite's log into the database when it has grown enough. Before that, it lets the standing
   * reader move on, so that a checkpoint of an application does not wait for it for long.
   */
  checkpointIfDue(): void {
    const header = this.#open.readWalIndexHeader();
    if (this.#isLong(header)) {
      this.#shorten(header.mxFrame);
      return;
    }
    const seen = `${header.salt1} ${header.changeCounter} ${header.backfilledFrames}`;
    if (seen === this.#seen) return;
    this.#capture.capture();
    this.#reader.advance();
    this.#seen = seen;
    this.#noteCopied();
  }

  /** All pages at one position. Writers wait while it is opened, and not any longer. */
  view(): ConsistentView {
    const lock = WriteLock.take(this.#open);
    try {
      this.#capture.capture();
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

  #isLong({ mxFrame, backfilledFrames }: LogExtent): boolean {
    return mxFrame - backfilledFrames >= this.#options.checkpointFrames;
  }

  #shorten(frames: number): void {
    const { framesMax } = this.#options;
    // A log that is far too long grows while it is captured and copied.
    const isUrgent = frames >= 2 * framesMax;
    const isComplete =
      (isUrgent && this.#runAlone(isUrgent)) ||
      this.#checkpoint.run() ||
      (!isUrgent && frames >= framesMax && this.#runAlone(isUrgent));
    if (!isComplete) return;
    this.#noteCopied();
    const { checkpointPauseMs = CHECKPOINT_PAUSE_MS } = this.#options;
    const nowMs = performance.now();
    if (nowMs - this.#markedMs < checkpointPauseMs) return;
    this.#markedMs = nowMs;
    this.#capture.flush();
    this.#state.markSynced();
  }

  /**
   * Remembers where the log begins anew, or is about to, because a checkpoint has copied all of it: a
   * stop before the next capture would leave nothing that leads there. What can be copied is captured
   * (R2), and the standing reader lets nobody copy what comes after.
   */
  #noteCopied(): void {
    const header = this.#open.readWalIndexHeader();
    const { applied } = this.#state;
    if (applied === undefined || header.backfilledFrames !== header.mxFrame) return;
    const isSameLog = isSameGeneration(applied.cursor.generation, header);
    if (header.mxFrame === 0) {
      if (!isSameLog) this.#state.recordApplied('primary', cursorOf(header));
    } else if (isSameLog && applied.cursor.position.frame === header.mxFrame) {
      this.#checkpointed.write(this.#open, applied.txid, applied.cursor);
    }
  }

  /** Copies the last frames while writers wait, where that may help. */
  #runAlone(isUrgent: boolean): boolean {
    const log = this.#open.readWalIndexHeader();
    const holdMs = this.#pace.holdMs(log, { nowMs: performance.now(), isUrgent });
    if (holdMs === undefined) return false;
    const { heldMs, isComplete } = this.#checkpoint.runAlone(holdMs);
    const nowMs = performance.now();
    if (isComplete) this.#pace.succeeded(heldMs, nowMs);
    else this.#pace.failed(this.#open.readWalIndexHeader(), heldMs, nowMs);
    return isComplete;
  }
}
