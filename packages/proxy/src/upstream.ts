import { request as requestHttp, type ClientRequest } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Attempt, type Outcome } from './attempt.ts';
import { viaName } from './origin.ts';
import type { Exchange } from './exchange.ts';
import { ProxyError } from './proxy-error.ts';
import type { ProxySettings } from './proxy-options.ts';
import { upstreamHeaders } from './upstream-headers.ts';
import type { UpstreamPool } from './upstream-pool.ts';

/** A server that requests are passed on to. */
export interface Upstream {
  readonly url: URL;
  /** Another node's proxy, or the application of this one. */
  readonly isPeer: boolean;
  readonly pool: UpstreamPool;
}

const REPEATABLE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const ANSWER_HEADER_BYTES_MAX = 65_536;

/** Passes requests on, each at most twice. */
export class UpstreamClient {
  readonly #settings: ProxySettings;
  readonly #proxyId: string;

  constructor(settings: ProxySettings, proxyId: string) {
    this.#settings = settings;
    this.#proxyId = proxyId;
  }

  /**
   * Sends the request and resolves when the head of an answer is there or will not come.
   *
   * An idle connection that the server closes just when it is used again is no failure of the
   * server; a request that may be repeated (RFC 9110 §9.2.2), and no other, is then sent on a new
   * one (X2). For any other, connections that are known to be closed are weeded out before.
   */
  async send(exchange: Exchange, upstream: Upstream): Promise<Outcome> {
    const isRepeatable = REPEATABLE_METHODS.has(exchange.method);
    if (!isRepeatable) await upstream.pool.refreshed(upstream.url);
    const outcome = await this.#sendOnce(exchange, upstream, true);
    const isStale = outcome.kind === 'lost' && outcome.isReused;
    const mayRepeat = isRepeatable && exchange.body.isReplayable;
    return isStale && mayRepeat ? await this.#sendOnce(exchange, upstream, false) : outcome;
  }

  #sendOnce(exchange: Exchange, upstream: Upstream, mayReuse: boolean): Promise<Outcome> {
    const asksFirst = exchange.expectsContinue || this.#isUnsafeToResend(exchange, upstream);
    const request = this.#open(exchange, upstream, { mayReuse, asksFirst });
    return new Attempt(exchange, request, {
      connectTimeoutMs: this.#settings.connectTimeoutMs,
      continueTimeoutMs: this.#settings.continueTimeoutMs,
      silenceTimeoutMs: upstream.isPeer ? this.#settings.primaryAnswerTimeoutMs : 0,
      asksFirst,
    }).outcome;
  }

  /** A body that cannot be kept is offered first: another proxy refuses before it has come. */
  #isUnsafeToResend({ framing }: Exchange, upstream: Upstream): boolean {
    if (!upstream.isPeer || framing.kind === 'none') return false;
    return framing.kind === 'chunked' || framing.bytes > this.#settings.bodyBytesMax;
  }

  #open(
    exchange: Exchange,
    { url, isPeer, pool }: Upstream,
    { mayReuse, asksFirst }: { readonly mayReuse: boolean; readonly asksFirst: boolean },
  ): ClientRequest {
    const open = url.protocol === 'https:' ? requestHttps : requestHttp;
    const usesPool = mayReuse && exchange.upgrade === undefined;
    try {
      return open({
        protocol: url.protocol,
        host: url.hostname.replace(/^\[(?<address>.*)\]$/, '$<address>'),
        port: url.port === '' ? undefined : Number(url.port),
        method: exchange.method,
        path: exchange.path,
        agent: usesPool ? pool.agentFor(url) : false,
        setHost: false,
        insecureHTTPParser: false,
        maxHeaderSize: ANSWER_HEADER_BYTES_MAX,
        headers: upstreamHeaders({
          headers: exchange.headers,
          method: exchange.method,
          httpVersion: exchange.request.httpVersion,
          framing: exchange.framing,
          origin: exchange.origin,
          clientAddress: exchange.clientAddress,
          fallbackHost: url.host,
          viaName: viaName(this.#proxyId),
          upgrade: exchange.upgrade?.protocol,
          expectsContinue: asksFirst,
          forwardToken: isPeer ? this.#settings.forwardToken : undefined,
        }),
      });
    } catch (cause) {
      throw new ProxyError('bad_request', 'The request cannot be passed on.', { cause });
    }
  }
}
