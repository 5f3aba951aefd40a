import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every failure that the proxy answers or throws itself, with its HTTP status and meaning. */
export const PROXY_ERROR_CODES = {
  bad_option: { status: 500, meaning: 'An option of the proxy cannot work; it does not start.' },
  listen_failed: { status: 500, meaning: 'The proxy cannot listen on its address.' },
  bad_request: { status: 400, meaning: 'The request is not valid HTTP.' },
  bad_framing: {
    status: 400,
    meaning: 'Two readers could disagree on where the request ends, so nobody gets it.',
  },
  bad_position: {
    status: 400,
    meaning: 'The header Tandem-Position is not an epoch and a txid in hexadecimal.',
  },
  unknown_coding: {
    status: 501,
    meaning: 'The request has a transfer coding other than chunked.',
  },
  bad_method: { status: 405, meaning: 'The proxy does not pass on CONNECT and TRACE.' },
  header_too_large: { status: 431, meaning: 'The request line and headers are too large.' },
  header_timeout: { status: 408, meaning: 'The request did not arrive in time.' },
  not_ready: {
    status: 503,
    meaning: 'The node has not finished its first sync and knows no primary to ask.',
  },
  read_behind: {
    status: 504,
    meaning: 'The node did not reach the position that the client has seen, and knows no primary.',
  },
  no_primary: { status: 503, meaning: 'No primary was known in time; the write was not made.' },
  not_primary: {
    status: 503,
    meaning: 'A write came from another node, but this one is not primary; it was not made.',
  },
  primary_unreachable: {
    status: 503,
    meaning: 'The primary could not be reached in time; the write was not made.',
  },
  body_not_held: {
    status: 503,
    meaning:
      'The primary changed and the body was too large to be sent twice; nothing was written.',
  },
  primary_failed: {
    status: 502,
    meaning: 'The connection to the primary broke; whether the request was carried out is unknown.',
  },
  primary_timeout: {
    status: 504,
    meaning: 'The primary did not answer in time; whether the request was carried out is unknown.',
  },
  write_unconfirmed: {
    status: 504,
    meaning: 'The write was made on the primary, but the wanted replicas did not confirm it.',
  },
  target_unreachable: { status: 502, meaning: 'The application accepts no connections.' },
  target_failed: {
    status: 502,
    meaning: 'The application closed the connection or answered something that is not HTTP.',
  },
  answer_timeout: { status: 504, meaning: 'The answer took longer than the write time-out.' },
} as const satisfies Readonly<Record<string, { status: number; meaning: string }>>;

export type ProxyErrorCode = keyof typeof PROXY_ERROR_CODES;

/** A failure of the proxy: thrown at the start, answered to the client afterwards. */
export class ProxyError extends BaseError<ProxyErrorCode> {
  override readonly name = 'ProxyError';
  /** The HTTP status that a client gets. */
  readonly status: number;

  constructor(code: ProxyErrorCode, message: string, details: ErrorDetails = {}) {
    const { status } = PROXY_ERROR_CODES[code];
    super(code, message, { retryable: status === 503, ...details });
    this.status = status;
  }
}
