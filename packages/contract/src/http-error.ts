import { BaseError, type ErrorDetails } from '@tandem/base';

/**
 * Every error that an HTTP answer can carry. `docs/reference/errors.md` has the same table, and a
 * test compares them.
 */
export const ERROR_CODES = {
  bad_json: { status: 400, meaning: 'The body is not valid JSON.' },
  bad_event: {
    status: 400,
    meaning: 'The event lacks something or has something of a wrong kind.',
  },
  bad_batch: { status: 400, meaning: 'The body is neither a JSON array of events nor NDJSON.' },
  bad_query: { status: 400, meaning: 'The query asks for something that does not exist.' },
  bad_request: { status: 400, meaning: 'A parameter or field is missing or malformed.' },
  no_key: { status: 401, meaning: 'The request carries no key and no session.' },
  bad_key: { status: 401, meaning: 'The key is unknown or revoked.' },
  bad_login: { status: 401, meaning: 'The name or the password is wrong.' },
  forbidden: { status: 403, meaning: 'The key or the user may not do this.' },
  not_found: { status: 404, meaning: 'Nothing is here under that name.' },
  unknown_site: { status: 404, meaning: 'No site of that name exists here.' },
  method_not_allowed: { status: 405, meaning: 'The address exists but not with this method.' },
  request_timeout: { status: 408, meaning: 'The request did not arrive in time.' },
  conflict: { status: 409, meaning: 'Something of that name exists already.' },
  body_too_large: { status: 413, meaning: 'The body is larger than this address takes.' },
  uri_too_long: { status: 414, meaning: 'The address of the request is too long.' },
  unsupported_media_type: { status: 415, meaning: 'The content type is none that is read here.' },
  rate_limited: { status: 429, meaning: 'Too many requests from this client or for this site.' },
  headers_too_large: { status: 431, meaning: 'The headers are larger than the server takes.' },
  internal: { status: 500, meaning: 'A fault of the server; the log has the details.' },
  overloaded: { status: 503, meaning: 'The queue is full; nothing of the request was stored.' },
  storage_full: { status: 503, meaning: 'The disk is full; nothing of the request was stored.' },
  storage_failed: { status: 503, meaning: 'The journal cannot be written at the moment.' },
  shutting_down: { status: 503, meaning: 'The server is stopping and takes no more requests.' },
  store_unavailable: {
    status: 503,
    meaning: 'Reports cannot be had at the moment; events are taken all the same.',
  },
  query_timeout: { status: 503, meaning: 'The query took longer than the limit.' },
  query_too_large: { status: 503, meaning: 'The query needs more memory than it may use.' },
  query_cancelled: { status: 499, meaning: 'The client went away before the answer was ready.' },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An expected refusal of a request, with the sentence that its sender reads. */
export class HttpError extends BaseError<ErrorCode> {
  override readonly name = 'HttpError';

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}
