import { RELATIVE_RANGES } from '@loggia/contract';

import { badQuery, describe, unknownName } from './bad-query.ts';
import type { DateRange } from './query.ts';

const DAY_MS = 86_400_000;
/** Longer ranges hold no events and would only make labels. */
const DAYS_MAX = 36_600;

/**
 * Checks a `date_range`: a name, `Nd`, `Nmo`, or a pair of dates or moments.
 *
 * @throws HttpError `bad_query`.
 */
export function parseDateRange(input: unknown): DateRange {
  if (typeof input === 'string') return parseNamedRange(input);
  if (Array.isArray(input)) return parsePair(input);
  throw badQuery("'date_range' must be a name such as '28d', or a list of two dates or times.");
}

function parseNamedRange(name: string): DateRange {
  const counted = /^([1-9]\d{0,3})(d|mo)$/.exec(name);
  if (counted !== null) {
    return { kind: counted[2] === 'd' ? 'days' : 'months', count: Number(counted[1]) };
  }
  switch (name) {
    case 'day':
    case '24h':
    case 'month':
    case 'year':
    case 'all':
      return { kind: name };
    default:
      throw unknownName('date range', name, RELATIVE_RANGES);
  }
}

function parsePair(pair: readonly unknown[]): DateRange {
  const [first, last] = pair;
  if (pair.length !== 2 || typeof first !== 'string' || typeof last !== 'string') {
    throw badQuery("'date_range' must hold exactly two dates or times.");
  }
  const range =
    isDate(first) && isDate(last)
      ? ({ kind: 'dates', first, last } as const)
      : ({ kind: 'moments', firstMs: parseMoment(first), lastMs: parseMoment(last) } as const);
  const lengthMs =
    range.kind === 'dates' ? Date.parse(last) - Date.parse(first) : range.lastMs - range.firstMs;
  if (lengthMs < 0) throw badQuery("The first end of 'date_range' lies after the second.");
  if (lengthMs >= DAYS_MAX * DAY_MS) {
    throw badQuery(`'date_range' may be ${DAYS_MAX} days long at most.`);
  }
  return range;
}

/** Whether `text` is a calendar date `YYYY-MM-DD` from the year 1000 on. */
export function isDate(text: string): boolean {
  if (!/^[1-9]\d{3}-\d\d-\d\d$/.test(text)) return false;
  const timeMs = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(timeMs) && new Date(timeMs).toISOString().startsWith(text);
}

const MOMENT = /^([1-9]\d{3}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

function parseMoment(text: string): number {
  const match = MOMENT.exec(text);
  const timeMs = Date.parse(text.toUpperCase().replace(' ', 'T'));
  if (match === null || !isDate(match[1] ?? '') || !Number.isFinite(timeMs)) {
    throw badQuery(
      `${describe(text)} is neither a date like '2026-01-31' nor a time with its offset like ` +
        "'2026-01-31T12:00:00+02:00'; both ends must be of the same kind.",
    );
  }
  return timeMs;
}
