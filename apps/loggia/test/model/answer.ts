import { isDeepStrictEqual } from 'node:util';
import type { Goal, Hit, Site } from '@loggia/contract';
import { labelsOf, resolvedTime } from './buckets.ts';
import { cellsOf, emptyCell, type Cell, type Selection } from './cells.ts';
import { metricOf } from './metric.ts';
import type { Answer, MetricValue, QueryBody, ResultRow } from './query.ts';
import { comparisonOf, rangeOf, trimmed, type Clock } from './range.ts';
import { changeOf } from './rounding.ts';
import { formVisits, startMs } from './visits.ts';

/** Everything that decides an answer besides the query. */
export interface ModelSite {
  readonly site: Pick<Site, 'id' | 'timezone'>;
  readonly goals: readonly Goal[];
  /** In the order of arrival. */
  readonly hits: readonly Hit[];
  readonly nowMs: number;
}

/** Answers a query by brute force over the hits of a site. */
export function answerByModel(model: ModelSite, query: QueryBody): Answer {
  const { visits } = formVisits(model.hits);
  const zone = model.site.timezone;
  const clock: Clock = {
    zone,
    nowMs: model.nowMs,
    firstMs: visits.length === 0 ? undefined : Math.min(...visits.map(startMs)),
  };
  const named = rangeOf(query.date_range, clock);
  const isTrimmed = query.include?.trim_relative_date_range === true;
  const range = isTrimmed ? trimmed(named, query.date_range, clock) : named;
  const dimensions = (query.dimensions ?? []).map((name) => resolvedTime(name, range));
  const filters = query.filters ?? [];
  const selection = { visits, goals: model.goals, zone, range, filters, dimensions };

  const rows = rowsOf(selection, query.metrics);
  rows.sort(byOrder(orderOf(query, dimensions), query.metrics, dimensions));
  const { limit = 10_000, offset = 0 } = query.pagination ?? {};
  const page = rows.slice(offset, offset + limit);
  const comparisons = query.include?.comparisons;
  const compared =
    comparisons === undefined
      ? undefined
      : { ...selection, range: comparisonOf(range, comparisons, clock) };
  const timeDimension = dimensions.find((dimension) => dimension.startsWith('time'));
  return {
    results: compared === undefined ? page : withComparison(page, query, selection, compared),
    ...(query.include?.time_labels === true && timeDimension !== undefined
      ? { time_labels: labelsOf(timeDimension, zone, range) }
      : {}),
    ...(query.include?.total_rows === true ? { total_rows: rows.length } : {}),
  };
}

/**
 * Each row beside the row of the compared range that has the same values, or bucket by bucket. A
 * series by time alone also has the buckets in which only the compared range has numbers.
 */
function withComparison(
  rows: readonly ResultRow[],
  { metrics }: QueryBody,
  selection: Selection,
  compared: Selection,
): ResultRow[] {
  const cells = cellsOf(compared);
  const labels = (part: Selection): string[][] =>
    part.dimensions.map((name) =>
      name.startsWith('time') ? labelsOf(name, part.zone, part.range) : [],
    );
  const [own, theirs] = [labels(selection), labels(compared)];
  const cellBeside = (dimensions: readonly string[]): Cell => {
    const key = dimensions.map((value, index) => {
      const position = own[index]?.indexOf(value) ?? -1;
      return position < 0 ? value : (theirs[index]?.[position] ?? '');
    });
    return cells.find((one) => isDeepStrictEqual(one.dimensions, key)) ?? emptyCell(key);
  };
  const beside = (row: ResultRow): ResultRow => {
    const cell = cellBeside(row.dimensions);
    const before = metrics.map((name) => metricOf(name, cell, compared));
    const change = metrics.map((name, index) =>
      changeOf(name, amountOf(before[index] ?? null), amountOf(row.metrics[index] ?? null)),
    );
    return { ...row, comparison: { dimensions: cell.dimensions, metrics: before, change } };
  };
  const [onlyLabels = []] = selection.dimensions.length === 1 ? own : [];
  const missing = onlyLabels
    .filter((label) => !rows.some((row) => row.dimensions[0] === label))
    .filter((label) => cellBeside([label]).visits.size + cellBeside([label]).events.size > 0)
    .map((label): ResultRow => {
      const values = metrics.map((name) => metricOf(name, emptyCell([label]), selection));
      return { dimensions: [label], metrics: values };
    });
  const all = [...rows, ...missing];
  if (missing.length > 0) {
    all.sort((a, b) => ((a.dimensions[0] ?? '') < (b.dimensions[0] ?? '') ? -1 : 1));
  }
  return all.map(beside);
}

function amountOf(value: MetricValue): number | null {
  return value === null || typeof value === 'number' ? value : value.value;
}

function rowsOf(selection: Selection, metrics: readonly string[]): ResultRow[] {
  return cellsOf(selection)
    .map((cell) => ({ cell, metrics: metrics.map((name) => metricOf(name, cell, selection)) }))
    .filter((row) => isListed(row.cell, metrics, row.metrics))
    .map(({ cell, metrics }) => ({ dimensions: cell.dimensions, metrics }));
}

/** Metrics that go by the events' own times. */
const BY_EVENT_TIME = ['pageviews', 'events', 'total_revenue', 'average_revenue'];

/**
 * A row is what one of the metrics finds something in; 'rows of zeros only are not listed'. An
 * answer without dimensions is always one row.
 */
function isListed(cell: Cell, names: readonly string[], values: readonly MetricValue[]): boolean {
  if (cell.dimensions.length === 0) return true;
  const found = names.some(
    (name) => (BY_EVENT_TIME.includes(name) ? cell.events.size : cell.visits.size) > 0,
  );
  return found && !values.every(isZero);
}

function isZero(value: MetricValue): boolean {
  return value === 0 || (value !== null && typeof value === 'object' && value.value === 0);
}

type Order = NonNullable<QueryBody['order_by']>;

/** The default order: time ascending if present, then the first metric descending. */
function orderOf(query: QueryBody, dimensions: readonly string[]): Order {
  if (query.order_by !== undefined) {
    const time = dimensions.find((dimension) => dimension.startsWith('time'));
    return query.order_by.map(([name, way]) => [name === 'time' ? (time ?? name) : name, way]);
  }
  const time = dimensions.filter((dimension) => dimension.startsWith('time'));
  const [metric = ''] = query.metrics;
  return [...time.map((name) => [name, 'asc'] as const), [metric, 'desc']];
}

/** Ties fall to the dimensions, ascending, so that pages of an answer fit together. */
function byOrder(
  order: Order,
  metrics: readonly string[],
  dimensions: readonly string[],
): (a: ResultRow, b: ResultRow) => number {
  const ties = dimensions.map((name) => [name, 'asc'] as const);
  return (a, b) => {
    for (const [name, way] of [...order, ...ties]) {
      const valueIn = (row: ResultRow): MetricValue | string | undefined =>
        metrics.includes(name)
          ? row.metrics[metrics.indexOf(name)]
          : row.dimensions[dimensions.indexOf(name)];
      const result = compare(valueIn(a) ?? null, valueIn(b) ?? null, way);
      if (result !== 0) return result;
    }
    return 0;
  };
}

/** 'Strings sort by code point, nulls last.' */
function compare(a: MetricValue | string, b: MetricValue | string, way: 'asc' | 'desc'): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  const sign = way === 'asc' ? 1 : -1;
  if (typeof a === 'string' && typeof b === 'string') {
    return sign * Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return sign * (numberOf(a) - numberOf(b));
}

function numberOf(value: Exclude<MetricValue, null> | string): number {
  if (typeof value === 'string') throw new Error('a metric is a number');
  return typeof value === 'number' ? value : value.value;
}
