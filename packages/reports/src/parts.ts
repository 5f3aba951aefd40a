import { groupSql } from './dimensions.ts';
import { looksAtVisit } from './filter-sql.ts';
import { goalSql } from './goals.ts';
import { MEASURES, type Measure, type PartName } from './metrics.ts';
import { isConversion, type ResolvedDimension } from './resolved-query.ts';
import {
  chosenVisitSql,
  countedEventSql,
  filtersEvents,
  matchedEventSql,
  matchedEventsSql,
  pingPageSql,
  visitSql,
  type Scope,
} from './scope.ts';
import { identifier, joinSql, sql, valueList, type Sql } from './sql.ts';
import { stepSql } from './time-step.ts';
import { unreachable } from './unreachable.ts';

/**
 * The parts of a statement. Each is a SELECT of the dimensions as `d0`, `d1` … and of the measures
 * that were asked for, null where the part does not sum them. The statement adds the parts up.
 */

type KeyOf = (dimension: ResolvedDimension) => Sql;

/** The SELECT of the part `name`, with the columns of all `measures`. */
export function partSql(name: PartName, scope: Scope, measures: readonly Measure[]): Sql {
  switch (name) {
    case 'visits':
      return visitsPart(scope, measures, 'visits');
    case 'entries':
      return endsPart(scope, measures, 'entry');
    case 'exits':
      return endsPart(scope, measures, 'exit');
    case 'events':
      return eventsPart(scope, measures);
    case 'pings':
      return pingsPart(scope, measures);
    case 'pageViews':
      return pageViewsPart(scope, measures);
    case 'groups':
      return groupsPart(scope, measures);
    default:
      throw unreachable(name);
  }
}

interface Sum {
  readonly value: Sql;
  /** The columns of the visit that `value` reads. */
  readonly reads: readonly ('visitor' | 'pageviews' | 'bounce' | 'start_ms' | 'last_ms')[];
}

const COUNT: Sum = { value: sql`count(*)`, reads: [] };
const VISITORS: Sum = { value: sql`count(DISTINCT visitor)`, reads: ['visitor'] };
const BOUNCES: Sum = { value: sql`sum(bounce)`, reads: ['bounce'] };
const DURATION: Sum = {
  value: sql`sum(CASE WHEN bounce = 1 THEN 0 ELSE last_ms - start_ms END)`,
  reads: ['bounce', 'start_ms', 'last_ms'],
};

const SUMS: Readonly<Record<Measure, Sum>> = {
  visitors: VISITORS,
  visits: COUNT,
  views: { value: sql`sum(pageviews)`, reads: ['pageviews'] },
  bounces: BOUNCES,
  duration_ms: DURATION,
  entries: COUNT,
  entry_bounces: BOUNCES,
  entry_duration_ms: DURATION,
  pageviews: { value: sql`count(*) FILTER (WHERE name = 'pageview')`, reads: [] },
  events: COUNT,
  revenue_milli: { value: sql`sum(revenue_milli)`, reads: [] },
  sales: { value: sql`count(revenue_milli)`, reads: [] },
  engaged_ms: { value: sql`sum(engaged_ms)`, reads: [] },
  depth_sum: { value: sql`sum(depth)`, reads: [] },
  depth_pairs: { value: sql`count(depth)`, reads: [] },
  exits: COUNT,
  page_views: COUNT,
  group_visitors: VISITORS,
};

/** The columns of the visit `v` that the part's sums read. */
function visitColumns(part: PartName, measures: readonly Measure[]): readonly Sql[] {
  const own = measures.filter((measure) => MEASURES[measure] === part);
  const names = new Set(own.flatMap((measure) => SUMS[measure].reads));
  return [...names].map((name) => sql`${identifier(`v.${name}`)} AS ${identifier(name)}`);
}

/** Adds up the rows of `rows`, which has the columns `d0`, `d1` … and those of the part's sums. */
function sumUp(rows: Sql, part: PartName, scope: Scope, measures: readonly Measure[]): Sql {
  const keys = keyNames(scope.dimensions);
  const sums = measures.map((measure) => {
    const value = MEASURES[measure] === part ? SUMS[measure].value : sql`NULL`;
    return sql`CAST(${value} AS BIGINT) AS ${identifier(measure)}`;
  });
  // Only these two parts make rows; the others add measures to rows that exist.
  const present = part === 'visits' || part === 'events' ? sql`TRUE` : sql`FALSE`;
  const grouping = keys.length === 0 ? sql`` : sql` GROUP BY ${joinSql(keys, ', ')}`;
  return sql`SELECT ${joinSql([...keys, ...sums, sql`${present} AS present`], ', ')} FROM (${rows})${grouping}`;
}

/** The names of the columns of the dimensions. */
export function keyNames(dimensions: readonly ResolvedDimension[]): readonly Sql[] {
  return dimensions.map((_, index) => identifier(`d${index}`));
}

function keyColumns(scope: Scope, keyOf: KeyOf): readonly Sql[] {
  return scope.dimensions.map(
    (dimension, index) => sql`${keyOf(dimension)} AS ${identifier(`d${index}`)}`,
  );
}

/** The key of a dimension, with time told by `timeMs`. */
function keyBy(scope: Scope, timeMs: Sql): KeyOf {
  return (dimension) => {
    switch (dimension.kind) {
      case 'time':
        return stepSql(dimension.step, timeMs, scope.range);
      case 'goal':
        return goalNumberSql(scope);
      case 'value':
        return groupSql(dimension.name);
      default:
        throw unreachable(dimension);
    }
  };
}

/** One row per goal that the event `e` completes: its number among the listed goals, from 1. */
function goalNumberSql(scope: Scope): Sql {
  const cases = scope.query.listedGoals.map(
    (goal, index) => sql`CASE WHEN ${goalSql(goal)} THEN ${index + 1} END`,
  );
  const numbers = sql`CAST([${joinSql(cases, ', ')}] AS BIGINT[])`;
  return sql`unnest(list_filter(${numbers}, lambda n: n IS NOT NULL))`;
}

function isOfEvent(dimension: ResolvedDimension): boolean {
  return dimension.kind === 'goal' || dimension.name.startsWith('event:');
}

/** Visits by their own attributes; by an event's, the visits that hold such an event. */
function visitsPart(scope: Scope, measures: readonly Measure[], part: 'visits' | 'groups'): Sql {
  const keys = keyColumns(scope, keyBy(scope, sql`v.start_ms`));
  const read = [...keys, ...visitColumns(part, measures)];
  if (!scope.dimensions.some(isOfEvent)) {
    const columns = joinSql([...read, sql`v.id AS visit_id`], ', ');
    const rows = sql`SELECT ${columns} FROM visit v WHERE ${chosenVisitSql(scope)}`;
    return sumUp(rows, part, scope, measures);
  }
  // Visitors are told apart when they are counted; all else needs each visit once per row.
  const needsVisits = measures.some(
    (measure) => MEASURES[measure] === part && SUMS[measure] !== VISITORS,
  );
  const columns = needsVisits
    ? sql`DISTINCT ${joinSql([...read, sql`v.id AS visit_id`], ', ')}`
    : joinSql(read, ', ');
  const rows = sql`SELECT ${columns} FROM event e JOIN visit v ON v.id = e.visit_id WHERE ${visitSql(scope)} AND ${matchedEventSql(scope)}`;
  return sumUp(rows, part, scope, measures);
}

/** Chosen visits by the page and host name that they entered or left on. */
function endsPart(scope: Scope, measures: readonly Measure[], end: 'entry' | 'exit'): Sql {
  const keyOf = keyBy(scope, sql`v.start_ms`);
  const page = identifier(`v.${end}_page`);
  const keys = keyColumns(scope, (dimension) => {
    if (dimension.name === 'event:page') return page;
    return dimension.name === 'event:hostname' ? identifier(`v.${end}_hostname`) : keyOf(dimension);
  });
  const part = end === 'entry' ? 'entries' : 'exits';
  const columns = joinSql([...keys, sql`v.id AS visit_id`, ...visitColumns(part, measures)], ', ');
  const rows = sql`SELECT ${columns} FROM visit v WHERE ${page} IS NOT NULL AND ${chosenVisitSql(scope)}`;
  return sumUp(rows, part, scope, measures);
}

/** Page views and custom events by their own time. */
function eventsPart(scope: Scope, measures: readonly Measure[]): Sql {
  const keys = keyColumns(scope, keyBy(scope, sql`e.time_ms`));
  const read = [
    sql`e.name AS name`,
    sql`e.revenue_milli AS amount`,
    sql`e.revenue_currency AS currency`,
  ];
  const readsVisit =
    scope.conjuncts.some(looksAtVisit) ||
    scope.dimensions.some((dimension) => dimension.name.startsWith('visit:'));
  const source = readsVisit ? sql`event e JOIN visit v ON v.id = e.visit_id` : sql`event e`;
  const rows = sql`SELECT ${joinSql([...keys, ...read], ', ')} FROM ${source} WHERE ${countedEventSql(scope)}`;
  const revenue = sql`CASE WHEN ${isCountedMoneySql(scope)} THEN amount END AS revenue_milli`;
  const priced = joinSql([...keyNames(scope.dimensions), sql`name`, revenue], ', ');
  return sumUp(sql`SELECT ${priced} FROM (${rows})`, 'events', scope, measures);
}

/** Whether the event's `amount` is in the currency that its row is told in. */
function isCountedMoneySql({ query, dimensions }: Scope): Sql {
  const { revenue } = query;
  switch (revenue.kind) {
    case 'none':
      return sql`FALSE`;
    case 'single':
      return sql`currency = ${revenue.currency}`;
    case 'by_goal': {
      const goal = dimensions.findIndex((dimension) => dimension.kind === 'goal');
      const currencies = valueList(revenue.currencies.map((code) => code ?? ''));
      return sql`currency = list_extract([${currencies}], ${identifier(`d${goal}`)})`;
    }
    default:
      throw unreachable(revenue);
  }
}

/** Engagement pings of chosen visits, added up by visit and page first. */
function pingsPart(scope: Scope, measures: readonly Measure[]): Sql {
  const keys = keyColumns(scope, keyBy(scope, sql`v.start_ms`));
  const read = [sql`sum(e.engaged_ms) AS engaged_ms`, sql`max(e.scroll_depth) AS depth`];
  const grouping = joinSql([...keyNames(scope.dimensions), sql`e.visit_id`, sql`e.page`], ', ');
  const rows = sql`SELECT ${joinSql([...keys, ...read], ', ')} FROM event e JOIN visit v ON v.id = e.visit_id WHERE ${visitSql(scope)} AND ${pingPageSql(scope)} AND ${pingVisitSql(scope)} GROUP BY ${grouping}`;
  return sumUp(rows, 'pings', scope, measures);
}

/** The ping's visit has an event that puts it into the row that the ping's page belongs to. */
function pingVisitSql(scope: Scope): Sql {
  const places = scope.dimensions.flatMap((dimension) => {
    if (dimension.name === 'event:page') return [sql`e.page`];
    return dimension.name === 'event:hostname' ? [sql`e.hostname`] : [];
  });
  if (places.length === 0 && !filtersEvents(scope)) return sql`TRUE`;
  const columns = joinSql([sql`e.visit_id`, ...places], ', ');
  return sql`(${columns}) IN (${matchedEventsSql(scope, columns)})`;
}

/** Page views within the chosen visits, by the page that `exits` counts too. */
function pageViewsPart(scope: Scope, measures: readonly Measure[]): Sql {
  const keyOf = keyBy(scope, sql`v.start_ms`);
  const byExit = scope.dimensions.some((dimension) => dimension.name === 'visit:exit_page');
  const keys = keyColumns(scope, (dimension) => {
    if (dimension.name === 'visit:exit_page') return sql`e.page`;
    if (dimension.name === 'visit:exit_page_hostname' && byExit) return sql`e.hostname`;
    return keyOf(dimension);
  });
  // As in Plausible: a page's views are not only those of visits that ended there.
  const conjuncts = byExit
    ? scope.conjuncts.filter((f) => f.kind !== 'leaf' || f.dimension !== 'visit:exit_page')
    : scope.conjuncts;
  const columns = keys.length === 0 ? sql`1 AS one` : joinSql(keys, ', ');
  const rows = sql`SELECT ${columns} FROM event e JOIN visit v ON v.id = e.visit_id WHERE ${chosenVisitSql({ ...scope, conjuncts })} AND e.site_id = ${scope.query.siteId} AND e.time_ms >= ${scope.fromMs} AND e.name = 'pageview'`;
  return sumUp(rows, 'pageViews', scope, measures);
}

/** Visitors of each row without the filters that choose who converted; the same for every goal. */
function groupsPart(scope: Scope, measures: readonly Measure[]): Sql {
  const goal = scope.dimensions.findIndex((dimension) => dimension.kind === 'goal');
  const conjuncts = scope.conjuncts.filter((filter) => !isConversion(filter));
  const dimensions = scope.dimensions.filter((dimension) => dimension.kind !== 'goal');
  const groups = visitsPart({ ...scope, conjuncts, dimensions }, measures, 'groups');
  if (goal === -1) return groups;
  const numbers = valueList(scope.query.listedGoals.map((_, index) => index + 1));
  let inner = 0;
  const keys = scope.dimensions.map((dimension, index) => {
    const value =
      dimension.kind === 'goal'
        ? sql`unnest(CAST([${numbers}] AS BIGINT[]))`
        : identifier(`g.d${inner++}`);
    return sql`${value} AS ${identifier(`d${index}`)}`;
  });
  const sums = measures.map((measure) => identifier(`g.${measure}`));
  return sql`SELECT ${joinSql([...keys, ...sums, sql`g.present`], ', ')} FROM (${groups}) g`;
}

/** The number of visitors of the whole query; `converted` leaves goal and property filters in. */
export function visitorsSql(scope: Scope, converted: boolean): Sql {
  const conjuncts = converted
    ? scope.conjuncts
    : scope.conjuncts.filter((filter) => !isConversion(filter));
  const whole = { ...scope, conjuncts, dimensions: [] };
  return sql`SELECT count(DISTINCT v.visitor) FROM visit v WHERE ${chosenVisitSql(whole)}`;
}
