import { LEASE_ERROR_CODES, LeaseError, type LeaseErrorCode } from './lease-error.ts';

/** Where messages go and come from: either end of a thread. */
export interface LinkPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: LinkMessage) => void): unknown;
}

/** What passes between the threads. */
export type LinkMessage =
  | { readonly kind: 'ask'; readonly id: number; readonly name: string; readonly value: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: LinkFailure }
  | { readonly kind: 'tell'; readonly name: string; readonly value: unknown };

/** An error as plain data: cloning would lose its class and code. */
export interface LinkFailure {
  readonly message: string;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly retryable: boolean;
}

/** By name, what answers the other end. What `tell` brings is not answered. */
export type LinkHandlers = Readonly<Record<string, (value: never) => unknown>>;

/** Questions and answers between two threads, in both directions. */
export class ThreadLink {
  readonly #port: LinkPort;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  constructor(port: LinkPort, handlers: LinkHandlers) {
    this.#port = port;
    port.on('message', (message) => {
      void this.#receive(message, handlers);
    });
  }

  /** Asks the other end. @throws what its handler throws. */
  ask(name: string, value?: unknown): Promise<unknown> {
    this.#lastId += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#lastId, waiting);
    this.#port.postMessage({ kind: 'ask', id: this.#lastId, name, value });
    return waiting.promise;
  }

  /** Tells the other end, and does not wait. */
  tell(name: string, value: unknown): void {
    this.#port.postMessage({ kind: 'tell', name, value });
  }

  /** The other end is gone: whoever waits for it fails. */
  fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  async #receive(message: LinkMessage, handlers: LinkHandlers): Promise<void> {
    if (message.kind === 'tell') {
      handlers[message.name]?.(message.value as never);
      return;
    }
    if (message.kind === 'ask') {
      this.#port.postMessage(await answerTo(message, handlers));
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'answer') waiting?.resolve(message.value);
    else waiting?.reject(decodeFailure(message.failure));
  }
}

async function answerTo(
  message: Extract<LinkMessage, { kind: 'ask' }>,
  handlers: LinkHandlers,
): Promise<LinkMessage> {
  const { id, name } = message;
  try {
    const value = await handlers[name]?.(message.value as never);
    return { kind: 'answer', id, value };
  } catch (error) {
    return { kind: 'failure', id, failure: encodeFailure(error) };
  }
}

/** The error as plain data. */
export function encodeFailure(error: unknown): LinkFailure {
  if (error instanceof LeaseError) {
    const { message, code, hint, retryable } = error;
    return { message, code, hint, retryable };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: undefined, hint: undefined, retryable: false };
}

/** The error again, as a LeaseError when it was one. */
export function decodeFailure(failure: LinkFailure): Error {
  const { message, code, hint, retryable } = failure;
  if (!isLeaseErrorCode(code)) return new Error(message);
  return new LeaseError(code, message, { retryable, ...(hint === undefined ? {} : { hint }) });
}

function isLeaseErrorCode(code: string | undefined): code is LeaseErrorCode {
  return code !== undefined && Object.hasOwn(LEASE_ERROR_CODES, code);
}
