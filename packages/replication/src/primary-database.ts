import type { LtxPage } from '@tandem/ltx';
import { lockPage } from '@tandem/sqlite-format';
import type { Clock } from '@tandem/base';
import { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import type { OpenDatabase } from './open-database.ts';
import { PrimaryCheckpoint } from './primary-checkpoint.ts';
import { StandingReader } from './standing-reader.ts';
import { type CapturedChange, WalCapture } from './wal-capture.ts';
import type { WalCursor } from './wal-cursor.ts';
import { WriteLock } from './write-lock.ts';

export interface PrimaryOptions {
  readonly clock: Clock;
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
  readonly #capture: WalCapture;
  readonly #checkpoint: PrimaryCheckpoint;
  /** Doubles when holding up writers did not help, since readers were in the way. */
  #framesMax: number;

  /** Everything up to `cursor` is in the state already. Nothing may write before this returns. */
  constructor(open: OpenDatabase, state: DatabaseState, cursor: WalCursor, options: PrimaryOptions) {
    this.#open = open;
    this.#state = state;
    this.#options = options;
    this.#framesMax = options.framesMax;
    this.#reader = new StandingReader(open);
    this.#capture = new WalCapture(open, cursor);
    this.#checkpoint = new PrimaryCheckpoint(open, this.#reader, () => void this.capture());
  }

  /** Captures what has been committed. @returns how many transactions that were */
  capture(): number {
    const change = this.#capture.read();
    if (change === undefined) return 0;
    const { transactions, pageCount, from, to } = change;
    const pages = this.#pagesOf(change);
    const nowMs = this.#options.clock.nowMs();
    this.#state.append({ transactions, pageCount, pages, from, to }, nowMs);
    this.#capture.accept(change);
    this.#state.recordApplied('primary', to);
    return transactions;
  }

  /** Copies SQLite's log into the database when it has grown enough. */
  checkpointIfDue(): void {
    const { mxFrame, backfilledFrames } = this.#open.readWalIndexHeader();
    if (mxFrame - backfilledFrames < this.#options.checkpointFrames) return;
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

  *#pagesOf(change: CapturedChange): Generator<LtxPage> {
    const { pageSize } = change.to.generation;
    // A database that shrank and grew may hold free pages that no transaction of these has written.
    const holesFrom = Math.min(this.#state.table.pageCount, change.pageCountMin);
    const pgnos = [...change.frames.keys()];
    let next = 0;
    for (let pgno = holesFrom + 1; pgno <= change.pageCount; pgno += 1) {
      if (!change.frames.has(pgno) && pgno !== lockPage(pageSize)) pgnos.push(pgno);
      next += 1;
    }
    if (next > 0) pgnos.sort((a, b) => a - b);
    for (const pgno of pgnos) {
      const frame = change.frames.get(pgno);
      const data = frame === undefined ? this.#unwrittenPage(pgno, pageSize) : this.#capture.page(frame);
      yield { pgno, data };
    }
  }

  #unwrittenPage(pgno: number, pageSize: number): Uint8Array {
    const page = new Uint8Array(pageSize);
    const view = ConsistentView.open(this.#open, { pageSize, pageCount: pgno });
    try {
      view.readPage(pgno, page);
    } finally {
      view.close();
    }
    return page;
  }
}
