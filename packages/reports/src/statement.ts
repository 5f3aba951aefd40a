import type { MetricName, Statement } from '@loggia/contract';

import { labelSql } from './dimensions.ts';
import { MEASURES, metricEntry, type Measure, type MetricEntry, type PartName } from './metrics.ts';
import { keyNames, partSql, visitorsSql } from './parts.ts';
import type { ResolvedDimension, ResolvedQuery } from './resolved-query.ts';
import type { Scope } from './scope.ts';
import { allOf, anyOf, identifier, joinSql, sql, valueList, type Sql } from './sql.ts';
import type { TimeRange } from './time-range.ts';

/** Which rows of a query's answer a statement gives. */
export interface StatementOptions {
  readonly range: TimeRange;
  readonly limit: number;
  readonly offset: number;
  /** Only rows with these labels, per dimension; undefined where any will do. */
  readonly labels?: readonly (readonly string[] | undefined)[];
}

/**
 * The statement of a query. Its columns are the dimensions (`d0` …: text, or the number of the time
 * step), the metrics (`m0` …: whole numbers, `10 ** decimals` times the value, or null), and
 * `total_rows`, the number of rows of all pages.
 */
export function queryStatement(query: ResolvedQuery, options: StatementOptions): Statement {
  const { range } = options;
  const { dimensions, conjuncts } = query;
  const scope = { query, range, conjuncts, dimensions };
  const entries = query.metrics.map((name) => metricEntry(name, isByPage(dimensions)));
  const keys = keyNames(dimensions);
  const labels = dimensions.map((dimension, index) => labelOf(query, dimension, index));
  const values = entries.map((entry, index) => {
    const value = isRevenue(query.metrics[index]) ? pricedSql(query, entry.value) : entry.value;
    return sql`CAST(${value} AS BIGINT) AS ${metricColumn(index)}`;
  });
  const columns = [...keys, ...entries.map((_, index) => metricColumn(index))];
  const text = sql`WITH summed AS (${summedSql(scope, entries)}), totals AS (${totalsSql(scope, entries)}), measured AS (SELECT ${joinSql([...labels, ...values], ', ')} FROM summed, totals) SELECT ${joinSql([...columns, sql`count(*) OVER () AS total_rows`], ', ')} FROM measured WHERE ${listedSql(query, options)}${orderSql(query)} LIMIT ${options.limit} OFFSET ${options.offset}`;
  const reads = { fromMs: range.fromMs, toMs: range.toMs };
  return { sql: text.text, parameters: text.parameters, reads };
}

function isByPage(dimensions: readonly ResolvedDimension[]): boolean {
  return dimensions.some(({ name }) => name === 'event:page' || name === 'event:hostname');
}

function isRevenue(name: MetricName | undefined): boolean {
  return name === 'total_revenue' || name === 'average_revenue';
}

/** `value` where the row has a currency, else null: what is no money is not 0 of it. */
function pricedSql({ revenue, dimensions }: ResolvedQuery, value: Sql): Sql {
  if (revenue.kind === 'single') return value;
  if (revenue.kind === 'none') return sql`NULL`;
  const goal = dimensions.findIndex((dimension) => dimension.kind === 'goal');
  const currencies = valueList(revenue.currencies.map((code) => code ?? ''));
  return sql`CASE WHEN list_extract([${currencies}], ${identifier(`summed.d${goal}`)}) <> '' THEN ${value} END`;
}

function metricColumn(index: number): Sql {
  return identifier(`m${index}`);
}

/** All measures that the metrics are made of, summed per row. */
function summedSql(scope: Scope, entries: readonly MetricEntry[]): Sql {
  const measures = [...new Set(entries.flatMap((entry) => entry.measures))];
  const parts = [...new Set(measures.map((measure): PartName => MEASURES[measure]))];
  const rows = joinSql(
    parts.map((part) => partSql(part, scope, measures)),
    ' UNION ALL ',
  );
  const keys = keyNames(scope.dimensions);
  const columns = joinSql([...keys, ...measures.map(addedUp)], ', ');
  if (keys.length === 0) return sql`SELECT ${columns} FROM (${rows})`;
  return sql`SELECT ${columns} FROM (${rows}) GROUP BY ${joinSql(keys, ', ')} HAVING bool_or(present)`;
}

function addedUp(measure: Measure): Sql {
  const name = identifier(measure);
  return sql`CAST(coalesce(sum(${name}), 0) AS BIGINT) AS ${name}`;
}

function totalsSql(scope: Scope, entries: readonly MetricEntry[]): Sql {
  const totals = [...new Set(entries.flatMap((entry) => entry.total ?? []))];
  const columns = totals.map(
    (total) => sql`(${visitorsSql(scope, total === 'all_visitors')}) AS ${identifier(total)}`,
  );
  return sql`SELECT ${joinSql([sql`1 AS one`, ...columns], ', ')}`;
}

function labelOf(query: ResolvedQuery, dimension: ResolvedDimension, index: number): Sql {
  const key = identifier(`d${index}`);
  if (dimension.kind !== 'goal') return sql`${labelSql(dimension.name, key)} AS ${key}`;
  const names = valueList(query.listedGoals.map((goal) => goal.displayName));
  return sql`list_extract(CAST([${names}] AS VARCHAR[]), ${key}) AS ${key}`;
}

/** Rows of nothing but zeros are not listed, except the one row without dimensions. */
function listedSql(query: ResolvedQuery, options: StatementOptions): Sql {
  if (query.dimensions.length === 0) return sql`TRUE`;
  const nonZero = query.metrics.map((_, index) => sql`${metricColumn(index)} IS DISTINCT FROM 0`);
  const wanted = (options.labels ?? []).flatMap((labels, index) =>
    labels === undefined ? [] : [sql`${identifier(`d${index}`)} IN (${valueList(labels)})`],
  );
  return allOf([anyOf(nonZero), ...wanted]);
}

/** The order asked for; ties are broken by the dimensions, so that pages never overlap. */
function orderSql(query: ResolvedQuery): Sql {
  const terms = query.orderBy.map(([name, direction]) => {
    const metric = query.metrics.indexOf(name as MetricName);
    const dimension = query.dimensions.findIndex((candidate) => candidate.name === name);
    const column = metric === -1 ? identifier(`d${dimension}`) : metricColumn(metric);
    return direction === 'asc' ? sql`${column} ASC NULLS LAST` : sql`${column} DESC NULLS LAST`;
  });
  const ties = keyNames(query.dimensions).map((key) => sql`${key} ASC NULLS LAST`);
  const all = [...terms, ...ties];
  return all.length === 0 ? sql`` : sql` ORDER BY ${joinSql(all, ', ')}`;
}
