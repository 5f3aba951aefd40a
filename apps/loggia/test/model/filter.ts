import type { Goal, Hit } from '@loggia/contract';
import { labelForNothing, pageMatches, reaches, valueOf } from './dimension.ts';
import { isConnective, isLeaf, leavesOf, type Filter, type Leaf } from './query.ts';
import { eventsOf, type ModelVisit } from './visits.ts';

/**
 * Whether an event of a visit satisfies `filter`.
 *
 * 'One event must satisfy all the event filters of a query together; it may lie anywhere in the
 * visit. `has_done` and `has_not_done` ask about the visit.'
 */
export function satisfies(
  filter: Filter,
  visit: ModelVisit,
  hit: Hit,
  goals: readonly Goal[],
): boolean {
  if (isLeaf(filter)) return leafHolds(filter, visit, hit, goals);
  if (isConnective(filter)) {
    const holds = filter[1].map((part) => satisfies(part, visit, hit, goals));
    return filter[0] === 'and' ? holds.every(Boolean) : holds.some(Boolean);
  }
  if (filter[0] === 'not') return !satisfies(filter[1], visit, hit, goals);
  const isGoal = leavesOf(filter[1]).some((leaf) => leaf[1] === 'event:goal');
  const candidates = isGoal ? visit.hits : eventsOf(visit);
  const done = candidates.some((other) => satisfies(filter[1], visit, other, goals));
  return done === (filter[0] === 'has_done');
}

function leafHolds(leaf: Leaf, visit: ModelVisit, hit: Hit, goals: readonly Goal[]): boolean {
  if (leaf[1] !== 'event:goal') {
    return valueHolds(leaf, valueOf(leaf[1], visit, hit));
  }
  return goals.some((goal) => valueHolds(leaf, goal.displayName) && reaches(goal, hit));
}

/** 'A missing tag or property is the value `(none)`', and so it is with other labels for nothing. */
function valueHolds(leaf: Leaf, known: string | null): boolean {
  const [operator, dimension, clauses, modifiers] = leaf;
  const value = known ?? labelForNothing(dimension);
  const fold = (text: string): string =>
    modifiers?.case_sensitive === false ? text.toLowerCase() : text;
  const holds = (clause: string): boolean => {
    if (operator.startsWith('is')) {
      // A missing tag is shown as '(not set)' and, as the text has it, 'is the value `(none)`' too.
      const isMissingTag = known === null && dimension.startsWith('visit:utm_');
      return fold(value) === fold(clause) || (isMissingTag && clause === '(none)');
    }
    if (operator.startsWith('contains')) return fold(value).includes(fold(clause));
    if (operator.startsWith('matches_wildcard')) return pageMatches(clause, value);
    // '`matches` patterns are unanchored.'
    return new RegExp(clause, 'u').test(value);
  };
  return clauses.some(holds) !== operator.endsWith('_not');
}

/** 'Under a page filter, time on page and scroll depth are those of the pages that pass it.' */
export function pagePasses(filters: readonly Filter[], visit: ModelVisit, ping: Hit): boolean {
  return filters
    .filter((filter) => !isBehaviour(filter))
    .filter((filter) => leavesOf(filter).every((leaf) => leaf[1] === 'event:page'))
    .every((filter) => satisfies(filter, visit, ping, []));
}

function isBehaviour(filter: Filter): boolean {
  if (filter[0] === 'has_done' || filter[0] === 'has_not_done') return true;
  return filter[0] === 'not' && isBehaviour(filter[1]);
}
