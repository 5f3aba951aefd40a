import { STATUS_CODES } from 'node:http';
import { errorBody, HttpApiError } from './http-error.ts';

/** A whole answer as bytes, for a connection on which Node has no request to answer. */
export function rawErrorAnswer(error: HttpApiError): string {
  const text = `${JSON.stringify(errorBody(error), undefined, 2)}\n`;
  const lines = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${text}`;
}

/** What to answer to bytes that Node could not read as a request. */
export function unreadableRequest(error: Error): HttpApiError {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new HttpApiError('header_too_large', 'The head of the request is too large.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new HttpApiError('request_timeout', 'The request did not arrive in time.');
  }
  return new HttpApiError('bad_request', 'The request is not valid HTTP.', {
    hint: 'Where the server speaks TLS, ask with https; where it does not, with http.',
  });
}
