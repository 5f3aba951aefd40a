import type { IncomingHttpHeaders } from 'node:http';
import { IdleConnection } from './http-exchange.ts';
import { RetryLater } from './retry.ts';
import { parseErrorDocument } from './s3-xml.ts';
import { StorageError, type StorageErrorCode } from './storage-error.ts';

/** What was asked, for messages. */
export interface S3Context {
  /** The store's address without secrets. */
  readonly storeUrl: string;
  /** As in 'Could not write db/0000/…'. */
  readonly action: string;
  readonly region: string;
  readonly nowMs: number;
}

export interface S3Refusal {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Verdict {
  readonly code: StorageErrorCode;
  readonly hint: string;
}

const BUSY: Verdict = {
  code: 'storage_busy',
  hint: 'The server is overloaded or has a fault; see its log. The backup goes on when it answers.',
};
const BUSY_CODES = new Set([
  'SlowDown',
  'InternalError',
  'ServiceUnavailable',
  'RequestTimeout',
  'TooManyRequests',
  // Two conditional writes met; the server wants the later one to come again.
  'ConditionalRequestConflict',
  'OperationAborted',
]);
const KEYS_HINT = 'Check the access key and its secret, and that they belong to this server.';
const VERDICTS: Readonly<Record<string, Verdict>> = {
  NoSuchBucket: {
    code: 'storage_bucket_missing',
    hint: 'Create the bucket, or correct its name in the address of the store.',
  },
  NoSuchKey: { code: 'storage_not_found', hint: 'It was deleted, or never written.' },
  InvalidAccessKeyId: { code: 'storage_denied', hint: KEYS_HINT },
  SignatureDoesNotMatch: { code: 'storage_denied', hint: KEYS_HINT },
  ExpiredToken: {
    code: 'storage_denied',
    hint: 'The session token has run out; give the program a way to renew it, or lasting keys.',
  },
  InvalidToken: { code: 'storage_denied', hint: 'Check the session token, or leave it out.' },
  EntityTooLarge: { code: 'storage_failed', hint: 'Make partBytes smaller.' },
  QuotaExceeded: {
    code: 'storage_full',
    hint: 'Raise the quota of the bucket or shorten retention.',
  },
  XMinioStorageFull: {
    code: 'storage_full',
    hint: 'Free space on the server, or shorten retention.',
  },
  NotImplemented: { code: 'storage_unsupported', hint: 'Use a server that knows this request.' },
};
const DENIED: Verdict = {
  code: 'storage_denied',
  hint: 'Allow the key s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects.',
};

/**
 * What an answer that was not expected means: thrown when asking again cannot help, returned as
 * `RetryLater` when it can.
 */
export function refusal(answer: S3Refusal, context: S3Context): StorageError | RetryLater {
  const document = parseErrorDocument(answer.body);
  const code = document?.code ?? '';
  const said = [code, document?.message ?? ''].filter((text) => text !== '').join(': ');
  const region = regionAsked(answer, context, code, document?.region ?? '');
  const verdict =
    region === undefined
      ? verdictOf(answer, context, code)
      : ({
          code: 'storage_region_wrong',
          hint: `Add region=${region} to the address of the store.`,
        } as const);
  const message = `Could not ${context.action} (${context.storeUrl}): the server answered ${answer.status}${said === '' ? '' : `, ${said}`}`;
  const isPassing = verdict.code === 'storage_busy';
  const error = new StorageError(verdict.code, message, {
    hint: verdict.hint,
    retryable: isPassing,
  });
  return isPassing ? new RetryLater(error, retryAfterMs(answer.headers, context.nowMs)) : error;
}

/** What a broken connection means. */
export function connectionFailure(cause: unknown, context: S3Context): StorageError | RetryLater {
  const why = cause instanceof Error ? causeMessage(cause) : String(cause);
  const message = `Could not ${context.action} (${context.storeUrl}): ${why}`;
  if (isTlsFailure(cause))
    return new StorageError('storage_unreachable', message, {
      cause,
      hint: 'Check that the endpoint begins with http:// or https:// as the server wants, and that its certificate is trusted (NODE_EXTRA_CA_CERTS).',
    });
  const hint =
    cause instanceof IdleConnection
      ? 'The server is too slow or a firewall drops the connection; check the way to it.'
      : 'Check the endpoint, name resolution, and network policies or firewalls on the way.';
  return new RetryLater(
    new StorageError('storage_unreachable', message, { cause, hint, retryable: true }),
  );
}

function verdictOf(answer: S3Refusal, context: S3Context, code: string): Verdict {
  const known = VERDICTS[code];
  if (known !== undefined) return known;
  if (code === 'RequestTimeTooSkewed' || code === 'RequestExpired') return skewed(answer, context);
  if (BUSY_CODES.has(code)) return BUSY;
  switch (answer.status) {
    case 401:
    case 403:
      return DENIED;
    case 404:
      return { code: 'storage_not_found', hint: 'It was deleted, or never written.' };
    case 501:
      return { code: 'storage_unsupported', hint: 'Use a server that knows this request.' };
    case 507:
      return { code: 'storage_full', hint: 'Free space on the server, or shorten retention.' };
    default:
      if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return BUSY;
      return { code: 'storage_failed', hint: 'See what the server says, and its log.' };
  }
}

function skewed(answer: S3Refusal, context: S3Context): Verdict {
  const serverMs = Date.parse(answer.headers.date ?? '');
  const apartSeconds = Math.round((context.nowMs - serverMs) / 1000);
  const direction = apartSeconds > 0 ? 'ahead of' : 'behind';
  const difference = Number.isNaN(serverMs)
    ? ''
    : ` (this one is ${Math.abs(apartSeconds)} s ${direction} the server)`;
  return {
    code: 'storage_clock_skew',
    hint: `Set the clocks of both machines by NTP${difference}.`,
  };
}

/**
 * Amazon says the region by a header or in the document, with 301, 307 or 400. Other servers that
 * are not reached at their own address redirect without one; their answer goes the usual way.
 */
function regionAsked(
  answer: S3Refusal,
  context: S3Context,
  code: string,
  fromDocument: string,
): string | undefined {
  const isAboutRegion =
    code === 'AuthorizationHeaderMalformed' ||
    code === 'PermanentRedirect' ||
    (code === '' && [301, 307, 400].includes(answer.status));
  const header = answer.headers['x-amz-bucket-region'];
  const region = typeof header === 'string' ? header : fromDocument;
  return isAboutRegion && region !== '' && region !== context.region ? region : undefined;
}

function retryAfterMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const afterMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(afterMs) ? undefined : Math.max(0, afterMs);
}

function isTlsFailure(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|^EPROTO$|^ERR_SSL_|^ERR_TLS_|UNABLE_TO_VERIFY/.test(code);
}

/** A host with several addresses fails with all of their failures at once, and an empty message. */
function causeMessage(error: Error): string {
  if (!(error instanceof AggregateError) || error.message !== '') return error.message;
  return error.errors.map((inner) => (inner instanceof Error ? inner.message : '')).join('; ');
}
