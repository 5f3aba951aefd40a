import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { ERROR_HEADER, REFUSED_HEADER } from './origin.ts';
import type { ProxyError } from './proxy-error.ts';

const RETRY_AFTER_S = 1;

/** What is said beside an error. */
export interface ErrorAnswer {
  /** The one who asks is another proxy, which may send the request elsewhere. */
  readonly isRefusal: boolean;
  /** The connection must not be used again. */
  readonly isLast: boolean;
}

/** The text of an error: what happened, and what can be done. */
export function errorText({ code, message, hint }: ProxyError): string {
  return `${code}: ${message}${hint === undefined ? '' : `\n${hint}`}\n`;
}

/** Answers with an error of the proxy's own. The head must not have been sent. */
export function answerError(
  request: Pick<IncomingMessage, 'method'>,
  response: ServerResponse,
  error: ProxyError,
  { isRefusal, isLast }: ErrorAnswer,
): void {
  const text = errorText(error);
  const headers = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(text)),
    'Cache-Control',
    'no-store',
    ERROR_HEADER,
    error.code,
  ];
  if (error.status === 503) headers.push('Retry-After', String(RETRY_AFTER_S));
  if (error.status === 405) headers.push('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  if (isRefusal) headers.push(REFUSED_HEADER, error.code);
  if (isLast) headers.push('Connection', 'close');
  response.writeHead(error.status, headers);
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** The same for a connection on which no request could be read: the whole answer as bytes. */
export function rawErrorAnswer(error: ProxyError): string {
  const text = errorText(error);
  return (
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\n` +
    'Content-Type: text/plain; charset=utf-8\r\n' +
    `Content-Length: ${Buffer.byteLength(text)}\r\n` +
    `${ERROR_HEADER}: ${error.code}\r\n` +
    `Connection: close\r\n\r\n${text}`
  );
}
