import type { Comparisons, QueryBody } from './query.ts';
import {
  addDays,
  dateAt,
  daysBetween,
  firstOfMonth,
  instantAt,
  startOfDate,
  wallAt,
} from './local-time.ts';

/** A stretch of time, `[fromMs, toMs)`. */
export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Clock {
  readonly zone: string;
  readonly nowMs: number;
  /** The time of the site's first event, or undefined when it has none. */
  readonly firstMs: number | undefined;
}

const DAY_MS = 24 * 60 * 60_000;

/** 'Days are the site's days.' */
function days(zone: string, from: string, to: string): Range {
  return { fromMs: startOfDate(zone, from), toMs: startOfDate(zone, addDays(to, 1)) };
}

/** The range that a query's `date_range` means. */
export function rangeOf(dateRange: QueryBody['date_range'], clock: Clock): Range {
  const { zone, nowMs } = clock;
  const today = dateAt(zone, nowMs);
  if (typeof dateRange !== 'string') return customRange(zone, dateRange);
  if (dateRange === '24h') {
    const toMs = Math.floor(nowMs / 1000) * 1000 + 1000;
    return { fromMs: toMs - 1000 - DAY_MS, toMs };
  }
  // '`24h`, `day`, `month`, `year` include now.'
  if (dateRange === 'day') return days(zone, today, today);
  if (dateRange === 'month') {
    return days(zone, firstOfMonth(today), addDays(firstOfMonth(today, 1), -1));
  }
  if (dateRange === 'year') {
    return days(zone, `${today.slice(0, 4)}-01-01`, `${today.slice(0, 4)}-12-31`);
  }
  if (dateRange === 'all') {
    const first = clock.firstMs === undefined ? today : dateAt(zone, clock.firstMs);
    return days(zone, first < today ? first : today, today);
  }
  const [, count = '', unit] = /^(\d+)(d|mo)$/.exec(dateRange) ?? [];
  // '`7d`, `28d`, `30d`, `91d` end yesterday.'
  if (unit === 'd') return days(zone, addDays(today, -Number(count)), addDays(today, -1));
  // '`6mo` and `12mo` are the whole months before this one.'
  return days(zone, firstOfMonth(today, -Number(count)), addDays(firstOfMonth(today), -1));
}

/** Two dates, or two datetimes: 'the last second belongs to it'. */
function customRange(zone: string, [from, to]: readonly [string, string]): Range {
  if (from.length === 10) return days(zone, from, to);
  return {
    fromMs: Date.parse(from),
    toMs: Math.floor(Date.parse(to) / 1000) * 1000 + 1000,
  };
}

/**
 * The range without what is still to come, for `include.trim_relative_date_range`: today ends with
 * the current hour, the current month and year with today.
 */
export function trimmed(range: Range, dateRange: QueryBody['date_range'], clock: Clock): Range {
  if (dateRange === 'day') {
    const hour = wallAt(clock.zone, clock.nowMs);
    const pastMs = (hour.minute * 60 + hour.second) * 1000 + (clock.nowMs % 1000);
    return { fromMs: range.fromMs, toMs: clock.nowMs - pastMs + 60 * 60_000 };
  }
  if (dateRange !== 'month' && dateRange !== 'year') return range;
  const today = dateAt(clock.zone, clock.nowMs);
  return { fromMs: range.fromMs, toMs: startOfDate(clock.zone, addDays(today, 1)) };
}

/** The range that a query's range is compared with. */
export function comparisonOf(range: Range, comparisons: Comparisons, clock: Clock): Range {
  const { zone, nowMs } = clock;
  if (comparisons.mode === 'custom') {
    if (comparisons.date_range === undefined) throw new Error('custom needs a range');
    return customRange(zone, comparisons.date_range);
  }
  const first = dateAt(zone, range.fromMs);
  const today = dateAt(zone, nowMs);
  const lastOfRange = dateAt(zone, range.toMs - 1);
  const last = lastOfRange < today ? lastOfRange : today;
  const previous =
    comparisons.mode === 'year_over_year'
      ? yearBefore(first)
      : addDays(first, -daysBetween(first, last) - 1);
  const from = comparisons.match_day_of_week === true ? sameWeekday(previous, first) : previous;
  const to = addDays(from, daysBetween(first, last));
  if (first !== today) return days(zone, from, to);
  // 'Comparison with "today" compares the same part of the day.'
  const { hour, minute, second } = wallAt(zone, nowMs);
  const time = [hour, minute, second].map((part) => String(part).padStart(2, '0')).join(':');
  return { fromMs: startOfDate(zone, from), toMs: instantAt(zone, to, time) + 1000 };
}

/** The same date a year before, the last of February where there is no 29th. */
function yearBefore(date: string): string {
  const year = Number(date.slice(0, 4)) - 1;
  return date.endsWith('02-29') ? `${year}-02-28` : `${year}${date.slice(4)}`;
}

/** The date nearest to `date` that has the weekday of `model` and is another date. */
function sameWeekday(date: string, model: string): string {
  const found = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6]
    .map((shift) => addDays(date, shift))
    .find((one) => one !== model && daysBetween(one, model) % 7 === 0);
  return found ?? date;
}
