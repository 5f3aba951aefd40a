import fc from 'fast-check';
import type { Filter, Leaf } from '../model/query.ts';
import type { SiteGoal } from './harness.ts';
import { COUNTRIES, HOSTS, NAMES, PAGES, PLANS, SOURCES, TERMS } from './random-hits.ts';

/** The goals of every random site. */
export const GOALS: readonly SiteGoal[] = [
  { kind: 'event', displayName: 'Signup', eventName: 'Signup' },
  { kind: 'event', displayName: 'Order', eventName: 'Purchase', currency: 'EUR' },
  { kind: 'event', displayName: 'Beeped', eventName: 'Beep', currency: 'USD' },
  { kind: 'page', displayName: 'Page a', pagePattern: '/a' },
  { kind: 'page', displayName: 'Below b', pagePattern: '/b/*' },
  { kind: 'page', displayName: 'Any', pagePattern: '/**' },
  { kind: 'scroll', displayName: 'Deep', pagePattern: '/*', scrollThreshold: 50 },
];

const MISS = 'nowhere';
const PLAIN_CLAUSES = new Map([
  ['visit:source', [...SOURCES, 'Direct / None', MISS]],
  ['visit:country', [...COUNTRIES, '(not set)']],
  ['visit:country_name', ['Germany', 'France', '(not set)']],
  ['visit:utm_term', [...TERMS, 'shoes', '(not set)', '(none)']],
  ['visit:entry_page', [...PAGES, '(not set)']],
  ['visit:exit_page', [...PAGES, '(not set)']],
  ['visit:exit_page_hostname', HOSTS],
  ['event:page', [...PAGES, MISS]],
  ['event:hostname', HOSTS],
  ['event:name', ['pageview', 'engagement', ...NAMES]],
  ['event:props:plan', [...PLANS, '(none)']],
]);
const PARTS = ['o', '/', 'ä', 'e', 'E', '.'];
const PATTERNS = ['^/b', 'o', '[A-Z]', '/.*c$', 'e|a'];
const WILDCARDS = ['/*', '/**', '*o*', '/b**', '**'];

const oneOrTwo = (values: readonly string[]): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });

const leafOn = (dimension: string, values: readonly string[]): fc.Arbitrary<Leaf> =>
  fc.oneof(
    fc.tuple(fc.constantFrom('is', 'is_not'), fc.constant(dimension), oneOrTwo(values)),
    fc.tuple(fc.constantFrom('contains', 'contains_not'), fc.constant(dimension), oneOrTwo(PARTS)),
    fc.tuple(
      fc.constantFrom('is', 'is_not', 'contains', 'contains_not'),
      fc.constant(dimension),
      oneOrTwo(values.flatMap((value) => [value.toUpperCase(), value.slice(1).toLowerCase()])),
      fc.record({ case_sensitive: fc.boolean() }),
    ),
    fc.tuple(fc.constantFrom('matches', 'matches_not'), fc.constant(dimension), oneOrTwo(PATTERNS)),
    fc.tuple(
      fc.constantFrom('matches_wildcard', 'matches_wildcard_not'),
      fc.constant(dimension),
      oneOrTwo(WILDCARDS),
    ),
  );

const plainLeaf = fc
  .constantFrom(...PLAIN_CLAUSES.entries())
  .chain(([dimension, values]) => leafOn(dimension, values));
const eventLeaf = fc
  .constantFrom(...[...PLAIN_CLAUSES].filter(([dimension]) => dimension.startsWith('event:')))
  .chain(([dimension, values]) => leafOn(dimension, values));
const goalLeaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.tuple(
    fc.constant('is' as const),
    fc.constant('event:goal'),
    oneOrTwo(GOALS.map((goal) => goal.displayName ?? '')),
  ),
  fc.tuple(fc.constant('contains' as const), fc.constant('event:goal'), oneOrTwo(['e', 'B', 'y'])),
);

/** Any filter of a query's own list. */
export const filter: fc.Arbitrary<Filter> = fc.oneof(
  { weight: 4, arbitrary: plainLeaf },
  { weight: 1, arbitrary: goalLeaf },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom('has_done' as const, 'has_not_done' as const),
      fc.oneof(eventLeaf, goalLeaf, fc.tuple(fc.constant('not' as const), eventLeaf)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.letrec<{ tree: Filter }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 2, depthSize: 'small' },
        plainLeaf.filter((leaf) => leaf[1] !== 'event:hostname'),
        fc.tuple(
          fc.constantFrom('and' as const, 'or' as const),
          fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        ),
        fc.tuple(fc.constant('not' as const), tie('tree')),
      ),
    })).tree,
  },
);
