import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { assert, type Clock } from '@tandem/base';
import { ERROR_CODES, HttpError } from '@loggia/contract';
import { AnswerTexts } from './answer-text.ts';
import type { Connections } from './connections.ts';
import { EventConnection, type EventCarrier } from './event-connection.ts';
import {
  ACCEPTED,
  EVENT_BODY_BYTES_MAX,
  EVENT_PATH,
  type EventAnswer,
  type EventEndpoint,
} from './event-endpoint.ts';
import type { Metrics } from './metrics.ts';

/** What the server works with. */
export interface EventServerParts {
  readonly endpoint: EventEndpoint;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Learns of every connection. */
  readonly connections: Connections;
}

type EventServerOptions = ServerOptions & {
  readonly headersTimeout: number;
  readonly keepAliveTimeout: number;
};

/**
 * A server that answers events itself and gives every other request to `otherwise`.
 *
 * Nearly all requests of a busy day are `POST /api/event`. A connection begins as an
 * `EventConnection`, which knows only the plainest form of that request, and becomes one of Node's
 * server when it carries anything else; there, an event still goes past the framework. Decision 0009
 * has the figures.
 */
export function createEventServer(
  parts: EventServerParts,
  otherwise: RequestListener,
  options: EventServerOptions,
): Server {
  const { endpoint, metrics, clock, connections } = parts;
  const server = createServer(options, (request, response) => {
    if (request.method === 'POST' && request.url === EVENT_PATH) {
      answerEvent(request, response, endpoint, metrics);
    } else {
      otherwise(request, response);
    }
  });
  const { headersTimeout, keepAliveTimeout } = options;
  const carrier: EventCarrier = {
    endpoint,
    metrics,
    clock,
    texts: new AnswerTexts({ frequent: ACCEPTED, keepAliveTimeoutMs: keepAliveTimeout }),
    firstTimeoutMs: headersTimeout,
    keepAliveTimeoutMs: keepAliveTimeout,
    giveToNode: takeConnections(server),
  };
  connections.watch(server);
  server.on('connection', (socket: Socket) => {
    connections.add(socket, new EventConnection(socket, carrier));
  });
  return server;
}

/**
 * Node's own way of taking a connection on, which is its listener for them. The event cannot be
 * emitted again instead, as Node documents for connections from elsewhere: everybody would hear it.
 */
function takeConnections(server: Server): (socket: Socket) => void {
  const listeners = server.listeners('connection');
  const [listener] = listeners;
  assert(listener !== undefined && listeners.length === 1, "Node's server listens by itself");
  server.removeAllListeners('connection');
  return (socket) => {
    Reflect.apply(listener, server, [socket]);
  };
}

function answerEvent(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: EventEndpoint,
  metrics: Metrics,
): void {
  const send = (answer: EventAnswer): void => {
    metrics.answered(EVENT_PATH, answer.status);
    const byteCount = Buffer.byteLength(answer.body);
    response.writeHead(answer.status, { ...answer.headers, 'content-length': byteCount });
    // Plain text goes out in one write with the head, without a conversion.
    if (answer === ACCEPTED) response.end(answer.body, 'latin1');
    else response.end(answer.body);
  };
  /** The rest of the body is not read, so the connection cannot be used again. */
  const refuseSize = (): void => {
    request.removeAllListeners('data').removeAllListeners('end').resume();
    response.shouldKeepAlive = false;
    send(endpoint.refuse(new HttpError('body_too_large', ERROR_CODES.body_too_large.meaning)));
  };
  if (Number(request.headers['content-length'] ?? 0) > EVENT_BODY_BYTES_MAX) {
    refuseSize();
    return;
  }
  const chunks: Buffer[] = [];
  let byteCount = 0;
  request.on('data', (chunk: Buffer) => {
    byteCount += chunk.length;
    if (byteCount > EVENT_BODY_BYTES_MAX) refuseSize();
    else chunks.push(chunk);
  });
  request.on('end', () => {
    const [only] = chunks;
    const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
    endpoint.answer(request, body.toString(), send);
  });
}
