import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every operating failure of replication, with its meaning. */
export const REPLICATION_ERROR_CODES = {
  disk_full: 'The disk is full; nothing is left of what was being written.',
  state_failed: 'A file of the replication state cannot be read or written.',
  state_damaged: 'A file of the replication state is not what it should be.',
  log_missing: 'A file of the transaction log is gone though the log lists it.',
  page_table_missing: 'There is no table of page digests yet.',
  page_table_damaged: 'The table of page digests is damaged and has to be made anew.',
  epoch_outdated: 'The epoch is not above those this node has seen.',
  bad_position: 'The text is not a position.',
  bad_cluster_id: 'The text is not a cluster id.',
  not_primary: 'This node is not the primary, or is no longer.',
  hand_off_failed: 'No other node took over; this one is still primary.',
  cluster_mismatch: 'The data of this node belongs to another cluster.',
  diverged: 'The state of a replica is not one that the primary had.',
  foreign_write: 'Another program wrote to a replica; what it wrote was set aside.',
  not_a_database: 'The file is missing or is not a SQLite database.',
  not_wal: 'The database is not in WAL mode.',
  database_locked: 'Another program holds a lock on the database for too long.',
  wal_index_unreadable: 'The wal-index holds no valid header.',
  wal_unreadable: 'Committed frames of the write-ahead log do not verify.',
} as const;

export type ReplicationErrorCode = keyof typeof REPLICATION_ERROR_CODES;

/** An operating failure of replication. */
export class ReplicationError extends BaseError<ReplicationErrorCode> {
  override readonly name = 'ReplicationError';

  constructor(code: ReplicationErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * What to throw when the file system refused something: `disk_full` or `state_failed`, with what an
 * operator can do. `message` says what could not be done, `path` where. An error that does not
 * come from the file system is returned as it is.
 */
export function fileFailure(error: unknown, message: string, path: string): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  if (FULL.has(code)) {
    return new ReplicationError('disk_full', `${message}: the disk is full`, {
      cause: error,
      hint: `Free space on the disk that holds ${path}, or let less of the log be kept.`,
      retryable: true,
    });
  }
  return new ReplicationError('state_failed', `${message}: ${code}`, {
    cause: error,
    hint: FORBIDDEN.has(code)
      ? `Make ${path} and its folder writable for the user of this process.`
      : `Look at the disk that holds ${path}; the kernel's log may say more.`,
  });
}

/** The code of a failure of the file system, such as ENOENT; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
