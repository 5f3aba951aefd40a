import type { LeaseClock } from './lease-clock.ts';
import type { OpenWindow } from './lease-keeping.ts';

const MONOTONIC_END = 0;
const WALL_END = 1;
const EPOCH = 2;
const HEARTBEAT = 3;
const CELLS = 4;
const FOR_EVER = 2n ** 62n;
const MICROS = 1000;

/**
 * What two threads know of a term at once. The thread that keeps the lease writes the window, the
 * thread that writes data reads it and leaves heartbeats. Times are in microseconds; a monotonic
 * end of 0 is no window, and is written before and after every other change of it.
 */
export class TermCell {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(CELLS * 8)) {
    this.buffer = buffer;
    this.#cells = new BigInt64Array(buffer);
  }

  /** Opens the window or, without one, closes it. */
  publish(window: OpenWindow | undefined): void {
    const epoch = Atomics.load(this.#cells, EPOCH);
    if (window === undefined || epoch !== BigInt(window.epoch)) {
      Atomics.store(this.#cells, MONOTONIC_END, 0n);
    }
    if (window === undefined) return;
    Atomics.store(this.#cells, EPOCH, BigInt(window.epoch));
    Atomics.store(this.#cells, WALL_END, toMicros(window.wallMs));
    Atomics.store(this.#cells, MONOTONIC_END, toMicros(window.monotonicMs));
  }

  /** Whether the window is open now. */
  isOpen(clock: LeaseClock): boolean {
    const end = Atomics.load(this.#cells, MONOTONIC_END);
    if (end === 0n || toMicros(clock.monotonicMs()) >= end) return false;
    return toMicros(clock.wallMs()) < Atomics.load(this.#cells, WALL_END);
  }

  /** The epoch and the monotonic end, or undefined when there is no window. */
  read(): { readonly epoch: number; readonly validUntilMs: number } | undefined {
    for (;;) {
      const end = Atomics.load(this.#cells, MONOTONIC_END);
      const epoch = Number(Atomics.load(this.#cells, EPOCH));
      if (end === 0n) return undefined;
      // Read again: the other thread may have closed one window and opened the next in between.
      if (Atomics.load(this.#cells, MONOTONIC_END) !== end) continue;
      return { epoch, validUntilMs: end >= FOR_EVER ? Infinity : Number(end) / MICROS };
    }
  }

  /** The thread that writes data is alive. */
  beat(nowMs: number): void {
    Atomics.store(this.#cells, HEARTBEAT, toMicros(nowMs));
  }

  /** When it last was. */
  get lastBeatMs(): number {
    return Number(Atomics.load(this.#cells, HEARTBEAT)) / MICROS;
  }
}

/** Downwards, so that a window never seems longer than it is; 0 is kept for 'no window'. */
function toMicros(ms: number): bigint {
  if (ms === Infinity) return FOR_EVER;
  if (ms === -Infinity) return 0n;
  return BigInt(Math.max(1, Math.floor(ms * MICROS)));
}
