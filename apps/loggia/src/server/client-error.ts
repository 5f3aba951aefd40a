import type { Socket } from 'node:net';
import { ERROR_CODES, HttpError, type ErrorCode } from '@loggia/contract';
import { problemOf } from './problem.ts';

const CODE_OF_PARSER = new Map<string, ErrorCode>([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request_timeout'],
  ['HPE_HEADER_OVERFLOW', 'headers_too_large'],
]);

/**
 * Answers a request that never became one: broken syntax, headers without end, a sender that
 * stopped half-way. Nothing of what it sent is logged.
 *
 * @returns the code of the answer, undefined when nobody is there to be answered.
 */
export function answerClientError(
  error: Error & { readonly code?: string },
  socket: Socket,
): ErrorCode | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const code = CODE_OF_PARSER.get(error.code ?? '') ?? 'bad_request';
  const { status, meaning } = ERROR_CODES[code];
  const sentence = code === 'bad_request' ? 'This is not a request of HTTP/1.1.' : meaning;
  const body = JSON.stringify(problemOf(new HttpError(code, sentence)));
  socket.end(
    `HTTP/1.1 ${status} ${code}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
  return code;
}
