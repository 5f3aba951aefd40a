import {
  createServer,
  ServerResponse,
  type IncomingMessage,
  type Server,
  type ServerOptions,
} from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { rawErrorAnswer } from './error-answer.ts';
import type { Arrival } from './exchange.ts';
import { ProxyError } from './proxy-error.ts';
import type { ProxySettings } from './proxy-options.ts';

/** What the listener reports. */
export interface Arrivals {
  readonly onArrival: (arrival: Arrival) => void;
  /** Requests of the connection that are under way. */
  readonly running: (socket: Socket) => number;
  /** Gives up what is under way on a connection that turned out to be unreadable. */
  readonly onBroken: (socket: Socket) => BrokenAnswer;
  readonly onBadRequest: () => void;
  readonly onDropped: () => void;
}

/**
 * `open`: no answer has begun and none is owed to an earlier request, so that an error can be said;
 * `said`: one is on its way.
 */
export type BrokenAnswer = 'open' | 'begun' | 'said';

/** The server that clients come to, with its limits. */
export function createListener(settings: ProxySettings, arrivals: Arrivals): Server {
  const server = createServer(serverOptions(settings));
  server.maxConnections = settings.connectionsMax;
  const arrive = (
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): void => arrivals.onArrival({ request, response, expectsContinue, upgrade: undefined });
  server.on('request', (request, response) => arrive(request, response, false));
  server.on('checkContinue', (request, response) => arrive(request, response, true));
  server.on('upgrade', (request, socket, head) => onUpgrade(arrivals, request, { socket, head }));
  server.on('connect', (_request, socket: Duplex) => {
    arrivals.onBadRequest();
    if (socket instanceof Socket) {
      endWith(socket, new ProxyError('bad_method', 'CONNECT is not passed on.'));
    }
  });
  server.on('clientError', (error, socket) => onClientError(arrivals, error, socket));
  server.on('drop', () => arrivals.onDropped());
  return server;
}

function serverOptions(settings: ProxySettings): ServerOptions {
  const { readTimeoutMs, headerTimeoutMs } = settings;
  // Node wants the head's time-out to be within the whole request's.
  const headersTimeout =
    readTimeoutMs > 0 ? Math.min(headerTimeoutMs, readTimeoutMs) : headerTimeoutMs;
  const shortestMs = Math.min(headersTimeout || Infinity, readTimeoutMs || Infinity);
  return {
    headersTimeout,
    requestTimeout: readTimeoutMs,
    keepAliveTimeout: settings.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.max(10, Math.ceil(shortestMs / 4))),
    maxHeaderSize: settings.headerBytesMax,
    insecureHTTPParser: false,
    // Said by `requestFraming`, with a reason.
    requireHostHeader: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    shouldUpgradeCallback: isUpgrade,
  };
}

/**
 * Requests to change the protocol. HTTP/2 in clear text is not one: clients offer it with any
 * request, and go on with HTTP/1.1 when the offer is ignored.
 */
function isUpgrade({ method, headers }: IncomingMessage): boolean {
  const hasBody =
    headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  const isHttp2 = headers.upgrade?.toLowerCase().startsWith('h2') === true;
  return method === 'GET' && !hasBody && !isHttp2;
}

function onUpgrade(
  arrivals: Arrivals,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): void {
  socket.on('error', () => {});
  if (!(socket instanceof Socket) || arrivals.running(socket) > 0) {
    // An earlier request's answer would be read as the new protocol.
    socket.destroy();
    return;
  }
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    socket.destroySoon();
  });
  const protocol = request.headers.upgrade ?? '';
  arrivals.onArrival({
    request,
    response,
    expectsContinue: false,
    upgrade: { protocol, socket, head },
  });
}

function onClientError(arrivals: Arrivals, error: Error, socket: Duplex): void {
  const code = 'code' in error ? String(error.code) : '';
  if (!(socket instanceof Socket) || !socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  arrivals.onBadRequest();
  const answer = arrivals.onBroken(socket);
  if (answer === 'begun') socket.destroy();
  if (answer === 'open') endWith(socket, parseFailure(code, error));
}

function parseFailure(code: string, cause: Error): ProxyError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ProxyError('header_too_large', 'The head of the request is too large.', {
      cause,
      hint: 'Send fewer or shorter cookies and headers.',
    });
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ProxyError('header_timeout', 'The request did not arrive in time.', { cause });
  }
  if (code === 'HPE_INVALID_CONTENT_LENGTH' || code === 'HPE_UNEXPECTED_CONTENT_LENGTH') {
    return new ProxyError('bad_framing', 'The Content-Length is not one whole number.', { cause });
  }
  if (code === 'HPE_INVALID_TRANSFER_ENCODING' || code === 'HPE_INVALID_CHUNK_SIZE') {
    return new ProxyError('bad_framing', 'The chunks of the request cannot be told apart.', {
      cause,
    });
  }
  return new ProxyError('bad_request', `The request is not valid HTTP (${code}).`, { cause });
}

function endWith(socket: Socket, error: ProxyError): void {
  socket.on('error', () => {});
  socket.write(rawErrorAnswer(error));
  socket.destroySoon();
}
