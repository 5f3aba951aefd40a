import type { Worker } from 'node:worker_threads';
import { HttpError, type Statement, type StatementResult } from '@loggia/contract';
import type { EventStore, QueryOptions, StoreStatus } from './event-store.ts';
import { decodeFailure, type StoreReply, type StoreRequest } from './store-message.ts';
import { WarehouseError } from './warehouse-error.ts';

export interface RemoteStoreOptions {
  /** Starts a thread whose entry calls `serveStore` on its parent port. */
  readonly spawn: () => Worker;
  /** Told once per thread that ends without having been closed; `restart` may be called from it. */
  readonly onCrash?: (error: WarehouseError) => void;
}

/**
 * What to pass as `resourceLimits` when spawning. Most values of the thread live for a moment;
 * without a bound, the heap for such values grows to more than the whole store.
 */
export const STORE_RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 16 } as const;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * An event store that lives in a thread of its own, so that the engine's and the journal's
 * synchronous work does not hold up the server (W12).
 *
 * When the thread ends by itself, everything pending and everything asked for later fails with
 * `WarehouseError('worker_stopped')` until `restart` is called.
 */
export class RemoteStore implements EventStore {
  readonly #options: RemoteStoreOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closing: Promise<void> | undefined;

  /** Starts the first thread. */
  constructor(options: RemoteStoreOptions) {
    this.#options = options;
    this.#start();
  }

  /** Starts a new thread when the last one has ended; does nothing otherwise or once closed. */
  restart(): void {
    if (this.#worker === undefined && this.#closing === undefined) this.#start();
  }

  /** As `EventStore.query`; a cancelled call rejects at once, and the query is interrupted. */
  async query(
    statement: Statement,
    { signal, ...options }: QueryOptions = {},
  ): Promise<StatementResult> {
    if (signal?.aborted === true) throw cancelled();
    const id = this.#takeId();
    const answer = this.#request({ kind: 'query', id, statement, options });
    if (signal === undefined) return (await answer) as StatementResult;
    const cancel = (): void => {
      this.#worker?.postMessage({ kind: 'cancel', id } satisfies StoreRequest);
      this.#pending.get(id)?.reject(cancelled());
      this.#pending.delete(id);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return (await answer) as StatementResult;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async status(): Promise<StoreStatus> {
    return (await this.#request({ kind: 'status', id: this.#takeId() })) as StoreStatus;
  }

  async follow(): Promise<void> {
    await this.#request({ kind: 'follow', id: this.#takeId() });
  }

  /** Resolves when the thread has ended. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  #start(): void {
    const worker = this.#options.spawn();
    let cause: unknown;
    worker.on('message', (reply: StoreReply) => {
      if (reply.kind === 'crash') this.#ended(worker, reply.error);
      else this.#settle(reply);
    });
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => this.#ended(worker, cause));
    this.#worker = worker;
  }

  #takeId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  async #request(request: Exclude<StoreRequest, { kind: 'cancel' }>): Promise<unknown> {
    if (this.#closing !== undefined && request.kind !== 'close') throw closed();
    if (this.#worker === undefined) throw stopped();
    this.#worker.postMessage(request);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(request.id, { resolve, reject });
    return promise;
  }

  #settle(reply: Exclude<StoreReply, { kind: 'crash' }>): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.kind === 'answer') pending?.resolve(reply.value);
    else pending?.reject(decodeFailure(reply.failure));
  }

  #ended(worker: Worker, cause: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    const closing = this.#closing !== undefined;
    const error = closing ? closed() : stopped(cause);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    if (!closing) this.#options.onCrash?.(error);
  }

  async #close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const answer = this.#request({ kind: 'close', id: this.#takeId() });
    // A thread that ends while it closes has closed as well.
    await answer.catch(() => undefined);
    await worker.terminate();
    await ended;
  }
}

function stopped(cause?: unknown): WarehouseError {
  return new WarehouseError('worker_stopped', 'The thread of the store is not running.', {
    cause,
    retryable: true,
    hint: 'The log says why it ended; the store is rebuilt from the journal when it starts again.',
  });
}

function closed(): WarehouseError {
  return new WarehouseError('store_closed', 'The store has been closed.');
}

function cancelled(): HttpError {
  return new HttpError('query_cancelled', 'The query was cancelled.');
}
