import { BaseError } from '@tandem/base';

/** A failure of a package below, with a code that the HTTP interface does not know. */
export class ReplicationError extends BaseError {
  override readonly name = 'ReplicationError';

  constructor() {
    super('database_locked', 'app.db is locked.', { hint: 'Wait.', retryable: true });
  }
}
