import type { LeaseClock } from './lease-clock.ts';
import { LeaseError } from './lease-error.ts';
import type { Reservation } from './lease-record.ts';
import type { ReleaseOptions } from './lease-store.ts';
import type { LeaseTimings } from './lease-timings.ts';
import type { NodeIdentity } from './node-identity.ts';

/** What every lease store is told. */
export interface LeaseSettings {
  readonly self: NodeIdentity;
  /** As `parseLeaseTimings` returned them. */
  readonly timings: LeaseTimings;
  /** How long only the named successor may acquire after a hand-off; by default `durationMs`. */
  readonly reservationMs?: number;
  /** For one request; by default, and at most, `timings.retryMs`. */
  readonly requestTimeoutMs?: number;
  /** By default the clocks of this thread. */
  readonly clock?: LeaseClock;
}

/** How long one request may take. */
export function requestTimeoutMs(settings: LeaseSettings): number {
  return Math.min(settings.requestTimeoutMs ?? Infinity, settings.timings.retryMs);
}

/** The reservation that a release makes, as a member of the lease's record. */
export function reservationFor(
  options: ReleaseOptions,
  settings: LeaseSettings,
): { readonly reservation?: Reservation } {
  const { successorName } = options;
  if (successorName === undefined) return {};
  const durationMs = settings.reservationMs ?? settings.timings.durationMs;
  return { reservation: { successorName, durationMs } };
}

/** What a thrown thing is, as an error that says the store gave no usable answer. */
export function unknownOutcome(error: unknown): {
  readonly kind: 'unknown';
  readonly error: Error;
} {
  if (error instanceof LeaseError) return { kind: 'unknown', error };
  throw error;
}

/**
 * The address of a server.
 *
 * @throws LeaseError `lease_bad_setting` when it is no HTTP URL.
 */
export function parseServerUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new LeaseError('lease_bad_setting', `${name} '${text}' is not an HTTP URL.`, {
    hint: `Write it with its scheme and port, such as http://127.0.0.1:2379.`,
  });
}
