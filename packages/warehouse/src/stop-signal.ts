import { HttpError } from '@loggia/contract';
import type { QueryOptions } from './event-store.ts';

/**
 * Everything that may end a query early, as one signal. Its reason is the `HttpError` that the
 * caller gets. It is disposed of when the query is over (W8).
 */
export class StopSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #callerSignal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor({ signal, timeoutMs }: QueryOptions) {
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#controller.abort(timedOut(timeoutMs)), timeoutMs);
    }
    this.#callerSignal = signal;
    if (signal?.aborted === true) this.#cancel();
    else signal?.addEventListener('abort', this.#cancel, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops the query with a reason of the store's own. */
  stop(reason: HttpError): void {
    this.#controller.abort(reason);
  }

  /** Settles as `work` does or rejects with the reason when stopped before; `work` goes on. */
  async race<Result>(work: Promise<Result>): Promise<Result> {
    const { signal } = this;
    const stopped = Promise.withResolvers<never>();
    const onAbort = (): void => stopped.reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([stopped.promise, work]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#callerSignal?.removeEventListener('abort', this.#cancel);
  }

  readonly #cancel = (): void => {
    this.#controller.abort(new HttpError('query_cancelled', 'The query was cancelled.'));
  };
}

function timedOut(timeoutMs: number): HttpError {
  return new HttpError('query_timeout', `The query took longer than ${timeoutMs / 1000} s.`, {
    hint: 'Ask for a shorter range or fewer dimensions, or raise the time limit.',
    retryable: true,
  });
}
