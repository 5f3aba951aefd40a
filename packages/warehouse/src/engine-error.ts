/** What the engine throws, told apart by the text its messages begin with: it has no codes. */
import { HttpError } from '@loggia/contract';
import { AssertionError } from '@tandem/base';
import { WarehouseError } from './warehouse-error.ts';

/** An appender's and a commit's message wrap that of the allocation, without its kind. */
const OUT_OF_MEMORY = /Out of Memory Error|could not allocate block|failed to allocate data/i;
const BROKEN = /^(FATAL|INTERNAL) Error|database has been invalidated/i;
const NOT_UNDERSTOOD =
  /^(Failed to extract statements|Parser|Syntax|Binder|Catalog|Parameter Not Resolved|Permission|Not implemented)\b|(Cannot prepare multiple statements|No statement to prepare)/i;

/** A value that is not what its column holds. */
const BAD_VALUE = /^(Conversion|Invalid Input|Invalid type|Out of Range|Constraint) Error/;

/** RE2's own words for what is wrong with a pattern; DuckDB passes them on as they are. */
const BAD_PATTERN =
  /^Invalid Input Error: (missing (\]|\)|argument)|unexpected \)|no argument for repetition|bad repetition|invalid (escape|character class|repetition|perl|named capture|UTF-8|capture group)|trailing \\|pattern too large)/i;

/** The error of a statement as the caller of a query should see it. */
export function statementError(error: unknown): Error {
  if (isFinal(error)) return error;
  const message = messageOf(error);
  if (OUT_OF_MEMORY.test(message)) {
    return new HttpError('query_too_large', 'The query needs more memory than it may use.', {
      cause: error,
      hint: 'Ask for a shorter range or fewer dimensions, or give the server more memory.',
    });
  }
  if (BAD_PATTERN.test(message)) {
    const reason = message.slice(message.indexOf(':') + 2);
    return new HttpError('bad_query', `The pattern is no regular expression: ${reason}`, {
      cause: error,
    });
  }
  if (BROKEN.test(message)) return engineFailed(error);
  if (NOT_UNDERSTOOD.test(message)) {
    const text = `The engine does not understand the statement: ${message}`;
    return new WarehouseError('bad_statement', text, { cause: error });
  }
  return new WarehouseError('statement_failed', `The statement failed: ${message}`, {
    cause: error,
  });
}

/** The error of rows that are being inserted: `bad_row` when one of them is to blame. */
export function rowError(error: unknown): unknown {
  const message = messageOf(error);
  if (!BAD_VALUE.test(message)) return error;
  return new WarehouseError('bad_row', `The journal holds a wrong value: ${message}`, {
    cause: error,
  });
}

/** The error of a catch-up as everyone who waits for it should see it. */
export function catchUpError(error: unknown): Error {
  if (isFinal(error)) return error;
  const message = messageOf(error);
  if (OUT_OF_MEMORY.test(message)) {
    return new WarehouseError('store_full', 'The events do not fit into the memory allowed.', {
      cause: error,
      hint: 'Give the server more memory or raise its memory setting.',
      retryable: true,
    });
  }
  if (BROKEN.test(message)) return engineFailed(error);
  return new WarehouseError('catch_up_failed', `New rows could not be taken in: ${message}`, {
    cause: error,
    retryable: true,
  });
}

function engineFailed(cause: unknown): WarehouseError {
  return new WarehouseError('engine_failed', 'DuckDB declared itself broken.', {
    cause,
    hint: 'Restart the server; the store is built anew from the journal.',
  });
}

function isFinal(error: unknown): error is Error {
  return (
    error instanceof HttpError || error instanceof WarehouseError || error instanceof AssertionError
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
