import { LruCache, ZoneRules, addToDate, type LocalDate } from '@tandem/base';

/** One calendar day of a time zone: `[startMs, endMs)`. */
export interface SiteDay {
  readonly date: LocalDate;
  readonly dateBefore: LocalDate;
  readonly startMs: number;
  readonly endMs: number;
}

const ZONES_CACHED_MAX = 500;
const DAYS_CACHED_MAX = 5000;

/** The days of time zones. Most events fall into the day of the one before, which costs nothing. */
export class SiteDays {
  readonly #latest = new LruCache<string, SiteDay>(ZONES_CACHED_MAX);
  readonly #days = new LruCache<string, SiteDay>(DAYS_CACHED_MAX);

  /** The day of the zone `timezone` in which the instant `timeMs` lies. */
  dayAt(timezone: string, timeMs: number): SiteDay {
    const latest = this.#latest.get(timezone);
    if (latest !== undefined && timeMs >= latest.startMs && timeMs < latest.endMs) return latest;
    const rules = ZoneRules.of(timezone);
    const date = rules.dateAt(timeMs);
    const key = `${timezone} ${date}`;
    const day = this.#days.get(key) ?? dayOf(rules, date);
    this.#days.set(key, day);
    this.#latest.set(timezone, day);
    return day;
  }
}

function dayOf(rules: ZoneRules, date: LocalDate): SiteDay {
  return {
    date,
    dateBefore: addToDate(date, { days: -1 }),
    startMs: rules.startOfDate(date),
    endMs: rules.startOfDate(addToDate(date, { days: 1 })),
  };
}
