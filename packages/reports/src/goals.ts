import type { Goal } from '@loggia/contract';

import { badQuery, describe } from './bad-query.ts';
import { literalPattern, wildcardPattern } from './pattern.ts';
import type { FilterLeaf } from './query.ts';
import { sql, type Sql } from './sql.ts';
import { unreachable } from './unreachable.ts';

/**
 * The goals that a filter on `event:goal` names.
 *
 * `is` takes a goal's display name or, where no goal is called that, its event's name or `Visit`
 * with its page, as older clients write them.
 *
 * @throws HttpError `bad_query` when `is` names a goal that the site does not have.
 */
export function goalsNamed(leaf: FilterLeaf, goals: readonly Goal[]): readonly Goal[] {
  const named = new Set(
    leaf.clauses.flatMap((clause) =>
      leaf.operator === 'is'
        ? goalsCalled(clause, leaf, goals)
        : goalsContaining(clause, leaf, goals),
    ),
  );
  return goals.filter((goal) => named.has(goal));
}

function goalsCalled(clause: string, leaf: FilterLeaf, goals: readonly Goal[]): readonly Goal[] {
  const isSame = comparer(clause, leaf.caseSensitive, true);
  const byName = goals.filter((goal) => isSame(goal.displayName));
  if (byName.length > 0) return byName;
  const byContent = goals.filter((goal) => {
    if (goal.kind === 'event') return isSame(goal.eventName ?? '');
    return goal.kind === 'page' && isSame(`Visit ${goal.pagePattern ?? ''}`);
  });
  if (byContent.length === 0) {
    throw badQuery(`The goal ${describe(clause)} is not configured for this site.`);
  }
  return byContent;
}

function goalsContaining(
  clause: string,
  leaf: FilterLeaf,
  goals: readonly Goal[],
): readonly Goal[] {
  const isWithin = comparer(clause, leaf.caseSensitive, false);
  return goals.filter((goal) => isWithin(goal.displayName));
}

function comparer(
  clause: string,
  caseSensitive: boolean,
  whole: boolean,
): (text: string) => boolean {
  if (caseSensitive) return (text) => (whole ? text === clause : text.includes(clause));
  const literal = literalPattern(clause);
  const pattern = new RegExp(whole ? `^${literal}$` : literal, 'iu');
  return (text) => pattern.test(text);
}

/**
 * Whether the event `e` completes the goal. Only a scroll goal is completed by an engagement ping,
 * since nothing else tells how far a page was scrolled.
 */
export function goalSql(goal: Goal): Sql {
  switch (goal.kind) {
    case 'event':
      return sql`(e.name = ${goal.eventName ?? ''} AND e.name <> 'engagement')`;
    case 'page':
      return sql`(e.name = 'pageview' AND ${pageSql(goal.pagePattern ?? '')})`;
    case 'scroll':
      return sql`(e.name = 'engagement' AND coalesce(e.scroll_depth >= ${goal.scrollThreshold ?? 0}, FALSE) AND ${pageSql(goal.pagePattern ?? '')})`;
    default:
      throw unreachable(goal.kind);
  }
}

function pageSql(pattern: string): Sql {
  return pattern.includes('*')
    ? sql`regexp_matches(e.page, ${wildcardPattern(pattern)})`
    : sql`e.page = ${pattern}`;
}
