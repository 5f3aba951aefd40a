import { ReplicationError } from './replication-error.ts';

/** Primary result codes of SQLite. */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NO_DATABASE = 26;

/** Whether SQLite said that another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === BUSY || code === LOCKED;
}

/** An error of SQLite on the database at `path` as one of ours; any other error as it is. */
export function describeSqliteError(path: string, error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  switch (codeOf(error)) {
    case BUSY:
    case LOCKED:
      return new ReplicationError('database_locked', `${path} is locked: ${text}`, {
        cause: error,
        retryable: true,
        hint:
          'Another program holds the database for longer than the time-out, or for itself ' +
          '(PRAGMA locking_mode=EXCLUSIVE). End its transaction, or let it use the normal mode.',
      });
    case FULL:
      return new ReplicationError('disk_full', `no room left for ${path}`, {
        cause: error,
        retryable: true,
        hint: 'Free space on the disk that holds the database.',
      });
    case NO_DATABASE:
    case CORRUPT:
      return new ReplicationError('not_a_database', `${path}: ${text}`, { cause: error });
    case READ_ONLY:
    case IO_ERROR:
    case CANNOT_OPEN:
      return new ReplicationError('state_failed', `${path}: ${text}`, {
        cause: error,
        retryable: true,
        hint: `Make ${path} and its folder writable for the user of this process, and look at the disk.`,
      });
    case undefined:
    default:
      return error;
  }
}

/** Extended codes carry the primary code in their low byte. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return Number(error.errcode) & 0xff;
}
