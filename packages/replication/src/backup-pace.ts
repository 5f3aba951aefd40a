import { BaseError } from '@tandem/base';

/** Why the last attempt failed. */
export interface BackupFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly atMs: number;
}

/** The longest pause between two attempts. */
export const PAUSE_MS_MAX = 60_000;

/** How often to try: at an interval, and the longer it fails the less. */
export class BackupPace {
  readonly #intervalMs: number;
  #failures = 0;
  #failure: BackupFailure | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** How many attempts in a row have failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Why the last one did; undefined after a success. */
  get failure(): BackupFailure | undefined {
    return this.#failure;
  }

  /** Until the next attempt. */
  get pauseMs(): number {
    const pauseMs = Math.min(this.#intervalMs * 2 ** this.#failures, PAUSE_MS_MAX);
    return Math.max(pauseMs, this.#intervalMs);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#failure = undefined;
  }

  failed(error: unknown, atMs: number): BackupFailure {
    const known = error instanceof BaseError ? error : undefined;
    this.#failures += 1;
    this.#failure = {
      code: known?.code ?? 'unknown',
      message: error instanceof Error ? error.message : String(error),
      hint: known?.hint,
      atMs,
    };
    return this.#failure;
  }
}
