import { RELATIVE_RANGES } from '@loggia/contract';

import { badQuery, describe, unknownName } from '../bad-query.ts';
import { isDate, parseDateRange } from '../date-range-parser.ts';
import type { DateRange } from '../query.ts';

/**
 * The range that `period` and `date` name together; 30 days without either. Relative periods count
 * from `date`, or from today.
 *
 * @throws HttpError `bad_query`.
 */
export function parseV1Period(period: string | undefined, date: string | undefined): DateRange {
  if (period === 'custom') return parseCustom(date);
  const range = parseNamed(period ?? '30d');
  if (date === undefined || date === '') return range;
  if (!isDate(date))
    throw badQuery(`'date' must be a date like '2026-01-31', not ${describe(date)}.`);
  if (range.kind === 'dates' || range.kind === 'moments' || range.kind === '24h') return range;
  return { ...range, anchor: date };
}

function parseNamed(period: string): DateRange {
  if (/^[1-9]\d{0,3}(d|mo)$/.test(period)) return parseDateRange(period);
  if (RELATIVE_RANGES.some((known) => known === period)) return parseDateRange(period);
  throw unknownName('period', period, [...RELATIVE_RANGES, 'custom']);
}

function parseCustom(date: string | undefined): DateRange {
  const ends = (date ?? '').split(',').map((end) => end.trim());
  const [first = '', last = first] = ends;
  if (ends.length > 2 || !isDate(first) || !isDate(last)) {
    throw badQuery("The period 'custom' needs 'date' with two dates, as in 2026-01-01,2026-01-31.");
  }
  return parseDateRange([first, last]);
}
