import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { hopByHopFields } from './hop-by-hop.ts';
import { originOf, POSITION_HEADER, type Origin } from './origin.ts';
import { cookiePosition } from './position-cookie.ts';
import { joinSeen, tryParsePosition, type SeenPosition } from './position.ts';
import { ProxyError } from './proxy-error.ts';
import type { ProxySettings } from './proxy-options.ts';
import { fieldsOf, fieldValues, type RawHeaders } from './raw-headers.ts';
import { RequestBody } from './request-body.ts';
import { requestFraming, type Framing } from './request-framing.ts';
import { requestTarget } from './request-target.ts';
import { routeOf, type Route } from './route.ts';

/** A connection that wants to change its protocol. */
export interface Upgrade {
  readonly protocol: string;
  readonly socket: Socket;
  /** What the client has sent behind the request's head. */
  readonly head: Buffer;
}

/** What the listener hands over. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  readonly upgrade: Upgrade | undefined;
}

/** One request of a client, understood, and its answer to be. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upgrade: Upgrade | undefined;
  readonly expectsContinue: boolean;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly route: Route;
  readonly headers: RawHeaders;
  readonly framing: Framing;
  readonly body: RequestBody;
  readonly origin: Origin;
  readonly clientAddress: string;
  /** The newest position that the client says it has seen. */
  readonly seen: SeenPosition | undefined;
  /** What the client has seen is of a lost history, and no reason to wait. */
  isForgiven = false;
  /** The answer is a stream or a tunnel, which no time-out ends (X8). */
  isEndless = false;
  readonly #gone = new AbortController();

  /** @throws ProxyError when the request cannot be passed on as it is */
  constructor(arrival: Arrival, settings: ProxySettings, proxyId: string) {
    const { request, response } = arrival;
    const target = requestTarget(request.url ?? '/', request.rawHeaders);
    this.request = request;
    this.response = response;
    this.upgrade = arrival.upgrade;
    this.method = request.method ?? 'GET';
    if (this.method === 'TRACE') {
      throw new ProxyError('bad_method', 'TRACE is not passed on.');
    }
    this.path = target.path;
    this.headers = target.headers;
    this.route = routeOf(this.method, target.path, settings);
    this.framing = requestFraming(request.rawHeaders, request.httpVersion);
    this.expectsContinue = arrival.expectsContinue && this.framing.kind !== 'none';
    this.body = new RequestBody(request, settings.bodyBytesMax);
    this.origin = originOf(this.headers, proxyId, settings.forwardToken);
    this.clientAddress = (request.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
    this.seen = seenPosition(this.headers);
    response.on('error', () => this.abandon());
    response.once('close', () => {
      if (!response.writableFinished) this.abandon();
    });
    if (request.socket.destroyed) this.abandon();
  }

  /** Aborted when the client's connection ends before the answer does. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Ends all work for the request; the answer, if there is to be one, has been written. */
  abandon(): void {
    this.#gone.abort();
  }

  /** Resolves after `restMs`, or at once when the client is gone. */
  async rest(restMs: number): Promise<void> {
    try {
      await setTimeout(restMs, undefined, { signal: this.gone });
    } catch (error) {
      if (!this.gone.aborted) throw error;
    }
  }

  /** Passes an interim answer on, to clients that can understand it. */
  inform(status: number, headers: RawHeaders): void {
    if (this.response.headersSent || this.request.httpVersion !== '1.1') return;
    if (this.gone.aborted || this.upgrade !== undefined) return;
    const dropped = hopByHopFields(headers);
    const sent = [...fieldsOf(headers)].filter(
      ([lower]) =>
        !dropped.has(lower) && !lower.startsWith('tandem-') && lower !== 'content-length',
    );
    this.response.writeInformation(
      status,
      sent.flatMap(([, name, value]) => [name, value]),
    );
  }

  /** Ends the client's connection so that nobody takes what came of the answer for all of it. */
  cut(): void {
    this.request.socket.resetAndDestroy();
    this.response.destroy();
  }
}

/**
 * The header is for programs, which want to hear of a mistake; the cookie comes by itself, so that a
 * broken one is as good as none.
 */
function seenPosition(headers: RawHeaders): SeenPosition | undefined {
  const [text, another] = fieldValues(headers, POSITION_HEADER.toLowerCase());
  const cookie = cookiePosition(fieldValues(headers, 'cookie').join('; '));
  if (text === undefined) return cookie;
  const stated = another === undefined ? tryParsePosition(text.trim()) : undefined;
  if (stated === undefined) {
    throw new ProxyError('bad_position', `The header ${POSITION_HEADER} is not a position.`, {
      hint: 'Send it as it came, such as 2.00000000000000ff, or leave it out.',
    });
  }
  return cookie === undefined ? stated : joinSeen(cookie, stated);
}
