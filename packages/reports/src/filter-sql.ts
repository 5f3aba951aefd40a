import type { Goal } from '@loggia/contract';

import { groupSql, isVisitDimension, labelSql, NO_PROPERTY, NOT_SET } from './dimensions.ts';
import { goalSql, goalsNamed } from './goals.ts';
import { caselessPattern, wildcardPattern } from './pattern.ts';
import type { Filter, FilterLeaf } from './query.ts';
import { allOf, anyOf, sql, valueList, type Sql } from './sql.ts';
import { unreachable } from './unreachable.ts';

/** What conditions refer to: the event `e`, the visit `v`, or both. */
export interface FilterScope {
  readonly siteId: number;
  readonly goals: readonly Goal[];
  /** The id of the visit in question, for conditions about what else it holds. */
  readonly visitId: Sql;
  /** No event of a visit in question is earlier; undefined when that is not known. */
  readonly sinceMs: Sql | undefined;
}

/** The comparisons in `filters`, those of has_done and has_not_done left out. */
export function leavesOf(filters: readonly Filter[]): readonly FilterLeaf[] {
  return filters.flatMap((filter): readonly FilterLeaf[] => {
    switch (filter.kind) {
      case 'leaf':
        return [filter];
      case 'and':
      case 'or':
        return leavesOf(filter.filters);
      case 'not':
        return leavesOf([filter.filter]);
      case 'has_done':
      case 'has_not_done':
        return [];
      default:
        throw unreachable(filter);
    }
  });
}

/** The filters that must all hold, with `and` at the top taken apart. */
export function conjunctsOf(filters: readonly Filter[]): readonly Filter[] {
  return filters.flatMap((filter) =>
    filter.kind === 'and' ? conjunctsOf(filter.filters) : [filter],
  );
}

/** Whether the filter looks at the event, beside or instead of the visit. */
export function looksAtEvent(filter: Filter): boolean {
  return leavesOf([filter]).some((leaf) => !isVisitDimension(leaf.dimension));
}

/** Whether the filter looks at attributes of the visit. */
export function looksAtVisit(filter: Filter): boolean {
  return leavesOf([filter]).some((leaf) => isVisitDimension(leaf.dimension));
}

/** The scroll goals that the filters name: what lets an engagement ping count as an event. */
export function scrollGoalsIn(filters: readonly Filter[], goals: readonly Goal[]): readonly Goal[] {
  return leavesOf(filters)
    .filter((leaf) => leaf.dimension === 'event:goal')
    .flatMap((leaf) => goalsNamed(leaf, goals))
    .filter((goal) => goal.kind === 'scroll');
}

/** Whether the event `e` is one that filters may match: no ping, unless it completes a goal. */
export function eligibleSql(scrollGoals: readonly Goal[]): Sql {
  return anyOf([sql`e.name <> 'engagement'`, ...[...new Set(scrollGoals)].map(goalSql)]);
}

/** The condition of a filter on the event `e` and the visit `v`. It is true or false, never null. */
export function filterSql(filter: Filter, scope: FilterScope): Sql {
  switch (filter.kind) {
    case 'leaf':
      return leafSql(filter, scope.goals);
    case 'and':
      return allOf(filter.filters.map((part) => filterSql(part, scope)));
    case 'or':
      return anyOf(filter.filters.map((part) => filterSql(part, scope)));
    case 'not':
      return sql`NOT ${filterSql(filter.filter, scope)}`;
    case 'has_done':
      return sql`${scope.visitId} IN (${deedSql(filter.filter, scope)})`;
    case 'has_not_done':
      return sql`${scope.visitId} NOT IN (${deedSql(filter.filter, scope)})`;
    default:
      throw unreachable(filter);
  }
}

/** The visits that hold an event that passes the filter. */
function deedSql(filter: Filter, scope: FilterScope): Sql {
  const eligible = eligibleSql(scrollGoalsIn([filter], scope.goals));
  const since = scope.sinceMs === undefined ? sql`TRUE` : sql`e.time_ms >= ${scope.sinceMs}`;
  const conditions = [eligible, since, filterSql(filter, scope)];
  return sql`SELECT e.visit_id FROM event e WHERE e.site_id = ${scope.siteId} AND ${allOf(conditions)}`;
}

function leafSql(leaf: FilterLeaf, goals: readonly Goal[]): Sql {
  if (leaf.dimension === 'event:goal') return anyOf(goalsNamed(leaf, goals).map(goalSql));
  const value = labelSql(leaf.dimension, groupSql(leaf.dimension));
  const matched = matchSql(leaf, value);
  return isNegated(leaf) ? sql`NOT ${matched}` : matched;
}

function isNegated(leaf: FilterLeaf): boolean {
  return leaf.operator.endsWith('_not');
}

function matchSql(leaf: FilterLeaf, value: Sql): Sql {
  const { clauses } = leaf;
  switch (leaf.operator) {
    case 'is':
    case 'is_not': {
      const wanted = withTagAlias(leaf);
      return leaf.caseSensitive
        ? sql`(${value} IN (${valueList(wanted)}))`
        : sql`regexp_matches(${value}, ${caselessPattern(wanted, true)})`;
    }
    case 'contains':
    case 'contains_not':
      return leaf.caseSensitive
        ? anyOf(clauses.map((clause) => sql`contains(${value}, ${clause})`))
        : sql`regexp_matches(${value}, ${caselessPattern(clauses, false)})`;
    case 'matches':
    case 'matches_not':
      return anyOf(clauses.map((clause) => sql`regexp_matches(${value}, ${clause})`));
    case 'matches_wildcard':
    case 'matches_wildcard_not':
      return anyOf(
        clauses.map((clause) => sql`regexp_matches(${value}, ${wildcardPattern(clause)})`),
      );
    default:
      throw unreachable(leaf.operator);
  }
}

/** A missing tag is listed as `(not set)`; `(none)`, as clients also write it, finds it too. */
function withTagAlias(leaf: FilterLeaf): readonly string[] {
  const isTag = leaf.dimension.startsWith('visit:utm_');
  return isTag && leaf.clauses.includes(NO_PROPERTY) ? [...leaf.clauses, NOT_SET] : leaf.clauses;
}

/** Every regular expression that the query's sender wrote. */
export function patternsIn(filters: readonly Filter[]): readonly string[] {
  return filters.flatMap((filter): readonly string[] => {
    switch (filter.kind) {
      case 'leaf':
        return /^matches(_not)?$/.test(filter.operator) ? filter.clauses : [];
      case 'and':
      case 'or':
        return patternsIn(filter.filters);
      case 'not':
      case 'has_done':
      case 'has_not_done':
        return patternsIn([filter.filter]);
      default:
        throw unreachable(filter);
    }
  });
}
