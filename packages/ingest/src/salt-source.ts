import type { LocalDate } from '@tandem/base';
import type { SiteDay } from './site-days.ts';

/** Where the salts of sites and dates are kept. It remembers them: it is asked for every event. */
export interface SaltSource {
  /**
   * The salt of the site's date. When there is none it is made at random and lives until
   * `expiresMs`; one that exists keeps the time it has.
   */
  ensure(siteId: number, date: LocalDate, expiresMs: number): Uint8Array;
  /** The salt of the site's date, if there is one that has not been destroyed. */
  existing(siteId: number, date: LocalDate): Uint8Array | undefined;
}

/** Salts outlive their day by this much, so that late events and visits under way find them. */
export const SALT_AFTERLIFE_MS = 48 * 3_600_000;

/**
 * When a salt made at `nowMs` for `day` has to be destroyed: 48 hours after the day's end or, when
 * the day is already past, 48 hours after its making.
 */
export function saltExpiryMs(day: SiteDay, nowMs: number): number {
  return Math.max(day.endMs, nowMs) + SALT_AFTERLIFE_MS;
}
