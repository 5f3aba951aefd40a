import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every error that the HTTP interface answers or throws itself, with its status and meaning. */
export const TANDEM_HTTP_ERROR_CODES = {
  bad_request: { status: 400, meaning: 'The request is not valid HTTP, or a parameter is wrong.' },
  not_a_database: {
    status: 400,
    meaning: 'What was sent is not a SQLite database, or is damaged; nothing was changed.',
  },
  unauthorised: {
    status: 401,
    meaning: 'The request bears no token that this node knows, and no certificate it trusts.',
  },
  not_found: { status: 404, meaning: 'There is nothing at this path.' },
  unknown_database: { status: 404, meaning: 'This node has no database of that name.' },
  unknown_node: { status: 404, meaning: 'No node of that name or id is connected to the primary.' },
  bad_method: { status: 405, meaning: 'The path does not take this method; see Allow.' },
  request_timeout: { status: 408, meaning: 'The request did not arrive in time.' },
  not_candidate: { status: 409, meaning: 'The node may not become primary; see lease.candidate.' },
  static_lease: {
    status: 409,
    meaning: 'With a static lease the primary changes only by a change of the configuration.',
  },
  body_too_large: { status: 413, meaning: 'The body is larger than this path takes.' },
  header_too_large: { status: 431, meaning: 'The request line and headers are too large.' },
  listen_failed: { status: 500, meaning: 'The interface cannot listen on its address.' },
  failed: { status: 500, meaning: 'The operation failed; the message and cause say why.' },
  replaced: {
    status: 501,
    meaning: 'LiteFS has this path and Tandem does not; the message says what replaces it.',
  },
  not_primary: {
    status: 503,
    meaning: 'Only the primary does this, and this node is not primary.',
  },
  no_primary: { status: 503, meaning: 'No primary is known that could be asked.' },
  hand_off_failed: {
    status: 503,
    meaning: 'The other node did not take over; the primary is the one it was.',
  },
  busy: { status: 503, meaning: 'As many requests of this kind are running as may.' },
  unavailable: {
    status: 503,
    meaning: 'The operation cannot be done now; the same request may succeed later.',
  },
  not_ready: { status: 503, meaning: 'The node should get no requests yet; `reasons` lists why.' },
  stopping: { status: 503, meaning: 'The node is about to stop.' },
  timeout: { status: 504, meaning: 'The operation took too long; its outcome is not known.' },
  disk_full: { status: 507, meaning: 'There is no room for what was sent; nothing was changed.' },
} as const satisfies Readonly<Record<string, { status: number; meaning: string }>>;

export type HttpErrorCode = keyof typeof TANDEM_HTTP_ERROR_CODES;

interface HttpErrorDetails extends ErrorDetails {
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The code of the failure below, if that has one. */
  readonly causeCode?: string;
}

/** An error that a client of the HTTP interface is answered. */
export class HttpApiError extends BaseError<HttpErrorCode> {
  override readonly name = 'HttpApiError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly causeCode: string | undefined;

  constructor(code: HttpErrorCode, message: string, details: HttpErrorDetails = {}) {
    const { status } = TANDEM_HTTP_ERROR_CODES[code];
    super(code, message, { retryable: status === 503, ...details });
    this.status = status;
    this.headers = {
      ...(status === 503 ? { 'retry-after': '1' } : {}),
      ...details.headers,
    };
    this.causeCode = details.causeCode;
  }
}

/** What a client reads of an error. */
export interface ErrorBody {
  readonly code: string;
  /** One sentence. */
  readonly error: string;
  /** What to do, as one sentence. */
  readonly hint?: string;
  /** The code of the failure below. */
  readonly cause?: string;
}

/** The same failure in this interface's words: codes of packages below keep their message and hint. */
export function httpErrorOf(failure: unknown): HttpApiError {
  if (failure instanceof HttpApiError) return failure;
  if (failure instanceof BaseError) {
    const { message, hint, code: causeCode } = failure;
    const code = CODE_OF_CAUSE[causeCode] ?? (failure.retryable ? 'unavailable' : 'failed');
    return new HttpApiError(code, message, {
      cause: failure,
      causeCode,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  if (failure instanceof DOMException && failure.name === 'TimeoutError') {
    return new HttpApiError('timeout', 'The operation took too long.', { cause: failure });
  }
  const systemCode = failure instanceof Error && 'code' in failure ? failure.code : undefined;
  const causeCode = typeof systemCode === 'string' ? systemCode : undefined;
  const code = causeCode === 'ENOSPC' || causeCode === 'EDQUOT' ? 'disk_full' : 'failed';
  const message = failure instanceof Error ? failure.message : String(failure);
  return new HttpApiError(code, message, {
    cause: failure,
    ...(causeCode === undefined ? {} : { causeCode }),
  });
}

/** The body of an error's answer. */
export function errorBody({ code, message, hint, causeCode }: HttpApiError): ErrorBody {
  return {
    code,
    error: message,
    ...(hint === undefined ? {} : { hint }),
    ...(causeCode === undefined || causeCode === code ? {} : { cause: causeCode }),
  };
}

const CODE_OF_CAUSE: Readonly<Record<string, HttpErrorCode>> = {
  not_primary: 'not_primary',
  hand_off_failed: 'hand_off_failed',
  stream_hand_off_failed: 'hand_off_failed',
  not_a_database: 'not_a_database',
  disk_full: 'disk_full',
  stream_acknowledgement_unknown: 'timeout',
};
