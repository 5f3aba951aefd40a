import type { Site } from '@loggia/contract';
import { ZoneRules } from '@tandem/base';
import { dateOfDay, dayOfDate } from './site-day.ts';

/** One day of a site, `[fromMs, toMs)`. */
export interface SiteDay {
  readonly siteId: number;
  readonly day: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The days of sites by their zones, as they are now. */
export class SiteCalendar {
  readonly #zones: ReadonlyMap<number, string>;

  constructor(sites: readonly Site[]) {
    this.#zones = new Map(sites.map(({ id, timezone }) => [id, timezone]));
  }

  /** The site's days that touch `[fromMs, toMs]`; none for a site that is not there. */
  days(siteId: number, fromMs: number, toMs: number): readonly SiteDay[] {
    const name = this.#zones.get(siteId);
    if (name === undefined) return [];
    const zone = ZoneRules.of(name);
    const days = [];
    const last = dayOfDate(zone.dateAt(toMs));
    for (let day = dayOfDate(zone.dateAt(fromMs)); day <= last; day += 1) {
      const startMs = zone.startOfDate(dateOfDay(day));
      const endMs = zone.startOfDate(dateOfDay(day + 1));
      // A zone that crosses the date line skips a day.
      if (startMs < endMs) days.push({ siteId, day, fromMs: startMs, toMs: endMs });
    }
    return days;
  }
}
