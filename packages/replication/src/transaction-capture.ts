import { fdatasyncSync } from 'node:fs';
import type { Clock } from '@tandem/base';
import type { LtxPage } from '@tandem/ltx';
import { lockPage } from '@tandem/sqlite-format';
import { ConsistentView } from './consistent-view.ts';
import type { DatabaseState } from './database-state.ts';
import type { NodeCounters } from './node-counters.ts';
import type { OpenDatabase } from './open-database.ts';
import { type CapturedChange, WalCapture } from './wal-capture.ts';
import { isSameGeneration, type WalCursor } from './wal-cursor.ts';

export interface TransactionCaptureOptions {
  readonly clock: Clock;
  /** Whether `flush` waits for the disk. */
  readonly sync: 'none' | 'full';
  readonly counters?: NodeCounters;
  /** Told how many transactions have been captured, and with what time they are logged. */
  readonly onCaptured?: (transactions: number, timestampMs: number) => void;
  /** Told of the database's first page, each time it has changed. Valid during the call. */
  readonly onFirstPage?: (page: Uint8Array) => void;
}

/** Takes what applications commit into the log of transactions. */
export class TransactionCapture {
  readonly #open: OpenDatabase;
  readonly #state: DatabaseState;
  readonly #options: TransactionCaptureOptions;
  readonly #wal: WalCapture;
  #isFlushed = true;

  /** Everything up to `cursor` is in the state already. */
  constructor(
    open: OpenDatabase,
    state: DatabaseState,
    cursor: WalCursor,
    options: TransactionCaptureOptions,
  ) {
    this.#open = open;
    this.#state = state;
    this.#options = options;
    this.#wal = new WalCapture(open, cursor);
  }

  /**
   * Captures what has been committed; it is durable after `flush`.
   *
   * @returns how many transactions that were
   * @throws ReplicationError `disk_full`, `state_failed`, `wal_unreadable`; the next call goes on.
   */
  capture(): number {
    let count = 0;
    let hasMore = true;
    while (hasMore) {
      const change = this.#wal.read();
      if (change !== undefined) this.#log(change);
      count += change?.transactions ?? 0;
      hasMore = change?.hasMore ?? false;
    }
    return count;
  }

  /**
   * Makes durable what has been captured, if that is wanted.
   *
   * R6. SQLite's log is synced before the log of transactions, so that after a loss of power the
   * database is never behind what was confirmed.
   *
   * @throws ReplicationError `disk_full`, `state_failed`; the next call tries again.
   */
  flush(): void {
    if (this.#isFlushed) return;
    if (this.#options.sync === 'full') fdatasyncSync(this.#open.walFd);
    this.#state.log.flush();
    this.#isFlushed = true;
  }

  #log(change: CapturedChange): void {
    const { transactions, pageCount, from, to } = change;
    const pages = this.#pagesOf(change);
    const timestampMs = this.#options.clock.nowMs();
    this.#isFlushed = false;
    const { log } = this.#state;
    const before = log.lastTxid;
    try {
      this.#state.append({ transactions, pageCount, pages, frames: { from, to } }, timestampMs);
    } finally {
      // What is in the log is captured, whatever became of the table.
      if (log.lastTxid > before) this.#accept(change, timestampMs);
    }
  }

  #accept(change: CapturedChange, timestampMs: number): void {
    const { counters, onCaptured } = this.#options;
    const { from, to, transactions } = change;
    const { generation, position } = this.#wal.cursor;
    const hasRestarted = position.frame > 0 && !isSameGeneration(generation, from.generation);
    if (hasRestarted) counters?.add('walRestarts');
    onCaptured?.(transactions, timestampMs);
    this.#wal.accept(change);
    this.#state.recordApplied('primary', to);
  }

  *#pagesOf(change: CapturedChange): Generator<LtxPage> {
    const holes = holesOf(change, this.#state.table.pageCount);
    const view = holes.length === 0 ? undefined : this.#holeView(change);
    try {
      const pgnos =
        view === undefined ? change.pgnos : Uint32Array.from([...change.pgnos, ...holes]).sort();
      const unwritten = new Uint8Array(change.to.generation.pageSize);
      for (const pgno of pgnos) {
        const frame = change.frames.get(pgno);
        if (frame === undefined) view?.readPage(pgno, unwritten);
        const data = frame === undefined ? unwritten : this.#wal.page(frame);
        if (pgno === 1) this.#options.onFirstPage?.(data);
        yield { pgno, data };
      }
    } finally {
      view?.close();
    }
  }

  /** What later transactions may have made of a hole is no harm: they follow, with the page. */
  #holeView({ pageCount, to }: CapturedChange): ConsistentView {
    return ConsistentView.open(this.#open, { pageSize: to.generation.pageSize, pageCount });
  }
}

/**
 * Pages that are new to the database, or were cut off and are back, and that none of the transactions
 * wrote: free pages, of which SQLite never needs the content.
 */
function holesOf(
  { frames, pageCount, pageCountMin, to }: CapturedChange,
  knownPages: number,
): number[] {
  const holes: number[] = [];
  const skipped = lockPage(to.generation.pageSize);
  for (let pgno = Math.min(knownPages, pageCountMin) + 1; pgno <= pageCount; pgno += 1) {
    if (!frames.has(pgno) && pgno !== skipped) holes.push(pgno);
  }
  return holes;
}
