import { describe, expect, it } from 'vitest';
import { RetryLater, type Retrying, retry, systemSleep } from './retry.ts';
import { StorageError } from './storage-error.ts';

const FAILURE = new StorageError('storage_busy', 'later');

function retrying(overrides: Partial<Retrying> = {}) {
  const delays: number[] = [];
  const sleep = async (delayMs: number): Promise<void> => void delays.push(delayMs);
  const policy = { attemptsMax: 5, firstDelayMs: 100, delayMaxMs: 350 };
  const { signal } = new AbortController();
  return { delays, options: { policy, sleep, random: () => 1, signal, ...overrides } };
}

describe('trying again', () => {
  it('doubles the pauses up to the longest, and ends after the last attempt', async () => {
    const { delays, options } = retrying();
    const attempts: number[] = [];
    const outcome = retry(options, async (attempt) => {
      attempts.push(attempt);
      return new RetryLater(FAILURE);
    });
    await expect(outcome).rejects.toBe(FAILURE);
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    expect(delays).toEqual([100, 200, 350, 350]);
  });

  it('spreads the pauses by chance, but waits as long as it was asked', async () => {
    const { delays, options } = retrying({ random: () => 0.25 });
    const asked = [undefined, 90, 10_000, undefined];
    await retry(options, async (attempt) =>
      attempt === 5 ? 'done' : new RetryLater(FAILURE, asked[attempt - 1]),
    );
    expect(delays).toEqual([25, 90, 350, 87.5]);
  });

  it('does not happen after what cannot pass', async () => {
    const { delays, options } = retrying();
    const outcome = retry(options, async () => Promise.reject(FAILURE));
    await expect(outcome).rejects.toBe(FAILURE);
    expect(delays).toEqual([]);
  });

  it('ends at once when the program stops, in a pause too', async () => {
    const stopping = new AbortController();
    const { options } = retrying({ signal: stopping.signal, sleep: systemSleep });
    const policy = { attemptsMax: 2, firstDelayMs: 1e9, delayMaxMs: 1e9 };
    const outcome = retry({ ...options, policy }, async () => {
      setImmediate(() => stopping.abort());
      return new RetryLater(FAILURE);
    });
    await expect(outcome).rejects.toMatchObject({ code: 'storage_stopped' });
  });
});
