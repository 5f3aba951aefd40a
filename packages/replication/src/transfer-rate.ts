import { assert } from '@tandem/base';

/** What is saved up in silence lasts so long at full rate. */
const BURST_MS = 100;

/**
 * A limit on bytes per second that several senders share. One that may send spends whatever it
 * sends, into debt if need be, and the debt delays whoever comes next; so a limit smaller than one
 * message holds as well.
 */
export class TransferRate {
  readonly #bytesPerSecond: number | undefined;
  readonly #clock: { monotonicMs(): number };
  /** When the debt is paid; in the past when there is credit. */
  #freeAtMs: number;

  /** Undefined: no limit. */
  constructor(bytesPerSecond: number | undefined, clock: { monotonicMs(): number }) {
    assert(bytesPerSecond === undefined || bytesPerSecond > 0, 'a rate is above 0');
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
    this.#freeAtMs = clock.monotonicMs() - BURST_MS;
  }

  /** How long to wait before sending; 0: now. */
  delayMs(): number {
    return Math.max(0, this.#freeAtMs - this.#clock.monotonicMs());
  }

  /** Notes that so much is being sent. */
  spend(byteCount: number): void {
    if (this.#bytesPerSecond === undefined) return;
    const creditSinceMs = this.#clock.monotonicMs() - BURST_MS;
    this.#freeAtMs =
      Math.max(this.#freeAtMs, creditSinceMs) + (byteCount * 1000) / this.#bytesPerSecond;
  }
}
