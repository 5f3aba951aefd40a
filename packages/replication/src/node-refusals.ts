import { ReplicationError } from './replication-error.ts';

/** Something was asked of this node that only the primary does. */
export function notPrimary(): ReplicationError {
  return new ReplicationError('not_primary', 'This node is not the primary.', {
    retryable: true,
    hint: 'Send the write to the primary, or through the proxy, which does so.',
  });
}

/** A new database cannot be captured yet, so nothing can be confirmed. */
export function notReplicated(name: string): ReplicationError {
  return new ReplicationError('database_locked', newAndBusy(name), { retryable: true });
}

/** Why nothing can be said of what is in a database yet. */
export function newAndBusy(name: string): string {
  return `${name} is new, and a transaction in it keeps it from being replicated.`;
}

/** Nobody took over. */
export function handOffFailed(why: string): ReplicationError {
  return new ReplicationError('hand_off_failed', why, { retryable: true });
}
