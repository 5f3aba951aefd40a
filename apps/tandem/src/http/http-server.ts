import { randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import type { Clock } from '@tandem/base';
import { AccessRule, type HttpAccess } from './access.ts';
import { AnswerCounts } from './answer-counts.ts';
import { changeRoutes } from './change-routes.ts';
import { EventFeed } from './event-feed.ts';
import { answerError, type Exchange } from './exchange.ts';
import { ExportRoute } from './export-route.ts';
import { HttpApiError, httpErrorOf } from './http-error.ts';
import { HTTP_LIMITS, type HttpLimits } from './http-limits.ts';
import { ImportRoute } from './import-route.ts';
import type { HttpCounts } from './metric-definition.ts';
import type { NodeApi } from './node-api.ts';
import { litefsIdOf } from './node-json.ts';
import { ProcessReader } from './process-facts.ts';
import { rawErrorAnswer, unreadableRequest } from './raw-answer.ts';
import { replacedRoutes } from './replaced-routes.ts';
import { RouteTable, type Route } from './route-table.ts';
import { stateRoutes } from './state-routes.ts';

/** Certificates of the server, as PEM. With `ca`, clients may present one that it has signed. */
export type HttpTls = Pick<SecureContextOptions, 'cert' | 'key' | 'ca' | 'passphrase'>;

/** An occasion to log. */
export type HttpLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  facts: Readonly<Record<string, string | number>>,
) => void;

export interface HttpServerOptions {
  readonly node: NodeApi;
  readonly access: HttpAccess;
  /** Whether /metrics needs no token. */
  readonly isMetricsOpen?: boolean;
  readonly tls?: HttpTls;
  /** Where uploads of imports gather. */
  readonly importFolder: string;
  /** Takes a connection over, as the stream of replication does; false: it is for somebody else. */
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Uint8Array) => boolean;
  readonly clock: Clock;
  readonly log?: HttpLog;
  readonly limits?: Partial<HttpLimits>;
}

/** Codes of failures that only say that the client has left. */
const CLIENT_GONE = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ABORT_ERR']);

/** The HTTP interface of a node, on one address. */
export class TandemHttpServer {
  readonly #options: HttpServerOptions;
  readonly #limits: HttpLimits;
  readonly #server: Server;
  readonly #access: AccessRule;
  readonly #table: RouteTable;
  readonly #feed: EventFeed;
  readonly #export: ExportRoute;
  readonly #import: ImportRoute;
  readonly #process = new ProcessReader();
  readonly #answers = new AnswerCounts();
  /** Ends what is still under way when the time for closing is over. */
  readonly #stopping = new AbortController();
  #isClosing = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#limits = { ...HTTP_LIMITS, ...options.limits };
    const { node, access, clock, importFolder } = options;
    const { eventReadersMax: readersMax, eventHeartbeatMs: heartbeatMs } = this.#limits;
    this.#access = new AccessRule(access);
    const journalName = randomBytes(4).toString('hex');
    this.#feed = new EventFeed({ ...this.#limits, node, journalName, readersMax, heartbeatMs });
    this.#export = new ExportRoute(node, this.#limits);
    const { importBytesMax: bytesMax, stallTimeoutMs } = this.#limits;
    this.#import = new ImportRoute(node, { folder: importFolder, bytesMax, stallTimeoutMs });
    const events: Route = {
      path: '/events',
      access: 'token',
      handlers: { GET: (exchange) => this.#feed.serve(exchange) },
    };
    const httpCounts = (): HttpCounts => this.counts;
    const processFacts = (): ReturnType<ProcessReader['read']> => this.#process.read();
    this.#table = new RouteTable([
      ...stateRoutes({ node, clock, httpCounts, processFacts }),
      events,
      ...changeRoutes(node, this.#limits),
      this.#export.route,
      this.#import.route,
      ...replacedRoutes(),
    ]);
    this.#server = this.#create();
  }

  get counts(): HttpCounts {
    return {
      answers: this.#answers.all(),
      eventStreams: this.#feed.readerCount,
      eventStreamsCut: this.#feed.cutCount,
      exportsRunning: this.#export.runningCount,
      importsRunning: this.#import.runningCount,
    };
  }

  /**
   * Begins to answer.
   *
   * @returns the address, with the port that the system chose for port 0
   * @throws HttpApiError `listen_failed`
   */
  async listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo> {
    this.#import.removeLeftovers();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ ...address }, resolve);
    await promise.catch((cause: unknown) => {
      throw listenFailure(address, cause);
    });
    this.#server.off('error', reject);
    this.#server.on('error', (error) => this.#options.log?.('error', error.message, {}));
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new TypeError('no TCP address');
    return bound;
  }

  /** Takes no more requests, ends readers of events with a line, and waits for what is under way. */
  async close(reason = 'This node stops.'): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#isClosing = true;
    this.#feed.close(reason);
    const timer = setTimeout(() => {
      this.#stopping.abort(new HttpApiError('stopping', reason));
      this.#server.closeAllConnections();
    }, this.#limits.closeTimeoutMs);
    await closed;
    clearTimeout(timer);
    this.#process.close();
  }

  #create(): Server {
    const { tls } = this.#options;
    const server =
      tls === undefined
        ? createServer(this.#serverOptions())
        : createTlsServer({
            ...this.#serverOptions(),
            ...tls,
            minVersion: 'TLSv1.2',
            // One without a good certificate may still bear a token.
            ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
          });
    server.maxConnections = this.#limits.connectionsMax;
    server.on('request', (request, response) => this.#answer(request, response, false));
    server.on('checkContinue', (request, response) => this.#answer(request, response, true));
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    server.on('clientError', (error, socket) => {
      if (!socket.writable) socket.destroy();
      else socket.end(rawErrorAnswer(unreadableRequest(error)), () => socket.destroy());
    });
    return server;
  }

  #serverOptions(): ServerOptions {
    const { headerBytesMax, headerTimeoutMs } = this.#limits;
    return {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headerTimeoutMs,
      // Imports take as long as they take; those who send nothing are found by the stall time-out.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.max(10, Math.min(1000, headerTimeoutMs)),
      noDelay: true,
      keepAlive: true,
      // Clients offer HTTP/2 with any request, and go on with HTTP/1.1 when that is ignored.
      shouldUpgradeCallback: ({ headers }) => !/^h2/i.test(headers.upgrade ?? ''),
    };
  }

  #answer(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { path, query } = addressOf(request);
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client is gone'));
    });
    const signal = AbortSignal.any([gone.signal, this.#stopping.signal]);
    const exchange = { request, response, path, query, signal, expectsContinue };
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    void this.#handle(exchange);
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { request, response, path } = exchange;
    let route = 'none';
    response.once('finish', () => this.#answers.add(route, response.statusCode));
    try {
      if (this.#isClosing) throw new HttpApiError('stopping', 'This node is about to stop.');
      const match = this.#table.match(request.method ?? '', path);
      route = path;
      this.#admit(match.route, exchange);
      await match.handler(exchange);
    } catch (failure) {
      const error = httpErrorOf(failure);
      if (error.status === 500 && !CLIENT_GONE.has(error.causeCode ?? '')) {
        const facts = { path, code: error.causeCode ?? error.code };
        this.#options.log?.('error', error.message, facts);
      }
      answerError(exchange, error);
    }
  }

  #admit({ access }: Route, { request, response }: Exchange): void {
    const isOpen =
      access === 'open' || (access === 'metrics' && this.#options.isMetricsOpen === true);
    if (isOpen) return;
    const { socket, headers } = request;
    this.#access.admit({
      headers,
      remoteAddress: socket.remoteAddress ?? '',
      hasVerifiedCertificate: socket instanceof TLSSocket && hasVerifiedCertificate(socket),
    });
    const { identity, clusterId } = this.#options.node.status();
    response.setHeader('litefs-id', litefsIdOf(identity));
    if (clusterId !== undefined) response.setHeader('litefs-cluster-id', clusterId);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    socket.on('error', () => socket.destroy());
    if (!this.#isClosing && this.#options.onUpgrade(request, socket, head)) return;
    const error = new HttpApiError('not_found', 'Nothing at this path takes an upgrade.', {
      hint: 'Replicas connect to /tandem/stream.',
    });
    socket.end(rawErrorAnswer(error), () => socket.destroy());
  }
}

function addressOf({ url = '/' }: IncomingMessage): { path: string; query: URLSearchParams } {
  // Some clients send the whole URL, as to a proxy.
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '');
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  return {
    path: path === '' ? '/' : path,
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
  };
}

function listenFailure(
  { host, port }: { readonly host: string; readonly port: number },
  cause: unknown,
): HttpApiError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const hint =
    code === 'EADDRINUSE'
      ? 'Another program, perhaps another node, has this port: stop it or set another http address.'
      : code === 'EACCES'
        ? 'Ports below 1024 need privileges: set a higher one.'
        : 'Set an http address that this machine has.';
  const message = `The HTTP interface cannot listen on ${host} port ${port} (${code}).`;
  return new HttpApiError('listen_failed', message, { cause, causeCode: code, hint });
}

function hasVerifiedCertificate(socket: TLSSocket): boolean {
  return socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
}
