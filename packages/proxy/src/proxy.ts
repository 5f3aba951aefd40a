import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';
import { AssertionError } from '@tandem/base';
import { ConnectionQueue } from './connection-queue.ts';
import { Counters, type ProxyMetrics } from './counters.ts';
import { answerError } from './error-answer.ts';
import { Exchange, type Arrival } from './exchange.ts';
import { healthOf } from './health.ts';
import { createListener, type BrokenAnswer } from './listener.ts';
import { LocalTarget } from './local-target.ts';
import type { ProxyParts } from './parts.ts';
import { PrimaryPeer } from './primary-peer.ts';
import { ProxyError, type ProxyErrorCode } from './proxy-error.ts';
import { resolveSettings, type ProxyLogEntry, type ProxyOptions } from './proxy-options.ts';
import { Reads } from './reads.ts';
import { Tunnels } from './tunnels.ts';
import { UpstreamPool } from './upstream-pool.ts';
import { UpstreamClient } from './upstream.ts';
import { WriteGate } from './write-gate.ts';
import { Writes } from './writes.ts';

/** Where a proxy listens. */
export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
}

/** Failures after which another proxy may send the request elsewhere: nothing came of it. */
const REFUSALS: ReadonlySet<ProxyErrorCode> = new Set([
  'no_primary',
  'not_primary',
  'primary_unreachable',
  'body_not_held',
]);

/**
 * An HTTP proxy in front of the application of one node. Reads are answered here once the node has
 * what the client has seen; writes are answered by the primary, wherever it is.
 */
export class Proxy {
  readonly #parts: ProxyParts;
  readonly #listen: ProxyAddress;
  readonly #log: (entry: ProxyLogEntry) => void;
  readonly #id = randomBytes(8).toString('hex');
  readonly #server: Server;
  readonly #queue = new ConnectionQueue();
  readonly #target: LocalTarget;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #running = new Map<Exchange, Socket>();
  /** Connections on which a request was refused that others might frame differently: nothing after it counts. */
  readonly #refused = new WeakSet<Socket>();
  #closed: Promise<void> | undefined;

  /** @throws ProxyError bad_option */
  constructor(options: ProxyOptions) {
    const settings = resolveSettings(options);
    const counters = new Counters();
    this.#listen = options.listen;
    this.#log = options.log ?? (() => {});
    this.#parts = {
      settings,
      state: options.state,
      counters,
      gate: new WriteGate(),
      client: new UpstreamClient(settings, this.#id),
      tunnels: new Tunnels(counters),
      targetPool: new UpstreamPool(settings),
      peerPool: new UpstreamPool(settings),
      isClosing: () => this.#closed !== undefined,
    };
    const peer = new PrimaryPeer(this.#parts);
    this.#target = new LocalTarget(this.#parts);
    this.#reads = new Reads(this.#parts, this.#target, peer);
    this.#writes = new Writes(this.#parts, this.#target, peer);
    this.#server = createListener(settings, {
      onArrival: (arrival) => void this.#queueUp(arrival),
      running: (socket) => this.#queue.length(socket),
      onBroken: (socket) => this.#onBroken(socket),
      onBadRequest: () => counters.add('badRequests'),
      onDropped: () => counters.add('connectionsDropped'),
    });
  }

  /**
   * Begins to listen; resolves with the address, in which the port is the real one.
   *
   * @throws ProxyError listen_failed
   */
  async listen(): Promise<ProxyAddress> {
    const listening = Promise.withResolvers<void>();
    const { host, port } = this.#listen;
    this.#server.once('error', listening.reject);
    this.#server.listen(port, host, listening.resolve);
    try {
      await listening.promise;
    } catch (cause) {
      throw new ProxyError('listen_failed', `The proxy cannot listen on ${host}:${port}.`, {
        cause,
        hint: 'Free the port or choose another one; ports below 1024 need a privilege.',
      });
    }
    this.#server.off('error', listening.reject);
    const address = this.#server.address();
    return typeof address === 'object' && address !== null
      ? { host: address.address, port: address.port }
      : { host, port };
  }

  /**
   * Ends in two steps: for `closeLingerMs` everything goes on, but health fails and each connection
   * ends with its next answer; then no connection is taken, streams and tunnels end, and what is
   * under way has `closeTimeoutMs` to finish.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Holds new writes for this node's application back, for a hand-off. */
  pause(): void {
    this.#parts.gate.pause();
  }

  /**
   * Lets writes go on, here or, if this node is not primary any more, to the one that is. Tunnels
   * that could write here are then ended, so that their clients come again.
   */
  resume(): void {
    if (this.#parts.state.role() !== 'primary') this.#parts.tunnels.closeLocalWrites();
    this.#parts.gate.resume();
  }

  /**
   * Resolves when the application has answered every write that it was given, or after `timeoutMs`,
   * with the number of those that it has not.
   */
  async drain(timeoutMs: number = Number.POSITIVE_INFINITY): Promise<number> {
    return await this.#parts.gate.drain(timeoutMs);
  }

  metrics(): ProxyMetrics {
    const { counters, gate, tunnels } = this.#parts;
    return {
      ...counters.all(),
      writesRunning: gate.running,
      requestsRunning: this.#running.size,
      tunnelsOpen: tunnels.size,
      isPaused: gate.isPaused,
    };
  }

  async #close(): Promise<void> {
    // `isClosing` must be true before anything else happens.
    await Promise.resolve();
    const { settings, tunnels, targetPool, peerPool } = this.#parts;
    if (settings.closeLingerMs > 0) await rest(settings.closeLingerMs);
    const stopped = Promise.withResolvers<void>();
    this.#server.close(() => stopped.resolve());
    tunnels.closeAll();
    for (const exchange of this.#running.keys()) if (exchange.isEndless) exchange.cut();
    const timer = setTimeout(() => {
      for (const exchange of this.#running.keys()) exchange.cut();
      this.#server.closeAllConnections();
    }, settings.closeTimeoutMs);
    await stopped.promise;
    clearTimeout(timer);
    targetPool.close();
    peerPool.close();
  }

  async #queueUp(arrival: Arrival): Promise<void> {
    const { socket } = arrival.request;
    const { counters, settings } = this.#parts;
    counters.add('requests');
    if (this.#refused.has(socket)) return;
    if (this.#queue.length(socket) >= settings.pipelinedMax) {
      counters.add('badRequests');
      socket.destroy();
      return;
    }
    await this.#queue.run(socket, () => this.#run(arrival));
  }

  async #run(arrival: Arrival): Promise<void> {
    const { request, response } = arrival;
    let exchange: Exchange;
    try {
      exchange = new Exchange(arrival, this.#parts.settings, this.#id);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      this.#parts.counters.add('badRequests');
      this.#refused.add(request.socket);
      answerError(request, response, error, { isRefusal: false, isLast: true });
      return;
    }
    this.#running.set(exchange, request.socket);
    const timer = this.#limit(exchange);
    try {
      await this.#dispatch(exchange);
    } catch (error) {
      this.#fail(exchange, error);
    } finally {
      clearTimeout(timer);
      this.#running.delete(exchange);
      if (exchange.gone.aborted && !response.headersSent) this.#parts.counters.add('clientsGone');
    }
  }

  async #dispatch(exchange: Exchange): Promise<void> {
    const { counters } = this.#parts;
    switch (exchange.route) {
      case 'health':
        counters.add('healthChecks');
        return this.#answerHealth(exchange);
      case 'passthrough':
        counters.add('passthroughs');
        return await this.#target.answer(exchange, 'passthrough');
      case 'read':
        return await this.#reads.answer(exchange);
      case 'write':
        return await this.#writes.answer(exchange);
    }
  }

  #answerHealth({ request, response }: Exchange): void {
    const { state, settings, isClosing } = this.#parts;
    const health = isClosing()
      ? { isHealthy: false, text: 'closing: the node is being shut down' }
      : healthOf(state, settings.maxLagMs);
    const text = `${health.text}\n`;
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
    response.writeHead(health.isHealthy ? 200 : 503, {
      ...headers,
      'Content-Length': Buffer.byteLength(text),
      ...(health.isHealthy ? {} : { 'Retry-After': '1' }),
      ...(isClosing() ? { Connection: 'close' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  #limit(exchange: Exchange): NodeJS.Timeout | undefined {
    const { writeTimeoutMs } = this.#parts.settings;
    if (writeTimeoutMs === 0) return undefined;
    return setTimeout(() => {
      if (exchange.isEndless || exchange.gone.aborted) return;
      this.#fail(
        exchange,
        new ProxyError('answer_timeout', `There was no answer within ${writeTimeoutMs} ms.`),
      );
      exchange.abandon();
    }, writeTimeoutMs);
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { counters, isClosing } = this.#parts;
    const { request, response, method, path, origin, expectsContinue } = exchange;
    if (error instanceof AssertionError) throw error;
    if (exchange.gone.aborted) return;
    const known = error instanceof ProxyError ? error : undefined;
    const code = known?.code ?? 'unexpected';
    const message = error instanceof Error ? error.message : String(error);
    const level = known === undefined ? 'error' : 'warn';
    this.#log({ level, message, fields: { code, method, path } });
    if (code === 'no_primary') counters.add('writesWithoutPrimary');
    if (known === undefined || response.headersSent) {
      exchange.cut();
      return;
    }
    const isRefusal = origin.isPeer && REFUSALS.has(known.code);
    const isLast = isClosing() || (expectsContinue && !request.complete);
    answerError(request, response, known, { isRefusal, isLast });
  }

  /** The rest of the connection makes no sense: nobody may take what came for a whole request. */
  #onBroken(socket: Socket): BrokenAnswer {
    if (this.#refused.has(socket)) return 'said';
    const running = [...this.#running].flatMap(([exchange, own]) =>
      own === socket ? [exchange] : [],
    );
    const [first] = running;
    const owesAnswer = this.#queue.length(socket) > 1 || first?.request.complete === true;
    const hasBegun = first?.response.headersSent === true;
    for (const exchange of running) exchange.abandon();
    return owesAnswer || hasBegun ? 'begun' : 'open';
  }
}
