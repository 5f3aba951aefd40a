import { AssertionError, assert } from './assert.ts';
import { LruCache } from './lru-cache.ts';

/** A calendar date without a zone, `YYYY-MM-DD`. Strings of this form sort by date. */
export type LocalDate = string;

/** A stretch of time, `[fromMs, toMs)`, in which a zone's offset does not change. */
export interface OffsetSpan {
  readonly fromMs: number;
  readonly toMs: number;
  /** Local time minus UTC. */
  readonly offsetMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Whether the runtime knows `name` as an IANA time zone. */
export function isTimeZone(name: string): boolean {
  if (name === '' || /^[+-]\d/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * The rules of one IANA time zone, from the runtime's own data (ICU).
 *
 * 'Local milliseconds' are milliseconds since the epoch plus the zone's offset: the wall clock as if
 * it were UTC. Arithmetic on them is calendar arithmetic.
 */
export class ZoneRules {
  static readonly #known = new LruCache<string, ZoneRules>(256);

  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  /** Offsets by quarter of an hour, the finest step at which any zone has changed since 1972. */
  readonly #offsets = new LruCache<number, number>(4096);

  private constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** The rules of the zone `name`, which must be one that `isTimeZone` accepts. */
  static of(name: string): ZoneRules {
    const known = ZoneRules.#known.get(name);
    if (known !== undefined) return known;
    assert(isTimeZone(name), `'${name}' is a time zone`);
    const rules = new ZoneRules(name);
    ZoneRules.#known.set(name, rules);
    return rules;
  }

  /** Local time minus UTC at the instant `timeMs`. */
  offsetMs(timeMs: number): number {
    const quarter = Math.floor(timeMs / 900_000);
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const offset = this.#readOffsetMs(quarter * 900_000);
    this.#offsets.set(quarter, offset);
    return offset;
  }

  #readOffsetMs(timeMs: number): number {
    const fields: Record<string, number> = {};
    let beforeChrist = false;
    for (const part of this.#format.formatToParts(timeMs)) {
      if (part.type === 'era') beforeChrist = part.value.startsWith('B');
      else if (part.type !== 'literal') fields[part.type] = Number(part.value);
    }
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
    const localMs = new Date(0).setUTCFullYear(beforeChrist ? 1 - year : year, month - 1, day);
    return localMs + hour * HOUR_MS + minute * 60_000 + second * 1000 - timeMs;
  }

  localMs(timeMs: number): number {
    return timeMs + this.offsetMs(timeMs);
  }

  /** The zone's calendar date at the instant `timeMs`. */
  dateAt(timeMs: number): LocalDate {
    return new Date(this.localMs(timeMs)).toISOString().slice(0, 10);
  }

  /**
   * The first instant whose local time is `localMs` or later. A local time that occurs twice means
   * its first occurrence; one that a change of offset skips means the instant of the change.
   */
  instantOf(localMs: number): number {
    const spans = this.offsetSpans(localMs - 2 * DAY_MS, localMs + 2 * DAY_MS);
    for (const span of spans) {
      const candidate = Math.max(localMs - span.offsetMs, span.fromMs);
      if (candidate < span.toMs) return candidate;
    }
    throw new AssertionError('every local time has an instant within two days');
  }

  /** The instant at which `date` begins in this zone, which is not always midnight. */
  startOfDate(date: LocalDate): number {
    const localMs = Date.parse(`${date}T00:00:00Z`);
    assert(Number.isFinite(localMs), `'${date}' is a date`);
    return this.instantOf(localMs);
  }

  /** The spans of constant offset that cover `[fromMs, toMs)`, in order and without gaps. */
  offsetSpans(fromMs: number, toMs: number): readonly OffsetSpan[] {
    assert(fromMs < toMs, 'a range has a length');
    const spans: OffsetSpan[] = [];
    let startMs = fromMs;
    let offsetMs = this.offsetMs(fromMs);
    for (let probeMs = fromMs; probeMs < toMs;) {
      const nextMs = Math.min(probeMs + 7 * DAY_MS, toMs);
      const nextOffsetMs = this.offsetMs(nextMs);
      if (nextOffsetMs === offsetMs) {
        probeMs = nextMs;
        continue;
      }
      const changeMs = this.#changeBetween(probeMs, nextMs);
      if (changeMs >= toMs) break;
      spans.push({ fromMs: startMs, toMs: changeMs, offsetMs });
      startMs = changeMs;
      offsetMs = this.offsetMs(changeMs);
      probeMs = changeMs;
    }
    spans.push({ fromMs: startMs, toMs, offsetMs });
    return spans;
  }

  /** The first quarter of an hour after `beforeMs` with another offset, by halving. */
  #changeBetween(beforeMs: number, afterMs: number): number {
    const offsetMs = this.offsetMs(beforeMs);
    let low = Math.floor(beforeMs / 900_000);
    let high = Math.ceil(afterMs / 900_000);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetMs(middle * 900_000) === offsetMs) low = middle;
      else high = middle;
    }
    return high * 900_000;
  }
}

/** `date` moved by whole days, months or years; a day past the month's end becomes its last day. */
export function addToDate(
  date: LocalDate,
  amount: { readonly days?: number; readonly months?: number },
): LocalDate {
  const start = new Date(`${date}T00:00:00Z`);
  const months = amount.months ?? 0;
  const target = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + months, 1));
  const lastDay = new Date(
    Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0),
  ).getUTCDate();
  target.setUTCDate(Math.min(start.getUTCDate(), lastDay) + (amount.days ?? 0));
  return target.toISOString().slice(0, 10);
}
