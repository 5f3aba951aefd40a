import type { Goal, Hit, Site } from '@loggia/contract';
import { labelsOf, resolvedTime } from './buckets.ts';
import { cellsOf, type Cell, type Selection } from './cells.ts';
import { metricOf } from './metric.ts';
import type { Answer, MetricValue, QueryBody, ResultRow } from './query.ts';
import { rangeOf, trimmed, type Clock } from './range.ts';
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
  const timeDimension = dimensions.find((dimension) => dimension.startsWith('time'));
  return {
    results: rows.slice(offset, offset + limit),
    ...(query.include?.time_labels === true && timeDimension !== undefined
      ? { time_labels: labelsOf(timeDimension, zone, range) }
      : {}),
    ...(query.include?.total_rows === true ? { total_rows: rows.length } : {}),
  };
}

function rowsOf(selection: Selection, metrics: readonly string[]): ResultRow[] {
  return cellsOf(selection)
    .map((cell) => ({ cell, metrics: metrics.map((name) => metricOf(name, cell, selection)) }))
    .filter(({ cell, metrics }) => isListed(cell, metrics))
    .map(({ cell, metrics }) => ({ dimensions: cell.dimensions, metrics }));
}

/** 'Rows of zeros only are not listed.' An answer without dimensions is always one row. */
function isListed(cell: Cell, metrics: readonly MetricValue[]): boolean {
  return cell.dimensions.length === 0 || metrics.some((value) => value !== 0);
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
