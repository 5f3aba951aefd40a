import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorBody, HttpApiError } from './http-error.ts';

/** A request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborts when the client is gone or the server closes. */
  readonly signal: AbortSignal;
  /** The client sends the body only when it is told to. */
  readonly expectsContinue: boolean;
}

/** How long a client may go on sending a body that nobody reads, so that it sees the answer. */
const LINGER_MS = 5000;
const VALUE_CHARACTERS_MAX = 1024;

/** Answers with JSON, indented for people as LiteFS does it. */
export function answerJson({ request, response }: Exchange, body: unknown, status = 200): void {
  const text = `${JSON.stringify(body, undefined, 2)}\n`;
  answerText({ request, response }, text, { 'content-type': 'application/json' }, status);
}

/** Answers with a text. */
export function answerText(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  text: string,
  headers: Readonly<Record<string, string>>,
  status = 200,
): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** Answers with an error. When the answer has begun already, it is cut instead. */
export function answerError(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  error: HttpApiError,
  more: Readonly<Record<string, unknown>> = {},
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = `${JSON.stringify({ ...errorBody(error), ...more }, undefined, 2)}\n`;
  const headers = { ...error.headers, 'content-type': 'application/json' };
  answerText({ request, response }, text, headers, error.status);
  if (!request.complete) lingerOn(request);
}

/**
 * The value of a parameter that must be there once.
 *
 * @throws HttpApiError `bad_request`.
 */
export function mustHaveParameter(exchange: Exchange, name: string): string {
  const value = parameter(exchange, name);
  if (value !== undefined) return value;
  throw new HttpApiError('bad_request', `The parameter '${name}' is missing.`, {
    hint: `Ask for ${exchange.path}?${name}=…`,
  });
}

/**
 * The value of a parameter, or undefined when it is absent or empty.
 *
 * @throws HttpApiError `bad_request` when it is there twice or too long.
 */
export function parameter({ query }: Exchange, name: string): string | undefined {
  const [value, ...others] = query.getAll(name);
  if (others.length > 0) {
    throw new HttpApiError('bad_request', `The parameter '${name}' is there more than once.`);
  }
  if (value !== undefined && value.length > VALUE_CHARACTERS_MAX) {
    throw new HttpApiError('bad_request', `The parameter '${name}' is too long.`);
  }
  return value === '' ? undefined : value;
}

/**
 * The body of a small request as JSON.
 *
 * @throws HttpApiError `body_too_large`, `bad_request`, `request_timeout`.
 */
export async function readJson(
  exchange: Exchange,
  limits: { readonly bytesMax: number; readonly timeoutMs: number },
): Promise<unknown> {
  const bytes = await readBody(exchange, limits);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new HttpApiError('bad_request', 'The body is not JSON.', { cause });
  }
}

/**
 * Refuses a request whose length shows that it is too large.
 *
 * @throws HttpApiError `body_too_large`.
 */
export function mustFit(request: IncomingMessage, bytesMax: number): void {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax);
}

/** The error for a body of more than `bytesMax` bytes. */
export function tooLarge(bytesMax: number): HttpApiError {
  return new HttpApiError('body_too_large', `The body has more than ${bytesMax} bytes.`);
}

function readBody(
  { request, response, expectsContinue }: Exchange,
  { bytesMax, timeoutMs }: { readonly bytesMax: number; readonly timeoutMs: number },
): Promise<Buffer> {
  mustFit(request, bytesMax);
  if (expectsContinue) response.writeContinue();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parts: Buffer[] = [];
  let bytes = 0;
  // Reading by events leaves the connection open when the body is refused, for the answer.
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > bytesMax) reject(tooLarge(bytesMax));
    else parts.push(part);
  });
  request.on('end', () => resolve(Buffer.concat(parts)));
  request.on('close', () => reject(new HttpApiError('bad_request', 'The body breaks off.')));
  const late = new HttpApiError('request_timeout', `The body took longer than ${timeoutMs} ms.`);
  const timer = setTimeout(() => reject(late), timeoutMs);
  return promise.finally(() => clearTimeout(timer));
}

/** Reads on and forgets, since a connection with unread bytes is reset and the answer lost. */
function lingerOn(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS).unref();
  request.once('end', () => clearTimeout(timer));
  request.once('error', () => clearTimeout(timer));
  request.resume();
}
