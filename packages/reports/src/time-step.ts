import { AssertionError } from '@tandem/base';
import { badQuery } from './bad-query.ts';
import type { TimeRange } from './time-range.ts';
import { joinSql, sql, type Sql } from './sql.ts';
import { unreachable } from './unreachable.ts';

/** How long one row of a series is. */
export type TimeStep = 'hour' | 'day' | 'week' | 'month';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** From Monday 29 December 1969 to the epoch. */
const DAYS_SINCE_MONDAY = 3;
/** Five years of hours. */
const LABELS_MAX = 45_000;

/** The step that `time` stands for: the shorter the range, the finer. */
export function suitableStep(range: TimeRange): TimeStep {
  const lengthMs = range.toMs - 1000 - range.fromMs;
  if (Math.floor(lengthMs / HOUR_MS) <= 48) return 'hour';
  if (Math.floor(lengthMs / DAY_MS) <= 40) return 'day';
  return Math.floor(lengthMs / DAY_MS / 7) <= 52 ? 'week' : 'month';
}

/**
 * The whole number of the step that the instant `timeMs` (a column) falls into, by the wall clock of
 * the range's zone: hours, days, weeks or months since the epoch. Consecutive steps have consecutive
 * numbers; both occurrences of a repeated hour have the same.
 */
export function stepSql(step: TimeStep, timeMs: Sql, range: TimeRange): Sql {
  const localMs = sql`(${timeMs} + ${offsetSql(timeMs, range)})`;
  return step === 'hour'
    ? sql`${localMs} // ${HOUR_MS}`
    : dayStepSql(step, sql`${localMs} // ${DAY_MS}`);
}

/** The number of the step, as `stepSql` has it, that the local day `day` (since the epoch) is in. */
export function dayStepSql(step: TimeStep, day: Sql): Sql {
  switch (step) {
    case 'day':
      return sql`CAST(${day} AS BIGINT)`;
    case 'week':
      return sql`(${day} + ${DAYS_SINCE_MONDAY}) // ${7}`;
    case 'month':
      return sql`date_diff('month', DATE '1970-01-01', DATE '1970-01-01' + CAST(${day} AS INTEGER))`;
    case 'hour':
      throw new AssertionError('a day has many hours');
    default:
      throw unreachable(step);
  }
}

function offsetSql(timeMs: Sql, range: TimeRange): Sql {
  const spans = range.zone.offsetSpans(range.fromMs, range.toMs);
  const last = spans.at(-1);
  const cases = spans
    .slice(0, -1)
    .map((span) => sql`WHEN ${timeMs} < ${span.toMs} THEN ${span.offsetMs}`);
  const otherwise = sql`${last?.offsetMs ?? 0}`;
  return cases.length === 0 ? otherwise : sql`CASE ${joinSql(cases, ' ')} ELSE ${otherwise} END`;
}

/**
 * How a step is named: `YYYY-MM-DD HH:MM:SS` for an hour, the first day for the rest. The first week
 * or month of a range that cuts it is named by the range's own first day.
 */
export function stepLabel(step: TimeStep, number: number, range: TimeRange): string {
  if (step === 'hour') {
    return new Date(number * HOUR_MS).toISOString().slice(0, 19).replace('T', ' ');
  }
  const firstDate = range.zone.dateAt(range.fromMs);
  const date = firstDateOf(step, number);
  return date < firstDate ? firstDate : date;
}

function firstDateOf(step: 'day' | 'week' | 'month', number: number): string {
  if (step === 'month') return isoDate(Date.UTC(1970, number, 1));
  return isoDate((step === 'day' ? number : number * 7 - DAYS_SINCE_MONDAY) * DAY_MS);
}

function isoDate(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/**
 * The labels of all steps of the range, in order; a step that the zone skips is not among them.
 *
 * @throws HttpError `bad_query` when there are too many.
 */
export function stepLabels(step: TimeStep, range: TimeRange): readonly string[] {
  if (step === 'hour' && range.toMs - range.fromMs > LABELS_MAX * HOUR_MS) {
    throw badQuery('The range has too many hours to label; ask for days instead.');
  }
  const numbers = new Set<number>();
  for (const span of range.zone.offsetSpans(range.fromMs, range.toMs)) {
    const first = stepNumber(step, span.fromMs + span.offsetMs);
    const last = stepNumber(step, span.toMs - 1 + span.offsetMs);
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return [...numbers]
    .toSorted((left, right) => left - right)
    .map((number) => stepLabel(step, number, range));
}

function stepNumber(step: TimeStep, localMs: number): number {
  const day = Math.floor(localMs / DAY_MS);
  switch (step) {
    case 'hour':
      return Math.floor(localMs / HOUR_MS);
    case 'day':
      return day;
    case 'week':
      return Math.floor((day + DAYS_SINCE_MONDAY) / 7);
    case 'month': {
      const date = new Date(localMs);
      return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
    }
    default:
      throw unreachable(step);
  }
}
