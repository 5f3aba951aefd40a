import type { LateStatement, MetricName, Statement } from '@loggia/contract';

import { labelSql } from './dimensions.ts';
import { MEASURES, metricEntry, type Measure, type MetricEntry, type PartName } from './metrics.ts';
import { keyNames, partSql, visitorsSql } from './parts.ts';
import type { ResolvedDimension, ResolvedQuery } from './resolved-query.ts';
import { rollupPart, rollupRows, rollupVisitorsSql, totalPlan } from './rollup-part.ts';
import { planRollups, type RollupPlan } from './rollup-plan.ts';
import type { Scope } from './scope.ts';
import {
  allOf,
  anyOf,
  identifier,
  joinSql,
  late,
  sql,
  statementOf,
  valueList,
  type Sql,
} from './sql.ts';
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
  const entries = query.metrics.map((name) => metricEntry(name, isByPage(dimensions)));
  const whole = { query, range, conjuncts, dimensions };
  const counted = { ...whole, fromMs: sql`${range.fromMs}`, toMs: sql`${range.toMs}` };
  const reads = { fromMs: range.fromMs, toMs: range.toMs };
  const statement = { ...statementOf(statementSql({ scope: counted, entries }, options)), reads };
  const plan = planRollups(query, range, measuresOf(entries));
  if (plan === undefined) return statement;
  const scope = { ...whole, fromMs: late('rawFromMs'), toMs: late('rawToMs') };
  const lateOf = (parts: StatementParts) => lateStatement(statementSql(parts, options));
  const rolledUp = {
    siteId: query.siteId,
    dimensions: dimensionsRead(plan, entries),
    firstDay: plan.firstDay,
    dayStartsMs: plan.dayStartsMs,
    toMs: range.toMs,
    byMonth: plan.byMonth,
    summed: lateOf({ scope, entries, sums: { plan, alone: true } }),
    mixed: lateOf({ scope, entries, sums: { plan, alone: false } }),
  };
  return { ...statement, rolledUp };
}

/** What the rows of a statement are counted and summed from. */
interface StatementParts {
  readonly scope: Scope;
  readonly entries: readonly MetricEntry[];
  /** Sums that are added to what is counted or, alone, stand in for it. */
  readonly sums?: { readonly plan: RollupPlan; readonly alone: boolean };
}

function statementSql(parts: StatementParts, options: StatementOptions): Sql {
  const { query, dimensions } = parts.scope;
  const { entries } = parts;
  const keys = keyNames(dimensions);
  const labels = dimensions.map((dimension, index) => labelOf(query, dimension, index));
  const values = entries.map((entry, index) => {
    const value = isRevenue(query.metrics[index]) ? pricedSql(query, entry.value) : entry.value;
    return sql`CAST(${value} AS BIGINT) AS ${metricColumn(index)}`;
  });
  const columns = [...keys, ...entries.map((_, index) => metricColumn(index))];
  const hasTotals = entries.some(({ total }) => total !== undefined);
  const totals = hasTotals ? sql`totals AS (${totalsSql(parts)}), ` : sql``;
  const source = hasTotals ? sql`summed, totals` : sql`summed`;
  return sql`WITH summed AS (${summedSql(parts)}), ${totals}measured AS (SELECT ${joinSql([...labels, ...values], ', ')} FROM ${source}) SELECT ${joinSql([...columns, sql`count(*) OVER () AS total_rows`], ', ')} FROM measured WHERE ${listedSql(query, options)}${orderSql(query)} LIMIT ${options.limit} OFFSET ${options.offset}`;
}

/** A total is read from the sums over all values. */
function dimensionsRead(plan: RollupPlan, entries: readonly MetricEntry[]): readonly number[] {
  const hasTotal = entries.some(({ total }) => total !== undefined);
  const read = hasTotal ? [plan.dimension, totalPlan(plan).dimension] : [plan.dimension];
  return [...new Set(read)];
}

function lateStatement({ text, parameters }: Sql): LateStatement {
  return { sql: text, parameters };
}

function measuresOf(entries: readonly MetricEntry[]): readonly Measure[] {
  return [...new Set(entries.flatMap((entry) => entry.measures))];
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
function summedSql({ scope, entries, sums }: StatementParts): Sql {
  const measures = measuresOf(entries);
  const parts = [...new Set(measures.map((measure): PartName => MEASURES[measure]))];
  if (sums?.alone === true) return rollupRows(scope, sums.plan, measures);
  const counted = parts.map((part) => partSql(part, scope, measures));
  const summed = sums === undefined ? [] : [rollupPart(scope, sums.plan, measures)];
  const rows = joinSql([...counted, ...summed], ' UNION ALL ');
  const keys = keyNames(scope.dimensions);
  const columns = joinSql([...keys, ...measures.map(addedUp)], ', ');
  if (keys.length === 0) return sql`SELECT ${columns} FROM (${rows})`;
  return sql`SELECT ${columns} FROM (${rows}) GROUP BY ${joinSql(keys, ', ')} HAVING bool_or(present)`;
}

function addedUp(measure: Measure): Sql {
  const name = identifier(measure);
  return sql`CAST(coalesce(sum(${name}), 0) AS BIGINT) AS ${name}`;
}

function totalsSql({ scope, entries, sums }: StatementParts): Sql {
  const totals = [...new Set(entries.flatMap((entry) => entry.total ?? []))];
  const columns = totals.map((total) => {
    const counted =
      sums?.alone === true ? [] : [sql`(${visitorsSql(scope, total === 'all_visitors')})`];
    const summed = sums === undefined ? [] : [sql`(${rollupVisitorsSql(scope, sums.plan)})`];
    return sql`${joinSql([...counted, ...summed], ' + ')} AS ${identifier(total)}`;
  });
  return sql`SELECT ${joinSql(columns, ', ')}`;
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
