import { ZoneRules, addToDate, type LocalDate } from '@tandem/base';

import { badQuery } from './bad-query.ts';
import type { Comparison, DateRange, QueryContext } from './query.ts';
import { unreachable } from './unreachable.ts';

/** A stretch of time, `[fromMs, toMs)`, as a site sees it. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly zone: ZoneRules;
  /** The whole local days that the range consists of; undefined when it is made of moments. */
  readonly dates: { readonly first: LocalDate; readonly last: LocalDate } | undefined;
}

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The range that `range` means for a site at a moment. */
export function resolveDateRange(range: DateRange, context: QueryContext): TimeRange {
  const zone = ZoneRules.of(context.site.timezone);
  const today = zone.dateAt(context.nowMs);
  const anchor = ('anchor' in range ? range.anchor : undefined) ?? today;
  switch (range.kind) {
    case 'day':
      return wholeDays(zone, anchor, anchor);
    case '24h':
      return moments(zone, context.nowMs - DAY_MS, context.nowMs);
    case 'days':
      return wholeDays(
        zone,
        addToDate(anchor, { days: -range.count }),
        addToDate(anchor, { days: -1 }),
      );
    case 'month':
      return wholeDays(zone, firstOfMonth(anchor), lastOfMonth(anchor));
    case 'months': {
      const thisMonth = firstOfMonth(anchor);
      const first = addToDate(thisMonth, { months: -range.count });
      return wholeDays(zone, first, addToDate(thisMonth, { days: -1 }));
    }
    case 'year':
      return wholeDays(zone, `${anchor.slice(0, 4)}-01-01`, `${anchor.slice(0, 4)}-12-31`);
    case 'all': {
      const begin = context.firstEventMs === undefined ? anchor : zone.dateAt(context.firstEventMs);
      return wholeDays(zone, begin < anchor ? begin : anchor, anchor);
    }
    case 'dates':
      return wholeDays(zone, range.first, range.last);
    case 'moments':
      return moments(zone, range.firstMs, range.lastMs);
    default:
      throw unreachable(range);
  }
}

function wholeDays(zone: ZoneRules, first: LocalDate, last: LocalDate): TimeRange {
  const fromMs = zone.startOfDate(first);
  const toMs = zone.startOfDate(addToDate(last, { days: 1 }));
  // A zone that crosses the date line skips a whole day; asked for it alone, the range is empty.
  if (toMs <= fromMs) throw badQuery(`The day ${first} does not exist in ${zone.name}.`);
  return { fromMs, toMs, zone, dates: { first, last } };
}

/** Both ends belong to the range; the last one with its whole second. */
function moments(zone: ZoneRules, firstMs: number, lastMs: number): TimeRange {
  const fromMs = Math.floor(firstMs / SECOND_MS) * SECOND_MS;
  const toMs = (Math.floor(lastMs / SECOND_MS) + 1) * SECOND_MS;
  return { fromMs, toMs, zone, dates: undefined };
}

function firstOfMonth(date: LocalDate): LocalDate {
  return `${date.slice(0, 8)}01`;
}

function lastOfMonth(date: LocalDate): LocalDate {
  return addToDate(addToDate(firstOfMonth(date), { months: 1 }), { days: -1 });
}

/**
 * `day` cut at the end of the present hour, `month` and `year` at the end of today, when they hold
 * the present; other ranges as they are.
 */
export function trimRange(range: TimeRange, asked: DateRange, context: QueryContext): TimeRange {
  const { zone } = range;
  const { nowMs } = context;
  if (range.dates === undefined || nowMs < range.fromMs || nowMs >= range.toMs) return range;
  if (asked.kind === 'month' || asked.kind === 'year') {
    return wholeDays(zone, range.dates.first, zone.dateAt(nowMs));
  }
  if (asked.kind !== 'day') return range;
  const nextHourMs = (Math.floor(zone.localMs(nowMs) / HOUR_MS) + 1) * HOUR_MS;
  const toMs = zone.instantOf(nextHourMs);
  // In the hour that occurs twice the local hour ends at the second occurrence.
  return { ...range, toMs: toMs > nowMs ? toMs : nowMs + HOUR_MS - (nowMs % HOUR_MS) };
}

/** The range that `main` is compared with. */
export function comparisonRange(
  comparison: Comparison,
  main: TimeRange,
  context: QueryContext,
): TimeRange {
  if (comparison.mode === 'custom' && comparison.dateRange !== undefined) {
    return resolveDateRange(comparison.dateRange, context);
  }
  return main.dates === undefined
    ? compareMoments(comparison, main)
    : compareDays(comparison, { ...main, dates: main.dates }, context);
}

function compareDays(
  comparison: Comparison,
  main: TimeRange & { readonly dates: { readonly first: LocalDate; readonly last: LocalDate } },
  context: QueryContext,
): TimeRange {
  const { zone, dates } = main;
  const today = zone.dateAt(context.nowMs);
  const holdsToday = dates.first <= today && today <= dates.last;
  const last = holdsToday ? today : dates.last;
  const daysApart = daysBetween(dates.first, last);
  const nominal =
    comparison.mode === 'year_over_year'
      ? addToDate(dates.first, { months: -12 })
      : addToDate(dates.first, { days: -(daysApart + 1) });
  const first = comparison.matchDayOfWeek ? sameWeekday(nominal, dates.first) : nominal;
  const compared = wholeDays(zone, first, addToDate(first, { days: daysApart }));
  if (dates.first !== today || !holdsToday) return compared;
  // Today is compared with the same part of the other day, by the clock on the wall.
  const sinceMidnightMs = zone.localMs(context.nowMs) - Date.parse(`${today}T00:00:00Z`);
  const wallMs = Math.floor((Date.parse(`${first}T00:00:00Z`) + sinceMidnightMs) / SECOND_MS);
  const toMs = zone.instantOf((wallMs + 1) * SECOND_MS);
  return {
    ...compared,
    toMs: Math.min(Math.max(toMs, compared.fromMs + SECOND_MS), compared.toMs),
  };
}

/** The date nearest to `date` that has the weekday of `model` and is not `model` itself. */
function sameWeekday(date: LocalDate, model: LocalDate): LocalDate {
  const ahead = ((daysBetween(date, model) % 7) + 7) % 7;
  const candidates = [ahead, ahead - 7]
    .toSorted((left, right) => Math.abs(left) - Math.abs(right))
    .map((days) => addToDate(date, { days }));
  return candidates.find((candidate) => candidate !== model) ?? date;
}

function daysBetween(first: LocalDate, last: LocalDate): number {
  return Math.round((Date.parse(last) - Date.parse(first)) / DAY_MS);
}

function compareMoments(comparison: Comparison, main: TimeRange): TimeRange {
  const { zone } = main;
  const lengthMs = main.toMs - main.fromMs;
  if (comparison.mode === 'previous_period') {
    const stepMs = comparison.matchDayOfWeek ? 7 * DAY_MS : lengthMs;
    const backMs = Math.ceil(lengthMs / stepMs) * stepMs;
    return { ...main, fromMs: main.fromMs - backMs, toMs: main.toMs - backMs };
  }
  const local = new Date(zone.localMs(main.fromMs)).toISOString();
  const model = local.slice(0, 10);
  const nominal = addToDate(model, { months: -12 });
  const date = comparison.matchDayOfWeek ? sameWeekday(nominal, model) : nominal;
  const fromMs = zone.instantOf(Date.parse(date + local.slice(10)));
  return { ...main, fromMs, toMs: fromMs + lengthMs };
}
