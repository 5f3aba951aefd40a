import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every operating failure of the journal and the salts, with its meaning. */
export const JOURNAL_ERROR_CODES = {
  journal_full: 'The disk is full; the transaction was rolled back.',
  journal_busy: 'Another process kept the database locked for longer than the timeout.',
  journal_failed: 'The database cannot be opened, read or written.',
  journal_unreadable: 'The file is damaged or is not a database of Loggia.',
  journal_newer: 'The database was written by a newer version of Loggia.',
  journal_older: 'The database needs a migration, which a read-only opening does not make.',
  journal_missing: 'There is no journal to be backed up, or no backup to be restored.',
  journal_exists:
    'A restore would replace the journal of the data folder, and nobody agreed to it.',
  journal_in_use: 'A restore cannot replace a journal that another process has open.',
  journal_restoring: 'A restore of the journal is under way or was cut off.',
  site_exists: 'A site of that domain exists already.',
  site_missing: 'No site has that id.',
  bad_domain: 'The text is not the domain of a site.',
  bad_timezone: 'The text is not an IANA time zone.',
  goal_exists: 'Another goal of the site has that display name.',
  user_exists: 'A user of that name exists already.',
  user_missing: 'No user has that id.',
} as const;

export type JournalErrorCode = keyof typeof JOURNAL_ERROR_CODES;

/** An operating failure of the journal or the salts. */
export class JournalError extends BaseError<JournalErrorCode> {
  override readonly name = 'JournalError';

  constructor(code: JournalErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
