import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as HttpAgent,
  request,
} from 'node:http';
import { Agent as HttpsAgent, request as requestTls } from 'node:https';
import { StorageError } from './storage-error.ts';

const SOCKETS_MAX = 8;

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Breaks with an error when the connection is cut or stands still before the stated length. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ExchangeLimits {
  /** How long nothing may move on the connection, in either direction. */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** A connection on which nothing moved for too long. */
export class IdleConnection extends Error {
  override readonly name = 'IdleConnection';
}

/**
 * HTTP requests over kept connections. `node:http` and not `fetch`: it has a time-out for a
 * connection that stands still, in the middle of an upload too, where `fetch` only has one for the
 * whole, which a large part over a slow line would need to be hours.
 */
export class HttpExchange {
  readonly #plain = new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  readonly #tls = new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX });

  /** The answer as soon as its headers are there; errors are those of `node:net` and `node:tls`. */
  async send(sent: HttpRequest, limits: ExchangeLimits): Promise<HttpAnswer> {
    const url = new URL(sent.url);
    const isTls = url.protocol === 'https:';
    const { idleTimeoutMs, signal } = limits;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    let incoming: IncomingMessage | undefined;
    const outgoing = (isTls ? requestTls : request)(url, {
      method: sent.method,
      headers: { ...sent.headers },
      agent: isTls ? this.#tls : this.#plain,
      signal,
    });
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.setTimeout(idleTimeoutMs, () => {
      const idle = new IdleConnection(`nothing moved for ${idleTimeoutMs} ms`);
      (incoming ?? outgoing).destroy(idle);
    });
    outgoing.end(sent.body);
    incoming = await promise;
    // Whoever reads the body gets the error from reading; without a reader it has no one to reach.
    incoming.on('error', () => undefined);
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming };
  }
}

/**
 * Reads a body to its end.
 *
 * @throws StorageError `storage_response_invalid` when it has more than `bytesMax` bytes.
 */
export async function readBody(answer: HttpAnswer, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let countBytes = 0;
  for await (const chunk of answer.body) {
    countBytes += chunk.length;
    if (countBytes > bytesMax)
      throw new StorageError(
        'storage_response_invalid',
        `The server sent more than the ${bytesMax} bytes that an answer may have`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
