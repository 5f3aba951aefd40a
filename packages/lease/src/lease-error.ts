import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every operating failure of a lease, with its meaning. */
export const LEASE_ERROR_CODES = {
  lease_unreachable: 'The lease store could not be reached; nothing was asked of it.',
  lease_no_answer: 'The lease store did not answer in time, so whether it acted is unknown.',
  lease_bad_answer: 'The lease store answered with something that is not understood.',
  lease_denied: 'The lease store refused the credentials or the permission.',
  lease_bad_setting: 'A setting of the lease is missing, contradictory or out of range.',
  lease_bad_node_name: 'The name of the node cannot tell it from other nodes.',
  lease_fixed: 'A static lease cannot be handed off.',
  lease_not_held: 'The node does not hold the lease, so it cannot change what the lease records.',
  lease_thread_failed: 'The thread that keeps the lease ended by itself.',
} as const;

export type LeaseErrorCode = keyof typeof LEASE_ERROR_CODES;

/** An operating failure of a lease store or of keeping a lease. */
export class LeaseError extends BaseError<LeaseErrorCode> {
  override readonly name = 'LeaseError';

  constructor(code: LeaseErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
