import { addToDate } from '@tandem/base';
import type { RollupColumn } from '@loggia/contract';
import { ROLLUP_COLUMNS } from '@loggia/contract';
import { NO_PROPERTY } from './dimensions.ts';
import type { Measure } from './metrics.ts';
import type { Filter } from './query.ts';
import type { ResolvedQuery } from './resolved-query.ts';
import { NO_DIMENSION, ROLLUP_DIMENSIONS, isRollupDimension } from './rollup-dimensions.ts';
import type { TimeRange } from './time-range.ts';

/** How a query is answered from sums. */
export interface RollupPlan {
  /** Whose sums are read, as `ROLLUP_DIMENSIONS` numbers them. */
  readonly dimension: number;
  /** The only values of it that count; undefined when all do. */
  readonly values: readonly string[] | undefined;
  readonly firstDay: number;
  readonly dayStartsMs: readonly number[];
  readonly byMonth: boolean;
}

const DAY_MS = 86_400_000;
/** An id of a visitor is made of the site's date; dates by two zones are this far apart at most. */
const ZONES_APART_MS = 2 * DAY_MS;

const SUMMED: ReadonlySet<string> = new Set<RollupColumn>(ROLLUP_COLUMNS.map(({ name }) => name));

/**
 * The plan for a query over a range, or undefined when it has to be counted.
 *
 * Sums over days add up because a visitor's id is of one day and a visit belongs to the day on which
 * it began. They do not add up where one visitor is in several rows at once:
 *
 * - hours of a day: a visitor comes back in another hour, so `time:hour` is counted;
 * - several values of a dimension: a visitor sees many pages and may come from several sources, so
 *   two dimensions at once are counted, and so are filters, except one for a single value with
 *   no other dimension than its own;
 * - goals and properties: they are not among the sums, since owners change what they are.
 *
 * Days of a site before its present zone was set lie across other days' ids, and are counted.
 */
export function planRollups(
  query: ResolvedQuery,
  range: TimeRange,
  measures: readonly Measure[],
): RollupPlan | undefined {
  const rows = rowsOf(query);
  if (rows === undefined) return undefined;
  if (!measures.every((measure) => SUMMED.has(measure))) return undefined;
  if (query.zoneSinceMs > 0 && range.fromMs < query.zoneSinceMs + ZONES_APART_MS) return undefined;
  const days = wholeDays(range);
  if (days === undefined) return undefined;
  const time = query.dimensions.find((one) => one.kind === 'time');
  return { ...rows, ...days, byMonth: time === undefined || time.step === 'month' };
}

/** Whose sums: by the dimension of the rows beside time, or by that of the only filter. */
function rowsOf(query: ResolvedQuery): Pick<RollupPlan, 'dimension' | 'values'> | undefined {
  const dimension = dimensionOf(query);
  const [filter, ...more] = query.conjuncts;
  if (dimension === undefined || more.length > 0) return undefined;
  if (filter === undefined) return { dimension, values: undefined };
  const values = valuesOf(filter);
  if (filter.kind !== 'leaf' || !isRollupDimension(filter.dimension)) return undefined;
  const ofFilter = ROLLUP_DIMENSIONS[filter.dimension];
  const isOwn = dimension === NO_DIMENSION || dimension === ofFilter;
  return values === undefined || !isOwn ? undefined : { dimension: ofFilter, values };
}

/** The single value that passes the filter, as the sums spell it; undefined when there is none. */
function valuesOf(filter: Filter): readonly string[] | undefined {
  if (filter.kind !== 'leaf' || filter.operator !== 'is' || !filter.caseSensitive) return undefined;
  // A country's name is a label of its code, and a missing tag has two names.
  if (filter.dimension === 'visit:country_name') return undefined;
  if (filter.clauses.length !== 1 || filter.clauses.includes(NO_PROPERTY)) return undefined;
  return filter.clauses;
}

/** The dimension of the rows beside time; undefined when there is none that is summed. */
function dimensionOf({ dimensions }: ResolvedQuery): number | undefined {
  const others = dimensions.filter((dimension) => dimension.kind !== 'time');
  const times = dimensions.filter((dimension) => dimension.kind === 'time');
  if (times.length > 1 || times.some(({ step }) => step === 'hour')) return undefined;
  const [other, ...more] = others;
  if (other === undefined) return NO_DIMENSION;
  if (more.length > 0 || !isRollupDimension(other.name)) return undefined;
  return ROLLUP_DIMENSIONS[other.name];
}

/** The whole local days at the range's beginning; undefined when there are none. */
function wholeDays(
  range: TimeRange,
): { readonly firstDay: number; readonly dayStartsMs: readonly number[] } | undefined {
  if (range.dates === undefined) return undefined;
  const { zone } = range;
  const dayStartsMs = [];
  let date = range.dates.first;
  for (;;) {
    const startMs = zone.startOfDate(date);
    if (startMs > range.toMs) break;
    dayStartsMs.push(startMs);
    if (date > range.dates.last) break;
    date = addToDate(date, { days: 1 });
  }
  if (dayStartsMs.length < 2) return undefined;
  return { firstDay: Date.parse(`${range.dates.first}T00:00:00Z`) / DAY_MS, dayStartsMs };
}
