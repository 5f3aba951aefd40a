import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { ERROR_CODES, HttpError } from '@loggia/contract';
import {
  ACCEPTED,
  EVENT_BODY_BYTES_MAX,
  EVENT_PATH,
  type EventAnswer,
  type EventEndpoint,
} from './event-endpoint.ts';
import type { Metrics } from './metrics.ts';

/**
 * A server that answers events itself and gives every other request to `otherwise`.
 *
 * Nearly all requests of a busy day are `POST /api/event`, and without the framework's routing, hooks
 * and reply a seventh to a third more of them are answered; decision 0009 has the figures.
 */
export function createEventServer(
  parts: { readonly endpoint: EventEndpoint; readonly metrics: Metrics },
  otherwise: RequestListener,
  options: ServerOptions,
): Server {
  return createServer(options, (request, response) => {
    if (request.method === 'POST' && request.url === EVENT_PATH) {
      answerEvent(request, response, parts.endpoint, parts.metrics);
    } else {
      otherwise(request, response);
    }
  });
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
    void endpoint.answer(request, body.toString()).then(send);
  });
}
