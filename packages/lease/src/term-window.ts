import type { LeaseClock } from './lease-clock.ts';
import type { LeaseTerm } from './lease-store.ts';

/** Both clocks at one moment. */
export interface ClockMark {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * Until when a term is valid, on the monotonic clock and, as a second opinion, on the wall clock:
 * a virtual machine or a laptop that was suspended may wake up with a monotonic clock that slept
 * too. Whichever ends first counts. A wall clock that is set forward therefore costs a pause until
 * the next renewal, and one that is set back costs nothing.
 */
export class TermWindow {
  readonly #clock: LeaseClock;
  #monotonicEndMs = -Infinity;
  #wallEndMs = -Infinity;

  constructor(clock: LeaseClock) {
    this.#clock = clock;
  }

  /** To be taken before the request that opens the window. */
  mark(): ClockMark {
    return { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
  }

  /** Opens the window for a term that was asked for after `since`. */
  open(term: LeaseTerm, since: ClockMark): void {
    this.#monotonicEndMs = term.validUntilMs;
    this.#wallEndMs = since.wallMs + (term.validUntilMs - since.monotonicMs);
  }

  close(): void {
    this.#monotonicEndMs = -Infinity;
    this.#wallEndMs = -Infinity;
  }

  isOpen(): boolean {
    return (
      this.#clock.monotonicMs() < this.#monotonicEndMs && this.#clock.wallMs() < this.#wallEndMs
    );
  }

  /** Both ends, for another thread. */
  get ends(): ClockMark {
    return { monotonicMs: this.#monotonicEndMs, wallMs: this.#wallEndMs };
  }
}
