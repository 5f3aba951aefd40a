/** What a look at a database found. */
export interface Look {
  /** Transactions that were captured. */
  readonly transactions: number;
  /** How long it took. */
  readonly costMs: number;
  /** When it was over. */
  readonly nowMs: number;
}

/** Commits that are no further apart are worth a timer; rarer ones are waited for. */
const BUSY_MS = 8;
/** The log is written a moment before its index says so. */
const LOOK_AGAIN_MS = 1;
const LOOKS_AGAIN_MAX = 4;
export const GATHER_MS_MIN = 2;
export const GATHER_MS_MAX = 25;
/** A busy database is left alone for so many times as long as the last look took. */
const REST = 3;

/**
 * When to look again at a database that applications write.
 *
 * Each look makes a file of the log of transactions, for which an application that syncs each commit
 * waits as long as for a commit: both wait for the journal of the file system. So while an application
 * is busy its transactions are gathered, the longer the more a look costs, by a timer that spares both
 * sides a notification of each. A lone commit is captured at once.
 */
export class CapturePace {
  #emptyLooks = 0;
  #foundMs = -Infinity;

  /** The log has been written: what it holds is looked for a few times. */
  notified(): void {
    this.#emptyLooks = 0;
  }

  /** How long to wait until the next look; undefined: until there is a notification. */
  pauseMs({ transactions, costMs, nowMs }: Look): number | undefined {
    if (transactions === 0) {
      this.#emptyLooks += 1;
      return this.#emptyLooks <= LOOKS_AGAIN_MAX ? LOOK_AGAIN_MS : undefined;
    }
    this.#emptyLooks = 0;
    const isBusy = transactions > 1 || nowMs - this.#foundMs <= BUSY_MS;
    this.#foundMs = nowMs;
    return isBusy ? Math.min(GATHER_MS_MAX, Math.max(GATHER_MS_MIN, costMs * REST)) : undefined;
  }
}
