import {
  request as requestHttp,
  type ClientRequest as ClientRequestStream,
  type IncomingMessage,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SecureContextOptions } from 'node:tls';
import { ClientError } from './client-error.ts';

/** How to reach a node. */
export interface ClientTarget {
  /** As `http://localhost:20202`. */
  readonly url: string;
  readonly token?: string;
  /** Certificates to trust, and the client's own. */
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
  /** For the head of an answer, and between two parts of its body. */
  readonly timeoutMs: number;
}

export interface ClientRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly signal?: AbortSignal;
  /** Instead of the target's own, if that is shorter: for what takes a node longer. */
  readonly timeoutMsMin?: number;
  /** A body that is only sent when the node has agreed to take it. */
  readonly body?: { readonly read: () => Readable; readonly sizeBytes: number };
}

/** Something between us and the node may keep the node's consent to itself. */
const CONSENT_WAIT_MS = 2000;
const ANSWER_BYTES_MAX = 16 << 20;

/**
 * Asks a node. The answer's status is 200; its body has not been read.
 *
 * @throws ClientError `node_unreachable`, `node_refused`, `node_answer`.
 */
export async function askNode(
  target: ClientTarget,
  request: ClientRequest,
): Promise<IncomingMessage> {
  const answer = await send(target, request).catch((error: unknown) => {
    throw unreachable(target, error);
  });
  if (answer.statusCode === 200) return answer;
  const text = await readAnswer(answer);
  throw refusal(target, answer.statusCode ?? 0, text);
}

/** The same with an answer in JSON. */
export async function askNodeForJson(
  target: ClientTarget,
  request: ClientRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const text = await readAnswer(await askNode(target, request));
  const value = tryParse(text);
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new ClientError('node_answer', `${target.url} answered something that is not JSON.`);
}

function send(target: ClientTarget, request: ClientRequest): Promise<IncomingMessage> {
  const url = new URL(request.path, target.url);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const isSecure = url.protocol === 'https:';
  const { body } = request;
  const outgoing = (isSecure ? requestHttps : requestHttp)(url, {
    method: request.method,
    agent: false,
    headers: {
      accept: 'application/json, application/vnd.sqlite3',
      ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }),
      ...(body === undefined ? {} : { 'content-length': body.sizeBytes, expect: '100-continue' }),
    },
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    ...(isSecure ? target.tls : {}),
  });
  const timeoutMs = Math.max(target.timeoutMs, request.timeoutMsMin ?? 0);
  outgoing.setTimeout(timeoutMs, () => {
    outgoing.destroy(new Error(`nothing was heard for ${timeoutMs} ms`));
  });
  outgoing.on('error', reject);
  outgoing.once('response', resolve);
  if (body === undefined) outgoing.end();
  else sendBody(outgoing, body.read, reject);
  return promise;
}

/**
 * Opens and sends the body when the node has agreed to take it, or has not said anything for a while.
 * An answer before that is a refusal; the body is then never opened, and no more of it is sent after one.
 */
function sendBody(
  outgoing: ClientRequestStream,
  read: () => Readable,
  reject: (error: unknown) => void,
): void {
  const begin = (): void => {
    clearTimeout(timer);
    outgoing.off('continue', begin);
    const stream = read();
    outgoing.once('response', () => {
      if (!stream.readableEnded) stream.destroy();
    });
    pipeline(stream, outgoing).catch(reject);
  };
  const timer = setTimeout(begin, CONSENT_WAIT_MS);
  outgoing.once('continue', begin);
  outgoing.once('response', () => clearTimeout(timer));
  outgoing.once('close', () => clearTimeout(timer));
  outgoing.flushHeaders();
}

async function readAnswer(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const part of answer.setEncoding('utf8')) {
      text += String(part);
      if (text.length > ANSWER_BYTES_MAX) {
        throw new ClientError('node_answer', 'The answer is longer than an answer can be.');
      }
    }
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError('node_answer', 'The answer breaks off.', { cause, retryable: true });
  }
  return text;
}

function unreachable({ url }: ClientTarget, cause: unknown): unknown {
  if (!(cause instanceof Error) || cause.name === 'AbortError') return cause;
  const code = 'code' in cause ? String(cause.code) : cause.message;
  return new ClientError('node_unreachable', `No node answers at ${url} (${code}).`, {
    cause,
    retryable: true,
    hint: "Start the node with 'tandem start', or give the address of one with --url.",
  });
}

function refusal({ url }: ClientTarget, status: number, text: string): ClientError {
  const { code, error, hint } = Object(tryParse(text)) as Partial<Record<string, unknown>>;
  if (typeof code !== 'string' || typeof error !== 'string') {
    return new ClientError('node_answer', `${url} answered with status ${status} and no reason.`, {
      hint: 'Is there a node of Tandem at that address, or something before it?',
    });
  }
  return new ClientError('node_refused', error, {
    nodeCode: code,
    retryable: status === 503,
    ...(typeof hint === 'string' ? { hint } : {}),
  });
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
