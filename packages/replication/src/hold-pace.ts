/** What a wal-index says that decides whether holding up writers is of use. */
export interface LogExtent {
  readonly salt1: number;
  readonly salt2: number;
  readonly mxFrame: number;
  readonly backfilledFrames: number;
}

/**
 * A program that has just committed looks at the state before for microseconds of its time, which it
 * may have to wait for: about as long as a busy system takes to give everybody a turn.
 */
export const HOLD_MS_MIN = 20;
export const HOLD_MS_MAX = 160;
/** Where it helps, writers are held up for one part in so many of all time at most. */
const SHARE = 12;
/** After an attempt in vain they are left alone for as long, then for twice as long, up to this. */
const RESTS_MAX = 16;

/**
 * When to hold up writers so that the log can restart, and for how long. It is of no use while a
 * reader is in the way that stays for longer; the log then grows, and nobody waits. Readers that come
 * and go are waited for: ever longer, for the more of them overlap the longer it takes until all have
 * seen the end of the log.
 */
export class HoldPace {
  #holdMs = HOLD_MS_MIN;
  #notBeforeMs = 0;
  /** Attempts in vain, in a row. */
  #failures = 0;
  /** Where the log ended at the last attempt that was of no use. */
  #unreached: LogExtent | undefined;

  /**
   * For how long writers may be held up now; undefined: not at all. An urgent case is one of a log that
   * grows faster than it helps.
   */
  holdMs(
    log: LogExtent,
    { nowMs, isUrgent }: { readonly nowMs: number; readonly isUrgent: boolean },
  ): number | undefined {
    const isTooSoon = nowMs < this.#notBeforeMs && (this.#failures > 0 || !isUrgent);
    return isTooSoon || this.#isStuck(log) ? undefined : this.#holdMs;
  }

  /** Writers were held up for that long, until `nowMs`, and the log will restart. */
  succeeded(heldMs: number, nowMs: number): void {
    this.#holdMs = HOLD_MS_MIN;
    this.#notBeforeMs = nowMs + heldMs * (SHARE - 1);
    this.#failures = 0;
    this.#unreached = undefined;
  }

  /** The same when readers were in the way to the end. */
  failed(log: LogExtent, heldMs: number, nowMs: number): void {
    this.#holdMs = Math.min(HOLD_MS_MAX, this.#holdMs * 2);
    this.#notBeforeMs = nowMs + heldMs * Math.min(RESTS_MAX, 2 ** this.#failures);
    this.#failures += 1;
    this.#unreached = log;
  }

  /** Whether who was in the way still is: what the log held then could not all be copied. */
  #isStuck({ salt1, salt2, backfilledFrames }: LogExtent): boolean {
    const before = this.#unreached;
    if (before === undefined || before.salt1 !== salt1 || before.salt2 !== salt2) return false;
    return backfilledFrames < before.mxFrame;
  }
}
