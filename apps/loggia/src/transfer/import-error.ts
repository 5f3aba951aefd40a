import { BaseError, type ErrorDetails } from '@tandem/base';

/** Why an import did not take a file. */
export const IMPORT_ERROR_CODES = {
  import_unreadable: 'A file that is to be imported cannot be read.',
  import_bad_file: 'The file is not of the kind that was named.',
  import_bad_lines: 'The file has more lines that cannot be understood than were allowed.',
  import_busy: 'The same file is being imported by another process.',
  import_no_site: 'The file holds events of a site that does not exist here.',
} as const;

export type ImportErrorCode = keyof typeof IMPORT_ERROR_CODES;

/** An import that ends with a sentence for its user. */
export class ImportError extends BaseError<ImportErrorCode> {
  override readonly name = 'ImportError';

  constructor(code: ImportErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
