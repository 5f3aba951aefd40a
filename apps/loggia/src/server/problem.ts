import { ERROR_CODES, HttpError, type ErrorCode } from '@loggia/contract';
import { JournalError, type JournalErrorCode } from '@loggia/journal';
import { WarehouseError, type WarehouseErrorCode } from '@loggia/warehouse';

/** The body of every answer that is an error. Plausible's clients read `error`. */
export interface Problem {
  readonly error: string;
  readonly code: ErrorCode;
  readonly hint?: string;
}

/** Fastify's own refusals that are the client's doing, by their codes. */
const CODE_OF_STATUS = new Map<number, ErrorCode>([
  [400, 'bad_request'],
  [404, 'not_found'],
  [405, 'method_not_allowed'],
  [408, 'request_timeout'],
  [413, 'body_too_large'],
  [414, 'uri_too_long'],
  [415, 'unsupported_media_type'],
  [431, 'headers_too_large'],
]);

/** Seconds after which a request that was refused for the moment may come again. */
const RETRY_AFTER_SECONDS = 1;

/** Turns whatever was thrown into a documented error. What nobody expected becomes `internal`. */
export function asHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof JournalError) return fromJournal(error);
  if (error instanceof WarehouseError && STORE_FAILURES.has(error.code)) return fromStore(error);
  const status = statusOf(error);
  const code = status === undefined ? undefined : CODE_OF_STATUS.get(status);
  if (code !== undefined && error instanceof Error) {
    return new HttpError(code, ERROR_CODES[code].meaning, { cause: error });
  }
  return new HttpError('internal', 'The server failed to answer; its log has the details.', {
    cause: error,
  });
}

/** The journal's errors that a request can cause; the others mean that it cannot be written. */
const CODE_OF_JOURNAL_CODE: Partial<Record<JournalErrorCode, ErrorCode>> = {
  journal_full: 'storage_full',
  site_exists: 'conflict',
  goal_exists: 'conflict',
  user_exists: 'conflict',
  site_missing: 'unknown_site',
  user_missing: 'not_found',
  bad_domain: 'bad_request',
  bad_timezone: 'bad_request',
};

function fromJournal(error: JournalError): HttpError {
  const code = CODE_OF_JOURNAL_CODE[error.code] ?? 'storage_failed';
  const details = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return new HttpError(code, error.message, details);
}

/** The event store's failures that are over when it has been built again or has more memory. */
const STORE_FAILURES: ReadonlySet<WarehouseErrorCode> = new Set([
  'journal_unreadable',
  'store_full',
  'catch_up_failed',
  'engine_failed',
  'store_closed',
  'worker_stopped',
] as const);

function fromStore(error: WarehouseError): HttpError {
  const details = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return new HttpError('store_unavailable', error.message, details);
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

export function problemOf(error: HttpError): Problem {
  const problem = { error: error.message, code: error.code };
  return error.hint === undefined ? problem : { ...problem, hint: error.hint };
}

/** Whether the same request may do better in a moment. */
function passes(error: HttpError): boolean {
  return (
    error.code === 'rate_limited' || (error.status === 503 && error.code !== 'query_too_large')
  );
}

/** The headers that go with `error`: when to try again, how to show a key. */
export function headersOf(error: HttpError, retryAfterMs?: number): Record<string, string> {
  if (passes(error)) {
    const seconds = Math.max(RETRY_AFTER_SECONDS, Math.ceil((retryAfterMs ?? 0) / 1000));
    return { 'retry-after': String(seconds) };
  }
  if (error.status === 401) return { 'www-authenticate': 'Bearer realm="loggia"' };
  return {};
}
