import { JournalError } from './journal-error.ts';

/** The package's own error for what a call of `node:fs` threw about `path`. */
export function fileFailureOf(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return fullDisk(path, error);
  }
  return new JournalError('journal_failed', `${path}: ${error.message}`, {
    cause: error,
    hint: 'Check that the folder exists, that this user may write it, and that the disk is well.',
  });
}

/** No space is left for the file at `path`. */
export function fullDisk(path: string, cause: unknown): JournalError {
  return new JournalError('journal_full', `no space is left for ${path}`, {
    cause,
    hint: 'Free some space on the disk, then try again.',
    retryable: true,
  });
}
