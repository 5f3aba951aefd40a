import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

/** What came of passing a request on once. */
export type Outcome =
  | { readonly kind: 'answered'; readonly answer: IncomingMessage }
  | {
      readonly kind: 'upgraded';
      readonly answer: IncomingMessage;
      readonly socket: Socket;
      readonly head: Buffer;
    }
  /** Nothing of the request has left: it may be sent again, here or elsewhere. */
  | { readonly kind: 'unsent'; readonly cause: Error }
  /** The connection broke after that: the server may have carried the request out. */
  | { readonly kind: 'lost'; readonly cause: Error; readonly isReused: boolean }
  /** Nothing was heard of the server for too long; it may carry the request out. */
  | { readonly kind: 'silent'; readonly cause: Error }
  /** The client went away. */
  | { readonly kind: 'gone' };

export interface AttemptLimits {
  readonly connectTimeoutMs: number;
  readonly continueTimeoutMs: number;
  /** 0 is no limit. */
  readonly silenceTimeoutMs: number;
  readonly asksFirst: boolean;
}

/**
 * One request on its way to one server. The body is read only once a connection stands, so that
 * `unsent` leaves it whole.
 */
export class Attempt {
  readonly #exchange: Exchange;
  readonly #request: ClientRequest;
  readonly #limits: AttemptLimits;
  readonly #outcome = Promise.withResolvers<Outcome>();
  #isConnected = false;
  #isSilent = false;
  #hasSent = false;
  #isSettled = false;
  #stopBody: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(exchange: Exchange, request: ClientRequest, limits: AttemptLimits) {
    this.#exchange = exchange;
    this.#request = request;
    this.#limits = limits;
    this.#timer = setTimeout(() => {
      request.destroy(new Error(`no connection within ${limits.connectTimeoutMs} ms`));
    }, limits.connectTimeoutMs);
    exchange.gone.addEventListener('abort', this.#abandon, { once: true });
    request.once('socket', (socket: Socket) => {
      const event = 'encrypted' in socket ? 'secureConnect' : 'connect';
      if (socket.connecting) socket.once(event, () => this.#begin());
      else this.#begin();
    });
    request.once('response', (answer) => this.#settle({ kind: 'answered', answer }));
    request.once('upgrade', (answer, socket, head) => this.#upgrade(answer, socket, head));
    request.on('information', ({ statusCode, rawHeaders }) => {
      if (statusCode !== 100) exchange.inform(statusCode, rawHeaders);
    });
    // Stays on after the answer has begun: the server may stop reading a body it does not want.
    request.on('error', (cause) => this.#fail(cause));
    request.once('close', () => {
      this.#stopBody?.();
      if (!this.#isSettled) this.#fail(new Error('the connection was closed'));
    });
    if (exchange.gone.aborted) this.#abandon();
  }

  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  #begin(): void {
    clearTimeout(this.#timer);
    if (this.#request.destroyed) return;
    this.#isConnected = true;
    const { silenceTimeoutMs, continueTimeoutMs, asksFirst } = this.#limits;
    if (silenceTimeoutMs > 0) {
      this.#request.setTimeout(silenceTimeoutMs, () => {
        this.#isSilent = true;
        this.#request.destroy(new Error(`no answer within ${silenceTimeoutMs} ms`));
      });
    }
    if (!asksFirst) return this.#sendBody();
    this.#request.flushHeaders();
    this.#request.once('continue', () => this.#sendBody());
    // RFC 9110 §10.1.1: a server need not know the expectation, so that nobody waits for ever.
    this.#timer = setTimeout(() => this.#sendBody(), continueTimeoutMs);
  }

  #sendBody(): void {
    clearTimeout(this.#timer);
    const { expectsContinue, response, body, framing } = this.#exchange;
    if (this.#request.destroyed || this.#hasSent) return;
    this.#hasSent = true;
    if (framing.kind === 'none') return void this.#request.end();
    if (expectsContinue && !response.headersSent) response.writeContinue();
    this.#stopBody = body.sendTo(this.#request);
  }

  #upgrade(answer: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.#exchange.upgrade !== undefined) {
      return this.#settle({ kind: 'upgraded', answer, socket, head });
    }
    socket.destroy();
    this.#fail(new Error('the server changed the protocol unasked'));
  }

  #fail(cause: Error): void {
    this.#stopBody?.();
    if (this.#exchange.gone.aborted) return this.#settle({ kind: 'gone' });
    if (!this.#isConnected) return this.#settle({ kind: 'unsent', cause });
    if (this.#isSilent) return this.#settle({ kind: 'silent', cause });
    this.#settle({ kind: 'lost', cause, isReused: this.#request.reusedSocket });
  }

  readonly #abandon = (): void => {
    this.#request.destroy();
    this.#settle({ kind: 'gone' });
  };

  #settle(outcome: Outcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    if (outcome.kind === 'answered') this.#request.setTimeout(0);
    else this.#stopBody?.();
    this.#exchange.gone.removeEventListener('abort', this.#abandon);
    this.#outcome.resolve(outcome);
  }
}
