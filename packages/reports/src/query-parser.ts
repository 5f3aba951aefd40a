import {
  EVENT_DIMENSIONS,
  METRIC_NAMES,
  PROPERTY_PREFIX,
  ROWS_MAX,
  TIME_DIMENSIONS,
  VISIT_DIMENSIONS,
  type DimensionName,
  type MetricName,
  type QueryFilter,
} from '@loggia/contract';

import { badQuery, describe, unknownName } from './bad-query.ts';
import { parseDateRange } from './date-range-parser.ts';
import { isFilterDimension, parseFilters } from './filter-parser.ts';
import type { Comparison, Order, Query } from './query.ts';

const KEYS = [
  'site_id',
  'metrics',
  'date_range',
  'dimensions',
  'filters',
  'order_by',
  'include',
  'pagination',
] as const;
const INCLUDE_KEYS = [
  'imports',
  'time_labels',
  'total_rows',
  'trim_relative_date_range',
  'comparisons',
] as const;
const COMPARISON_KEYS = ['mode', 'match_day_of_week', 'date_range'] as const;
const COMPARISON_MODES = ['previous_period', 'year_over_year', 'custom'] as const;
const DIMENSIONS_MAX = 8;

/**
 * Checks the body of `POST /api/v2/query`.
 *
 * @throws HttpError `bad_query` with one sentence on the first thing that is wrong.
 */
export function parseQuery(body: unknown): Query {
  const fields = parseObject(body, 'query', KEYS);
  for (const key of ['site_id', 'metrics', 'date_range'] as const) {
    if (fields[key] === undefined) throw badQuery(`The query lacks '${key}'.`);
  }
  const siteId = fields.site_id;
  if (typeof siteId !== 'string' || siteId === '') throw badQuery("'site_id' must be a domain.");
  const metrics = parseMetrics(fields.metrics);
  const dimensions = parseDimensions(fields.dimensions ?? []);
  const filtersSent = fields.filters ?? [];
  const filters = parseFilters(filtersSent);
  return {
    siteId,
    metrics,
    dateRange: parseDateRange(fields.date_range),
    dimensions,
    filters,
    // `parseFilters` has just checked this very shape.
    filtersSent: filtersSent as readonly QueryFilter[],
    orderBy:
      fields.order_by === undefined
        ? undefined
        : parseOrder(fields.order_by, [...metrics, ...dimensions]),
    ...parseInclude(fields.include ?? {}, dimensions),
    pagination: parsePagination(fields.pagination ?? {}),
  };
}

/** The object's fields, after making sure that it has no others than `keys`. */
function parseObject<Key extends string>(
  input: unknown,
  what: string,
  keys: readonly Key[],
): Readonly<Partial<Record<Key, unknown>>> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw badQuery(`The ${what} must be a JSON object.`);
  }
  for (const key of Object.keys(input)) {
    if (!keys.some((known) => known === key)) throw unknownName(`${what} field`, key, keys);
  }
  return input as Readonly<Partial<Record<Key, unknown>>>;
}

/** @throws HttpError `bad_query` unless `input` is a list of different metrics with one at least. */
export function parseMetrics(input: unknown): readonly MetricName[] {
  if (!Array.isArray(input) || input.length === 0) {
    throw badQuery("'metrics' must be a list with at least one metric.");
  }
  const metrics = input.map((name: unknown) => {
    const metric = METRIC_NAMES.find((known) => known === name);
    if (metric === undefined) throw unknownName('metric', name, METRIC_NAMES);
    return metric;
  });
  refuseRepeats(metrics, 'metrics');
  return metrics;
}

function refuseRepeats(names: readonly string[], field: string): void {
  const repeat = names.find((name, index) => names.indexOf(name) !== index);
  if (repeat !== undefined) throw badQuery(`'${field}' names ${describe(repeat)} twice.`);
}

function parseDimensions(input: unknown): readonly DimensionName[] {
  if (!Array.isArray(input)) throw badQuery("'dimensions' must be a list.");
  if (input.length > DIMENSIONS_MAX) {
    throw badQuery(`A query may have ${DIMENSIONS_MAX} dimensions at most.`);
  }
  const dimensions = input.map(parseDimension);
  refuseRepeats(dimensions, 'dimensions');
  if (dimensions.filter((name) => name.startsWith('time')).length > 1) {
    throw badQuery('A query may have one time dimension only.');
  }
  return dimensions;
}

/** @throws HttpError `bad_query` unless `name` is a dimension. */
export function parseDimension(name: unknown): DimensionName {
  if (isFilterDimension(name)) return name;
  const time = TIME_DIMENSIONS.find((known) => known === name);
  if (time !== undefined) return time;
  const known = [...VISIT_DIMENSIONS, ...EVENT_DIMENSIONS, ...TIME_DIMENSIONS, PROPERTY_PREFIX];
  throw unknownName('dimension', name, known);
}

function parseOrder(
  input: unknown,
  queried: readonly (MetricName | DimensionName)[],
): readonly Order[] {
  if (!Array.isArray(input)) throw badQuery("'order_by' must be a list of [name, direction].");
  return input.map((entry: unknown): Order => {
    if (!Array.isArray(entry) || entry.length !== 2) {
      throw badQuery(`The order ${describe(entry)} must be [name, direction].`);
    }
    const [name, direction] = entry as readonly unknown[];
    const known = queried.find((candidate) => candidate === name);
    if (known === undefined) {
      throw badQuery(`The order ${describe(name)} is neither a queried metric nor a dimension.`);
    }
    if (direction !== 'asc' && direction !== 'desc') {
      throw badQuery(`The direction ${describe(direction)} must be 'asc' or 'desc'.`);
    }
    return [known, direction];
  });
}

function parseInclude(
  input: unknown,
  dimensions: readonly DimensionName[],
): Pick<Query, 'include' | 'includeSent'> {
  const fields = parseObject(input, 'include', INCLUDE_KEYS);
  const flag = (key: Exclude<(typeof INCLUDE_KEYS)[number], 'comparisons'>): boolean => {
    const value = fields[key] ?? false;
    if (typeof value !== 'boolean') throw badQuery(`'include.${key}' must be true or false.`);
    return value;
  };
  const timeLabels = flag('time_labels');
  if (timeLabels && !dimensions.some((name) => name.startsWith('time'))) {
    throw badQuery("'include.time_labels' needs a time dimension.");
  }
  const include = {
    imports: flag('imports'),
    timeLabels,
    totalRows: flag('total_rows'),
    trimRelativeDateRange: flag('trim_relative_date_range'),
    comparisons: parseComparison(fields.comparisons),
  };
  const sent = Object.entries(fields).filter(([, value]) => value !== false && value !== null);
  return { include, includeSent: Object.fromEntries(sent) };
}

function parseComparison(input: unknown): Comparison | undefined {
  if (input === undefined || input === null) return undefined;
  const fields = parseObject(input, 'comparisons', COMPARISON_KEYS);
  const mode = COMPARISON_MODES.find((known) => known === fields.mode);
  if (mode === undefined) throw unknownName('comparison mode', fields.mode, COMPARISON_MODES);
  const matchDayOfWeek = fields.match_day_of_week ?? false;
  if (typeof matchDayOfWeek !== 'boolean') {
    throw badQuery("'match_day_of_week' must be true or false.");
  }
  if ((mode === 'custom') !== (fields.date_range !== undefined)) {
    throw badQuery("The comparison mode 'custom', and no other, takes a 'date_range'.");
  }
  if (mode !== 'custom') return { mode, matchDayOfWeek };
  if (!Array.isArray(fields.date_range)) {
    throw badQuery("The 'date_range' of a comparison must be a list of two dates.");
  }
  return { mode, matchDayOfWeek, dateRange: parseDateRange(fields.date_range) };
}

function parsePagination(input: unknown): Query['pagination'] {
  const fields = parseObject(input, 'pagination', ['limit', 'offset']);
  const limit = fields.limit ?? ROWS_MAX;
  const offset = fields.offset ?? 0;
  if (!isWhole(limit) || limit < 1 || limit > ROWS_MAX) {
    throw badQuery(`'pagination.limit' must be a whole number from 1 to ${ROWS_MAX}.`);
  }
  if (!isWhole(offset) || offset < 0) {
    throw badQuery("'pagination.offset' must be a whole number from 0.");
  }
  return { limit, offset };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
