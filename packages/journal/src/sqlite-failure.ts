import { AssertionError } from '@tandem/base';
import { JournalError } from './journal-error.ts';

/** SQLite's primary result codes that have a meaning of their own here. */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const CONSTRAINT = 19;
const NOT_A_DATABASE = 26;
/** Extended code: the shared-memory file could not be grown, which is how a full disk shows first. */
const SHARED_MEMORY_SIZE = 4874;

/**
 * The package's own error for what SQLite threw. Errors that are not SQLite's are returned as they
 * are. A violated constraint is a fault of this package, which looks before it writes.
 */
export function failureOf(error: unknown, path: string): unknown {
  const code = resultCodeOf(error);
  if (code === undefined) return error;
  if (code === SHARED_MEMORY_SIZE) return full(error, path);
  switch (code & 0xff) {
    case FULL:
      return full(error, path);
    case BUSY:
    case LOCKED:
      return new JournalError('journal_busy', `${path} is locked by another process`, {
        cause: error,
        hint: 'Another process holds a long transaction; try again, or stop that process.',
        retryable: true,
      });
    case CORRUPT:
    case NOT_A_DATABASE:
      return new JournalError('journal_unreadable', `${path} is damaged or not a database`, {
        cause: error,
        hint: 'Nothing was changed. Restore the file from a backup, or move it away to begin anew.',
      });
    case CONSTRAINT:
      return new AssertionError(`no write breaks a constraint: ${messageOf(error)}`);
    default:
      return new JournalError('journal_failed', `${path}: ${messageOf(error)}`, {
        cause: error,
        hint: 'Check that the folder exists, that this user may write it, and that the disk is well.',
      });
  }
}

function full(error: unknown, path: string): JournalError {
  return new JournalError('journal_full', `no space is left for ${path}`, {
    cause: error,
    hint: 'Free some space on the disk; nothing of the failed write was kept.',
    retryable: true,
  });
}

/** SQLite's extended result code, which `node:sqlite` puts on its errors. */
export function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** Whether SQLite refused because of another connection's lock. */
export function isBusy(error: unknown): boolean {
  const code = resultCodeOf(error);
  return code !== undefined && ((code & 0xff) === BUSY || (code & 0xff) === LOCKED);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
