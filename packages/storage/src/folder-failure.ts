import { StorageError } from './storage-error.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT']);
const DENIED = new Set(['EACCES', 'EPERM', 'EROFS']);
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);
const OCCUPIED = new Set(['ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EEXIST']);
const UNSUPPORTED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** The code of a failed system call, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** Whether a failed call says that there is no file of that name (a folder is none). */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(systemCode(error) ?? '');
}

/** What a failed call in the folder of a store means to its operator. */
export function folderFailure(error: unknown, path: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = systemCode(error) ?? '';
  const why = error instanceof Error ? error.message : String(error);
  const cause = error;
  if (FULL.has(code))
    return new StorageError('storage_full', `No space is left for ${path}`, {
      cause,
      hint: 'Free space on that volume, or shorten the retention time of the backup.',
      retryable: true,
    });
  if (DENIED.has(code))
    return new StorageError('storage_denied', `${path} cannot be used: ${why}`, {
      cause,
      hint: 'Mount the volume writable, and give the folder to the user that the program runs as.',
    });
  if (OCCUPIED.has(code))
    return new StorageError(
      'storage_key_invalid',
      `${path} is a folder, or lies in a file: ${why}`,
      {
        cause,
        hint: 'A name cannot be an object and a folder of others at once; move one of them away.',
      },
    );
  if (UNSUPPORTED.has(code))
    return new StorageError('storage_unsupported', `The file system cannot do it: ${why}`, {
      cause,
      hint: 'Use a file system with hard links and renaming, all of it on one volume.',
    });
  return new StorageError('storage_failed', `${path}: ${why}`, {
    cause,
    hint: 'Check the volume and the log of the system.',
    retryable: code === 'EMFILE' || code === 'ENFILE' || code === 'EIO',
  });
}
