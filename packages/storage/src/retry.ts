import { setTimeout as wait } from 'node:timers/promises';
import { StorageError } from './storage-error.ts';

/** How often and how long to try a request that may succeed later. */
export interface RetryPolicy {
  readonly attemptsMax: number;
  /** The longest pause before the second attempt; it doubles from then on. */
  readonly firstDelayMs: number;
  readonly delayMaxMs: number;
}

/** Pauses of some 15 seconds in all, at most 31: longer than a small server takes to restart. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attemptsMax: 8,
  firstDelayMs: 250,
  delayMaxMs: 15_000,
};

/** Waits, or throws when the signal is aborted. */
export type Sleep = (delayMs: number, signal: AbortSignal) => Promise<void>;

export interface Retrying {
  readonly policy: RetryPolicy;
  readonly sleep: Sleep;
  /** Evenly distributed from 0 up to, not including, 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

export const systemSleep: Sleep = async (delayMs, signal) => {
  await wait(delayMs, undefined, { signal });
};

/** What a failed attempt says about the next one, beside being a `StorageError`. */
export class RetryLater {
  readonly error: StorageError;
  /** As the server asked, if it did. */
  readonly afterMs: number | undefined;

  constructor(error: StorageError, afterMs?: number) {
    this.error = error;
    this.afterMs = afterMs;
  }
}

/**
 * Calls `attempt` until it returns a value, with pauses of random length in between so that many
 * that failed together do not come back together.
 *
 * @param attempt returns `RetryLater` for a failure that may pass; throws for one that will not.
 * Its number counts from 1.
 * @throws StorageError the last failure, or `storage_stopped`.
 */
export async function retry<Value>(
  retrying: Retrying,
  attempt: (attemptNumber: number) => Promise<Value | RetryLater>,
): Promise<Value> {
  const { policy, sleep, random, signal } = retrying;
  for (let attemptNumber = 1; ; attemptNumber += 1) {
    refuseStopped(signal);
    const outcome = await attempt(attemptNumber);
    if (!(outcome instanceof RetryLater)) return outcome;
    refuseStopped(signal);
    if (attemptNumber >= policy.attemptsMax) throw outcome.error;
    try {
      await sleep(delayMs(policy, attemptNumber, outcome, random), signal);
    } catch (error) {
      refuseStopped(signal);
      throw error;
    }
  }
}

function delayMs(
  policy: RetryPolicy,
  attemptNumber: number,
  { afterMs }: RetryLater,
  random: () => number,
): number {
  const ceilingMs = Math.min(policy.delayMaxMs, policy.firstDelayMs * 2 ** (attemptNumber - 1));
  return Math.max(random() * ceilingMs, Math.min(afterMs ?? 0, policy.delayMaxMs));
}

function refuseStopped(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new StorageError(
    'storage_stopped',
    'The transfer was called off because the program stops',
    {
      cause: signal.reason,
    },
  );
}
