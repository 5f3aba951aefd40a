import { HttpError } from '@loggia/contract';
import { assert } from '@tandem/base';
import type { StopSignal } from './stop-signal.ts';

export interface SlotLimits {
  readonly runningMax: number;
  readonly waitingMax: number;
}

/** How many queries run at once; the others wait in the order of arrival, a bounded number (W9). */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limits: SlotLimits) {
    assert(limits.runningMax > 0, 'at least one query can run');
    assert(limits.waitingMax >= 0, 'the number of waiting queries is a count');
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when a slot is free; it has to be given back by calling `release` once.
   *
   * @throws HttpError `overloaded` when too many wait, or the reason of `stop`
   */
  async acquire(stop: StopSignal): Promise<void> {
    stop.signal.throwIfAborted();
    if (this.#running < this.#limits.runningMax) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.size >= this.#limits.waitingMax) throw overloaded();
    const turn = Promise.withResolvers<void>();
    const take = turn.resolve;
    this.#waiting.add(take);
    try {
      await stop.race(turn.promise);
    } catch (error) {
      // The slot may have been handed over in the same turn in which the wait was given up.
      if (!this.#waiting.delete(take)) this.release();
      throw error;
    }
  }

  /** Gives the slot to the one who waits longest, or frees it. */
  release(): void {
    assert(this.#running > 0, 'a slot is given back once');
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

function overloaded(): HttpError {
  return new HttpError('overloaded', 'Too many queries are waiting.', {
    hint: 'Try again in a moment.',
    retryable: true,
  });
}
