import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every failure of the daemon itself, with its meaning. */
export const DAEMON_ERROR_CODES = {
  no_primary: 'No primary is known that could be asked.',
} as const;

export type DaemonErrorCode = keyof typeof DAEMON_ERROR_CODES;

/** A failure of the daemon itself. */
export class DaemonError extends BaseError<DaemonErrorCode> {
  override readonly name = 'DaemonError';

  constructor(code: DaemonErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
