import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every operating failure of a store of backups and of the plans over it, with its meaning. */
export const STORAGE_ERROR_CODES = {
  storage_url_invalid: 'The address of the store cannot be used as it is.',
  storage_key_invalid: 'The name of an object is not one that every store can keep.',
  storage_not_found: 'The store has no object of that name.',
  storage_denied: 'The store refuses the credentials, or they lack a permission.',
  storage_clock_skew: 'The clock of this machine differs too much from the clock of the store.',
  storage_bucket_missing: 'The store has no bucket of that name.',
  storage_region_wrong: 'The bucket is in another region than the one asked.',
  storage_unreachable: 'The store cannot be reached, or stopped answering.',
  storage_busy: 'The store asks to come back later, or failed on its side.',
  storage_full: 'The store has no space left.',
  storage_failed: 'The store refused or could not do what was asked.',
  storage_unsupported: 'The store cannot do this at all.',
  storage_size_mismatch: 'A body had more or fewer bytes than it was said to have.',
  storage_changed: 'An object was replaced while it was being read.',
  storage_response_invalid: 'The store answered something that its protocol does not know.',
  storage_stopped: 'The operation was called off because the program stops.',
  backup_empty: 'There is no backup to restore from.',
  backup_gap: 'Transactions are missing between the files of the backup.',
  backup_too_old: 'The backup does not reach back to the state asked for.',
  backup_not_there_yet: 'The backup does not hold the transaction asked for yet.',
  backup_inside_file: 'The transaction asked for lies inside a file that holds later ones too.',
} as const;

export type StorageErrorCode = keyof typeof STORAGE_ERROR_CODES;

/** An operating failure of a store of backups or of a plan over it. */
export class StorageError extends BaseError<StorageErrorCode> {
  override readonly name = 'StorageError';

  constructor(code: StorageErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
