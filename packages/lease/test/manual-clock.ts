import type { LeaseClock } from '../src/index.ts';

/** A monotonic clock that goes on when told, and wall clocks that differ from it at will. */
export class ManualClock {
  #nowMs = 1_000_000;

  get nowMs(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  /** The clocks of a node whose wall clock is wrong by `wallOffsetMs`. */
  node(wallOffsetMs = 0): LeaseClock {
    return {
      monotonicMs: () => this.#nowMs,
      wallMs: () => Date.UTC(2026, 0, 1) + this.#nowMs + wallOffsetMs,
    };
  }
}
