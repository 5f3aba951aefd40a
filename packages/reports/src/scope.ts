import {
  eligibleSql,
  filterSql,
  looksAtEvent,
  looksAtVisit,
  scrollGoalsIn,
  type FilterScope,
} from './filter-sql.ts';
import type { Filter } from './query.ts';
import type { ResolvedDimension, ResolvedQuery } from './resolved-query.ts';
import { allOf, sql, type Sql } from './sql.ts';
import type { TimeRange } from './time-range.ts';
import { unreachable } from './unreachable.ts';

/** What one SELECT of a statement looks at: a query's filters over one of its ranges. */
export interface Scope {
  readonly query: ResolvedQuery;
  readonly range: TimeRange;
  /** The instants between which visits begin and events are counted: the range's, or a part of it. */
  readonly fromMs: Sql;
  readonly toMs: Sql;
  readonly conjuncts: readonly Filter[];
  readonly dimensions: readonly ResolvedDimension[];
}

function filterScope(scope: Scope, visitId: Sql, sinceMs: Sql | undefined): FilterScope {
  return { siteId: scope.query.siteId, goals: scope.query.goals, visitId, sinceMs };
}

/** Whether any filter looks at the event. */
export function filtersEvents(scope: Scope): boolean {
  return scope.conjuncts.some(looksAtEvent);
}

/** The visit `v` began in the range and passes the filters that look at visits only. */
export function visitSql(scope: Scope): Sql {
  const { fromMs, toMs } = scope;
  const inner = filterScope(scope, sql`v.id`, fromMs);
  const ofVisit = scope.conjuncts.filter((filter) => !looksAtEvent(filter));
  return allOf([
    sql`v.site_id = ${scope.query.siteId}`,
    sql`v.start_ms >= ${fromMs}`,
    sql`v.start_ms < ${toMs}`,
    ...ofVisit.map((filter) => filterSql(filter, inner)),
  ]);
}

/** The visit `v` began in the range and holds an event that passes all filters together. */
export function chosenVisitSql(scope: Scope): Sql {
  if (!filtersEvents(scope)) return visitSql(scope);
  return sql`(${visitSql(scope)} AND v.id IN (${matchedEventsSql(scope, sql`e.visit_id`)}))`;
}

/** The event `e`, of a visit that began in the range, passes the filters that look at events. */
export function matchedEventSql(scope: Scope): Sql {
  const inner = filterScope(scope, sql`e.visit_id`, scope.fromMs);
  const ofEvent = scope.conjuncts.filter(looksAtEvent);
  return allOf([
    sql`e.site_id = ${scope.query.siteId}`,
    // No event of a visit is earlier than the visit's start.
    sql`e.time_ms >= ${scope.fromMs}`,
    eligibleSql(scrollGoalsOf(scope)),
    ...ofEvent.map((filter) => filterSql(filter, inner)),
  ]);
}

function scrollGoalsOf(scope: Scope) {
  const filtered = scrollGoalsIn(scope.conjuncts, scope.query.goals);
  const grouped = scope.dimensions.some((dimension) => dimension.kind === 'goal')
    ? scope.query.listedGoals.filter((goal) => goal.kind === 'scroll')
    : [];
  return [...filtered, ...grouped];
}

/** `columns` of all events that may make a visit of the range a chosen one. */
export function matchedEventsSql(scope: Scope, columns: Sql): Sql {
  const mixed = scope.conjuncts.some((filter) => looksAtEvent(filter) && looksAtVisit(filter));
  const source = mixed ? sql`event e JOIN visit v ON v.id = e.visit_id` : sql`event e`;
  return sql`SELECT ${columns} FROM ${source} WHERE ${matchedEventSql(scope)}`;
}

/** The page view or custom event `e` happened in the range and passes all filters. */
export function countedEventSql(scope: Scope): Sql {
  const { fromMs, toMs } = scope;
  const inner = filterScope(scope, sql`e.visit_id`, undefined);
  return allOf([
    sql`e.site_id = ${scope.query.siteId}`,
    sql`e.time_ms >= ${fromMs}`,
    sql`e.time_ms < ${toMs}`,
    sql`e.name <> 'engagement'`,
    ...scope.conjuncts.map((filter) => filterSql(filter, inner)),
  ]);
}

/** The engagement ping `e` is on a page that the filters on pages and host names let pass. */
export function pingPageSql(scope: Scope): Sql {
  const inner = filterScope(scope, sql`e.visit_id`, scope.fromMs);
  const ofPage = scope.conjuncts.filter(looksAtPageOnly);
  return allOf([
    sql`e.site_id = ${scope.query.siteId}`,
    sql`e.time_ms >= ${scope.fromMs}`,
    sql`e.name = 'engagement'`,
    ...ofPage.map((filter) => filterSql(filter, inner)),
  ]);
}

/** Whether the filter can be asked of a ping, which has a page and a host but no property. */
function looksAtPageOnly(filter: Filter): boolean {
  switch (filter.kind) {
    case 'leaf':
      return filter.dimension === 'event:page' || filter.dimension === 'event:hostname';
    case 'and':
    case 'or':
      return filter.filters.every(looksAtPageOnly);
    case 'not':
      return looksAtPageOnly(filter.filter);
    case 'has_done':
    case 'has_not_done':
      return false;
    default:
      throw unreachable(filter);
  }
}
