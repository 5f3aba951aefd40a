import { BaseError } from '@tandem/base';
import type { StreamClock, StreamLog } from './stream-source.ts';

/** The same again is not said before. */
const AGAIN_MS = 30_000;
/** More subjects than this are not told apart. */
const SUBJECTS_MAX = 1000;

/**
 * Logs failures of what is tried over and over: at first, when the reason changes, and every half
 * minute for as long as it goes on.
 */
export class Complaints {
  readonly #log: StreamLog;
  readonly #clock: StreamClock;
  readonly #last = new Map<string, { readonly message: string; readonly atMs: number }>();

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
    const nowMs = this.#clock.monotonicMs();
    const last = this.#last.get(what);
    if (last?.message === facts.message && nowMs - last.atMs < AGAIN_MS) return;
    if (this.#last.size >= SUBJECTS_MAX) this.#last.clear();
    this.#last.set(what, { message: facts.message, atMs: nowMs });
    this.#log(level, what, facts);
  }
}
