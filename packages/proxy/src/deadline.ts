import { performance } from 'node:perf_hooks';

/** A moment on the monotonic clock, which no change of the wall clock moves. */
export class Deadline {
  readonly #atMs: number;

  private constructor(atMs: number) {
    this.#atMs = atMs;
  }

  static in(timeoutMs: number): Deadline {
    return new Deadline(performance.now() + timeoutMs);
  }

  /** Milliseconds until then, 0 when it has passed. */
  get remainingMs(): number {
    return Math.max(0, this.#atMs - performance.now());
  }

  get isOver(): boolean {
    return this.remainingMs === 0;
  }
}
