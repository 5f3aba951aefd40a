import { BaseError, type ErrorDetails } from '@tandem/base';

/** What can go wrong with the commands that the daemon runs. */
export const TANDEM_SUPERVISE_ERROR_CODES = {
  command_missing: 'The program of a command does not exist; exit code 127.',
  command_forbidden: 'The program of a command may not be run by this user; exit code 126.',
  command_not_started: 'A command could not be started; exit code 126.',
  command_failed: 'A command before the application ended with another exit code than 0.',
  write_right_static: 'With a static lease the right to write cannot be moved; exit code 69.',
  write_right_refused: 'This node cannot get the right to write at all; exit code 69.',
  write_right_timeout: 'This node did not get the right to write in time; exit code 75.',
} as const;

export type SuperviseErrorCode = keyof typeof TANDEM_SUPERVISE_ERROR_CODES;

interface SuperviseErrorDetails extends ErrorDetails {
  /** What the process ends with because of it. */
  readonly exitCode: number;
}

/** A command that did not run as it should. */
export class SuperviseError extends BaseError<SuperviseErrorCode> {
  override readonly name = 'SuperviseError';
  readonly exitCode: number;

  constructor(code: SuperviseErrorCode, message: string, details: SuperviseErrorDetails) {
    super(code, message, details);
    this.exitCode = details.exitCode;
  }
}
