import { setTimeout as sleep } from 'node:timers/promises';

/** How a watch is kept going. */
export interface WatchLoopOptions {
  /** Between two rounds. */
  readonly retryMs: number;
  readonly signal: AbortSignal;
  readonly onError: ((error: Error) => void) | undefined;
}

/** Runs round after round until aborted. A failed round is told and tried again. */
export async function watchLoop(
  round: () => Promise<void>,
  options: WatchLoopOptions,
): Promise<void> {
  const { retryMs, signal, onError } = options;
  while (!signal.aborted) {
    try {
      await round();
    } catch (error) {
      if (signal.aborted) return;
      onError?.(error instanceof Error ? error : new Error(String(error)));
    }
    await pause(retryMs, signal);
  }
}

/** Resolves after `ms`, or when aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
