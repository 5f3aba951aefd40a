import { LeaseError } from './lease-error.ts';

/** How long a lease lasts and how it is renewed; see `parseLeaseTimings` for what must hold. */
export interface LeaseTimings {
  /** Others may take the lease when it has not been renewed for so long. */
  readonly durationMs: number;
  /** A holder steps down when it has not been able to renew for so long. */
  readonly renewDeadlineMs: number;
  /** Between two attempts to renew or to acquire; also the longest that one request may take. */
  readonly retryMs: number;
  /**
   * A holder's right ends so long before `durationMs`. It covers the commit that begins at the
   * last moment, and clocks that run at different rates.
   */
  readonly marginMs: number;
}

/** Named timings. */
export const LEASE_TIMING_PRESETS = {
  /** Managed clusters, and several nodes with a store on fast disks. */
  default: { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000, marginMs: 2500 },
  /** A store on SD cards or hard disks, as k3s with SQLite often is. */
  'slow-store': { durationMs: 30_000, renewDeadlineMs: 20_000, retryMs: 4000, marginMs: 5000 },
  /** A store that is away now and then for half a minute. */
  patient: { durationMs: 60_000, renewDeadlineMs: 40_000, retryMs: 15_000, marginMs: 10_000 },
} as const satisfies Readonly<Record<string, LeaseTimings>>;

/** As in client-go: attempts may come late by a fifth of the time between them. */
const JITTER_FACTOR = 1.2;

/**
 * Completes and checks timings. What is not given comes from the preset `default`, scaled to
 * `durationMs` when that alone is given.
 *
 * @throws LeaseError `lease_bad_setting` unless duration > renew deadline > 1.2 × retry > 0 and
 * duration − renew deadline >= margin > 0.
 */
export function parseLeaseTimings(given: Partial<LeaseTimings> = {}): LeaseTimings {
  const preset = LEASE_TIMING_PRESETS.default;
  const durationMs = given.durationMs ?? preset.durationMs;
  const scale = durationMs / preset.durationMs;
  const renewDeadlineMs = given.renewDeadlineMs ?? preset.renewDeadlineMs * scale;
  const retryMs = given.retryMs ?? preset.retryMs * scale;
  const marginMs = given.marginMs ?? (durationMs - renewDeadlineMs) / 2;
  const timings = { durationMs, renewDeadlineMs, retryMs, marginMs };
  mustBePositive({ durationMs, renewDeadlineMs, retryMs });
  if (durationMs <= renewDeadlineMs) {
    refuse(
      `the lease lasts ${durationMs} ms, not longer than the renew deadline of ${renewDeadlineMs} ms`,
      'Make the duration longer than the deadline: the difference is the time for stepping down.',
    );
  }
  if (renewDeadlineMs <= JITTER_FACTOR * retryMs) {
    refuse(
      `the renew deadline of ${renewDeadlineMs} ms leaves no time for a second attempt after ${retryMs} ms`,
      'Make the deadline longer than 1.2 times the time between attempts.',
    );
  }
  mustBePositive({ marginMs });
  if (marginMs > durationMs - renewDeadlineMs) {
    refuse(
      `the margin of ${marginMs} ms begins before the renew deadline of ${renewDeadlineMs} ms`,
      'Make the margin at most the duration less the renew deadline.',
    );
  }
  return Object.freeze(timings);
}

/** When the right of a holder ends whose last successful request was sent at `sentMs`. */
export function validUntilMs(timings: LeaseTimings, sentMs: number): number {
  return sentMs + timings.durationMs - timings.marginMs;
}

function mustBePositive(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isFinite(value) && value > 0) continue;
    refuse(`${name} is ${value}`, 'Give a number of milliseconds above zero.');
  }
}

function refuse(what: string, hint: string): never {
  throw new LeaseError('lease_bad_setting', `Timings of the lease: ${what}.`, { hint });
}
