import { BaseError } from '@tandem/base';
import { Repetitions } from './repetitions.ts';
import type { StreamClock, StreamLog } from './stream-source.ts';

/**
 * Logs failures of what is tried over and over: at first, when there is another reason, and ever more
 * rarely for as long as it goes on.
 */
export class Complaints {
  readonly #log: StreamLog;
  readonly #clock: StreamClock;
  readonly #repetitions = new Repetitions();

  constructor(log: StreamLog, clock: StreamClock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Logs that `what` failed, with the reason and what an operator can do. */
  about(what: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof BaseError ? error.hint : undefined;
    this.say('warn', what, { message, ...(hint === undefined ? {} : { hint }) });
  }

  /** Logs `what` with a reason, unless that has just been said. */
  say(
    level: 'info' | 'warn',
    what: string,
    facts: Readonly<Record<string, string>> & { readonly message: string },
  ): void {
    if (!this.#repetitions.isDue(what, facts.message, this.#clock.monotonicMs())) return;
    this.#log(level, what, facts);
  }
}
