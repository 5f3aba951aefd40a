import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every operating failure of backup and restore that is not the store's, with its meaning. */
export const BACKUP_ERROR_CODES = {
  backup_superseded: 'Another primary has gone on with the backup since.',
  backup_of_other_cluster: 'The backup belongs to another cluster.',
  backup_diverged: 'The backup holds a history that is not the one of this database.',
  backup_source_mismatch: 'The pages of the database are not those that its log leads to.',
  backup_record_invalid: 'A record of who wrote the backup cannot be read.',
  backup_damaged: 'A file of the backup is not what it should be.',
  backup_other_history: 'The transaction number belongs to a history that the cluster gave up.',
  backup_generation_unknown: 'The backup has no generation of that number.',
  restore_target_exists: 'There is a database where the restored one should stand.',
  restore_check_failed: 'What came out of the backup is not the database that went in.',
} as const;

export type BackupErrorCode = keyof typeof BACKUP_ERROR_CODES;

export interface BackupErrorDetails extends ErrorDetails {
  /** The object in the store that it is about. */
  readonly key?: string;
}

/** An operating failure of backup or restore. */
export class BackupError extends BaseError<BackupErrorCode> {
  override readonly name = 'BackupError';
  readonly key: string | undefined;

  constructor(code: BackupErrorCode, message: string, details: BackupErrorDetails = {}) {
    super(code, message, details);
    this.key = details.key;
  }
}
