import { BaseError, type ErrorDetails } from '@tandem/base';

/** Why a command of the command line did not do what it was asked to. */
export const COMMAND_ERROR_CODES = {
  usage: 'The command line asks for something that does not exist, or lacks something.',
  not_found: 'No site, goal, user or key of that name exists here.',
  exists: 'A site, goal or user of that name exists already.',
  bad_value: 'An argument has a value that it cannot have.',
  bad_password: 'The password is too short, or the two entries differ.',
  not_confirmed: 'Something would be deleted, and nobody confirmed it.',
  cancelled: 'The command was cancelled at its prompt.',
  file_failed: 'A file that was to be made cannot be written.',
  not_demo: 'Demo data would be mixed into a site that has other data.',
} as const;

export type CommandErrorCode = keyof typeof COMMAND_ERROR_CODES;

/** A command that ends with a sentence for its user. */
export class CommandError extends BaseError<CommandErrorCode> {
  override readonly name = 'CommandError';

  constructor(code: CommandErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
