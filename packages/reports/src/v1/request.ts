import type { DimensionName, MetricName } from '@loggia/contract';

import { badQuery, describe, unknownName } from '../bad-query.ts';
import { parseFilterDimension } from '../filter-parser.ts';
import type { DateRange, Query } from '../query.ts';
import { parseMetrics } from '../query-parser.ts';
import { parseV1Filters } from './filters.ts';
import { parseV1Period } from './period.ts';

/** The query string of a call of the older interface. */
export type SearchParams = Readonly<Record<string, string | undefined>>;

/** A checked call; each kind is answered in its own shape. */
export type V1Request =
  | { readonly kind: 'aggregate'; readonly query: Query }
  | { readonly kind: 'timeseries'; readonly query: Query }
  | { readonly kind: 'breakdown'; readonly query: Query; readonly property: string };

const BREAKDOWN_ROWS_DEFAULT = 100;
const BREAKDOWN_ROWS_MAX = 1000;
const INTERVALS: Readonly<Record<string, DimensionName>> = {
  hour: 'time:hour',
  date: 'time:day',
  day: 'time:day',
  week: 'time:week',
  month: 'time:month',
};

/**
 * Checks `GET /api/v1/stats/aggregate`.
 *
 * @throws HttpError `bad_query`.
 */
export function parseAggregate(params: SearchParams): V1Request {
  const { compare } = params;
  if (compare !== undefined && compare !== '' && compare !== 'previous_period') {
    throw unknownName('comparison', compare, ['previous_period']);
  }
  const comparisons =
    compare === 'previous_period' ? ({ mode: compare, matchDayOfWeek: false } as const) : undefined;
  const query = baseQuery(params, []);
  return { kind: 'aggregate', query: { ...query, include: { ...query.include, comparisons } } };
}

/**
 * Checks `GET /api/v1/stats/timeseries`.
 *
 * @throws HttpError `bad_query`.
 */
export function parseTimeseries(params: SearchParams): V1Request {
  const range = parseV1Period(params.period, params.date);
  const interval = params.interval ?? defaultInterval(range);
  const dimension = Object.hasOwn(INTERVALS, interval) ? INTERVALS[interval] : undefined;
  if (dimension === undefined) throw unknownName('interval', interval, Object.keys(INTERVALS));
  const query = baseQuery(params, [dimension]);
  return {
    kind: 'timeseries',
    query: { ...query, include: { ...query.include, timeLabels: true } },
  };
}

function defaultInterval(range: DateRange): string {
  if (range.kind === 'months') return 'month';
  return range.kind === 'day' || range.kind === '24h' ? 'hour' : 'day';
}

/**
 * Checks `GET /api/v1/stats/breakdown`.
 *
 * @throws HttpError `bad_query`.
 */
export function parseBreakdown(params: SearchParams): V1Request {
  if (params.property === undefined) throw badQuery("The call lacks 'property'.");
  const dimension = parseFilterDimension(params.property);
  const limit = parseCount(params.limit, 'limit', BREAKDOWN_ROWS_DEFAULT);
  if (limit > BREAKDOWN_ROWS_MAX) throw badQuery(`'limit' may be ${BREAKDOWN_ROWS_MAX} at most.`);
  const page = parseCount(params.page, 'page', 1);
  const pagination = { limit, offset: (page - 1) * limit };
  const query = baseQuery(params, [dimension]);
  const property = dimension.replace(/^(event:props:|event:|visit:)/, '');
  return { kind: 'breakdown', query: { ...query, pagination }, property };
}

function parseCount(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw badQuery(`'${name}' must be a whole number from 1, not ${describe(text)}.`);
  }
  return Number(text);
}

function baseQuery(params: SearchParams, dimensions: readonly DimensionName[]): Query {
  const siteId = params.site_id;
  if (siteId === undefined || siteId === '') throw badQuery("The call lacks 'site_id'.");
  return {
    siteId,
    metrics: parseV1Metrics(params.metrics),
    dateRange: parseV1Period(params.period, params.date),
    dimensions,
    filters: parseV1Filters(params.filters ?? ''),
    filtersSent: [],
    orderBy: undefined,
    include: {
      imports: false,
      timeLabels: false,
      totalRows: false,
      trimRelativeDateRange: false,
      comparisons: undefined,
    },
    includeSent: {},
    pagination: { limit: 10_000, offset: 0 },
  };
}

function parseV1Metrics(text: string | undefined): readonly MetricName[] {
  const names = (text ?? '').split(',').map((name) => name.trim());
  return parseMetrics(names.every((name) => name === '') ? ['visitors'] : names);
}
