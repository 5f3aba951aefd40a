import type {
  MetricName,
  MetricValue,
  QueryAnswer,
  QueryRow,
  StatementResult,
} from '@loggia/contract';
import { assert } from '@tandem/base';

import { changeOf } from './change.ts';
import { metricEntry } from './metrics.ts';
import type { Query, QueryContext } from './query.ts';
import type { ResolvedQuery } from './resolved-query.ts';
import { revenueValue } from './revenue.ts';
import type { TimeRange } from './time-range.ts';
import { stepLabel, stepLabels } from './time-step.ts';
import { unreachable } from './unreachable.ts';

/** A row of an answer before comparison. */
export interface PlainRow {
  readonly dimensions: readonly string[];
  readonly metrics: readonly MetricValue[];
}

/** The rows that a query's statement gave, as people read them. */
export function plainRows(
  query: ResolvedQuery,
  range: TimeRange,
  result: StatementResult,
): readonly PlainRow[] {
  return result.rows.map((row) => {
    const dimensions = query.dimensions.map((dimension, index) => {
      const value = row[index];
      return dimension.kind === 'time'
        ? stepLabel(dimension.step, Number(value), range)
        : String(value);
    });
    const metrics = query.metrics.map((name, index) => {
      const value = row[query.dimensions.length + index];
      return metricValue(
        query,
        name,
        value === null || value === undefined ? null : Number(value),
        dimensions,
      );
    });
    return { dimensions, metrics };
  });
}

function metricValue(
  query: ResolvedQuery,
  name: MetricName,
  scaled: number | null,
  dimensions: readonly string[],
): MetricValue {
  if (scaled === null) return null;
  const value = scaled / 10 ** metricEntry(name, false).decimals;
  if (name !== 'total_revenue' && name !== 'average_revenue') return value;
  const currency = currencyOf(query, dimensions);
  return currency === null ? null : revenueValue(value, currency);
}

function currencyOf(query: ResolvedQuery, dimensions: readonly string[]): string | null {
  const { revenue } = query;
  switch (revenue.kind) {
    case 'none':
      return null;
    case 'single':
      return revenue.currency;
    case 'by_goal': {
      const column = query.dimensions.findIndex((dimension) => dimension.kind === 'goal');
      const goal = query.listedGoals.findIndex((one) => one.displayName === dimensions[column]);
      return revenue.currencies[goal] ?? null;
    }
    default:
      throw unreachable(revenue);
  }
}

/** What a statement's `total_rows` says; 0 when the page has no rows. */
export function totalRows(result: StatementResult): number {
  const first = result.rows[0];
  return first === undefined ? 0 : Number(first.at(-1));
}

/** What a row has where the compared range has nothing. */
export function emptyMetrics(
  query: ResolvedQuery,
  dimensions: readonly string[],
): readonly MetricValue[] {
  return query.metrics.map((name) => metricValue(query, name, emptyValue(name), dimensions));
}

const NULL_WHEN_EMPTY: readonly MetricName[] = [
  'time_on_page',
  'scroll_depth',
  'exit_rate',
  'percentage',
  'conversion_rate',
  'group_conversion_rate',
];

/** A metric's value where there are no visits and no events. */
export function emptyValue(name: MetricName): number | null {
  return NULL_WHEN_EMPTY.includes(name) ? null : 0;
}

/**
 * Rows with what they are compared with. Rows of a series of time are matched by their place in
 * the range, the first hour with the first hour; all others by their labels.
 */
export function comparedRows(
  query: ResolvedQuery,
  rows: readonly PlainRow[],
  others: readonly PlainRow[],
): readonly QueryRow[] {
  assert(query.compared !== undefined, 'there is a range to compare with');
  const places = timePlaces(query, query.compared);
  const otherByKey = new Map(others.map((row) => [keyOf(row.dimensions), row.metrics]));
  const listed = places === undefined ? rows : withComparedSteps(query, rows, others, places);
  return listed.map((row) => {
    const dimensions = query.dimensions.map((dimension, index) => {
      const label = row.dimensions[index] ?? '';
      return dimension.kind === 'time' ? (places?.get(label) ?? '') : label;
    });
    const metrics = otherByKey.get(keyOf(dimensions)) ?? emptyMetrics(query, dimensions);
    const change = query.metrics.map((name, index) =>
      changeOf(name, metrics[index] ?? null, row.metrics[index] ?? null),
    );
    return { ...row, comparison: { dimensions, metrics, change } };
  });
}

function keyOf(dimensions: readonly string[]): string {
  return JSON.stringify(dimensions);
}

/** The label of the compared range that stands at the same place as each label of the range. */
function timePlaces(
  query: ResolvedQuery,
  compared: TimeRange,
): ReadonlyMap<string, string> | undefined {
  const time = query.dimensions.find((dimension) => dimension.kind === 'time');
  if (time === undefined) return undefined;
  const theirs = stepLabels(time.step, compared);
  const pairs = stepLabels(time.step, query.range).flatMap((label, index) => {
    const other = theirs[index];
    return other === undefined ? [] : ([[label, other]] as const);
  });
  return new Map(pairs);
}

/** A series by time alone also lists the steps at which only the compared range has numbers. */
function withComparedSteps(
  query: ResolvedQuery,
  rows: readonly PlainRow[],
  others: readonly PlainRow[],
  places: ReadonlyMap<string, string>,
): readonly PlainRow[] {
  if (query.dimensions.length !== 1) return rows;
  const known = new Set(rows.map((row) => row.dimensions[0]));
  const theirs = new Set(others.map((row) => row.dimensions[0]));
  const added = [...places]
    .filter(([label, other]) => !known.has(label) && theirs.has(other))
    .map(([label]) => ({ dimensions: [label], metrics: emptyMetrics(query, [label]) }));
  if (added.length === 0) return rows;
  const [first] = query.orderBy;
  if (first?.[0] !== query.dimensions[0]?.name) return [...rows, ...added];
  const sign = first?.[1] === 'desc' ? -1 : 1;
  return [...rows, ...added].toSorted((left, right) => {
    const [a = ''] = left.dimensions;
    const [b = ''] = right.dimensions;
    return a === b ? 0 : a < b ? -sign : sign;
  });
}

/** The answer with its rows, its remarks and the query as it was understood. */
export function shapeAnswer(
  query: Query,
  resolved: ResolvedQuery,
  context: QueryContext,
  answered: { readonly rows: readonly QueryRow[]; readonly totalRows: number },
): QueryAnswer {
  const time = resolved.dimensions.find((dimension) => dimension.kind === 'time');
  const warnings = metricWarnings(resolved);
  return {
    results: answered.rows,
    meta: {
      ...(query.include.imports && {
        imports_included: false,
        imports_skip_reason: 'no_imported_data',
      }),
      ...(Object.keys(warnings).length > 0 && { metric_warnings: warnings }),
      ...(query.include.timeLabels &&
        time !== undefined && { time_labels: stepLabels(time.step, resolved.range) }),
      ...(query.include.totalRows && { total_rows: answered.totalRows }),
    },
    query: {
      site_id: context.site.domain,
      metrics: resolved.metrics,
      date_range: isoRange(resolved.range),
      ...(resolved.compared !== undefined && {
        comparison_date_range: isoRange(resolved.compared),
      }),
      filters: query.filtersSent,
      dimensions: resolved.dimensions.map((dimension) => dimension.name),
      order_by: resolved.orderBy,
      include: query.includeSent,
      pagination: { offset: query.pagination.offset, limit: query.pagination.limit },
    },
  };
}

function metricWarnings(query: ResolvedQuery) {
  const { revenue } = query;
  if (revenue.kind !== 'none') return {};
  const affected = query.metrics.filter((name) => name.endsWith('_revenue'));
  return Object.fromEntries(affected.map((name) => [name, revenue.warning]));
}

function isoRange(range: TimeRange): readonly [string, string] {
  return [isoMoment(range.fromMs, range), isoMoment(range.toMs - 1000, range)];
}

/** ISO 8601 in the range's zone with the offset of that moment, to the second. */
function isoMoment(timeMs: number, { zone }: TimeRange): string {
  const minutes = Math.round(zone.offsetMs(timeMs) / 60_000);
  const size = Math.abs(minutes);
  const two = (number: number) => String(number).padStart(2, '0');
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return new Date(zone.localMs(timeMs)).toISOString().slice(0, 19) + offset;
}
