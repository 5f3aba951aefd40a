import fc from 'fast-check';
import { addDays } from '../model/local-time.ts';
import {
  isLeaf,
  leavesOf,
  type Comparisons,
  type Filter,
  type Leaf,
  type QueryBody,
} from '../model/query.ts';
import type { SiteGoal } from './harness.ts';
import {
  COUNTRIES,
  HOSTS,
  NAMES,
  PAGES,
  PLANS,
  SOURCES,
  TERMS,
  type OddDay,
} from './random-hits.ts';

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

const VISIT_METRICS = ['bounce_rate', 'visit_duration', 'views_per_visit'];
const PAGE_METRICS = ['time_on_page', 'scroll_depth'];
const CONVERSIONS = ['conversion_rate', 'group_conversion_rate'];
const REVENUE = ['total_revenue', 'average_revenue'];
const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'events',
  'percentage',
  'exit_rate',
  ...VISIT_METRICS,
  ...PAGE_METRICS,
  ...CONVERSIONS,
  ...REVENUE,
];

/** Metrics whose value for a row that is missing needs no row. */
const SIMPLE = new Set(['visitors', 'visits', 'pageviews', 'events', ...VISIT_METRICS]);

const PLACES = ['event:page', 'event:hostname'];
const OTHER_EVENT_DIMENSIONS = ['event:name', 'event:goal', 'event:props:plan'];
const DIMENSIONS = [
  'visit:source',
  'visit:country',
  'visit:country_name',
  'visit:utm_term',
  'visit:channel',
  'visit:entry_page',
  'visit:exit_page',
  'visit:entry_page_hostname',
  'time',
  'time:hour',
  'time:day',
  'time:week',
  'time:month',
  ...PLACES,
  ...OTHER_EVENT_DIMENSIONS,
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
  ) as fc.Arbitrary<Leaf>;

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

const filter: fc.Arbitrary<Filter> = fc.oneof(
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

/** Ranges that touch the odd day, by every way of saying so. */
function dateRangeAround(date: string): fc.Arbitrary<string | [string, string]> {
  const days = fc
    .tuple(fc.integer({ min: -8, max: 0 }), fc.integer({ min: 0, max: 2 }))
    .map(([from, to]): [string, string] => [addDays(date, from), addDays(date, to)]);
  const datetimes = fc
    .tuple(fc.integer({ min: -30, max: 10 }), fc.integer({ min: 0, max: 40 * 3600 }))
    .map(([halfHours, seconds]): [string, string] => {
      const fromMs = Date.parse(`${date}T00:00:00Z`) + halfHours * 1_800_000;
      const iso = (timeMs: number): string => new Date(timeMs).toISOString().replace('.000', '');
      return [iso(fromMs), iso(fromMs + seconds * 1000)];
    });
  const names = ['day', '24h', '7d', '28d', '30d', '91d', 'month', '6mo', '12mo', 'year', '3d'];
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant<[string, string]>([date, date]) },
    { weight: 2, arbitrary: days },
    { weight: 1, arbitrary: datetimes },
    { weight: 1, arbitrary: fc.constant('all') },
    { weight: 1, arbitrary: fc.constantFrom(...names) },
  );
}

/** Ways to compare two dates with others. */
function comparisons(date: string): fc.Arbitrary<Comparisons> {
  return fc.oneof(
    fc.record({
      mode: fc.constantFrom('previous_period' as const, 'year_over_year' as const),
      match_day_of_week: fc.boolean(),
    }),
    fc.nat(9).map((days): Comparisons => {
      return { mode: 'custom', date_range: [addDays(date, -days), addDays(date, 1)] };
    }),
  );
}

/** A query that every rule of the interface allows, on a site of that zone and around that date. */
export function queryFor(siteId: string, { date }: OddDay): fc.Arbitrary<QueryBody> {
  const dateRange = dateRangeAround(date);
  return fc
    .record({
      metrics: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
      dateRange,
      dimensions: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...DIMENSIONS)) },
        {
          weight: 1,
          arbitrary: fc.uniqueArray(fc.constantFrom(...DIMENSIONS), { maxLength: 2 }),
        },
      ),
      filters: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 4, arbitrary: fc.tuple(filter) },
        { weight: 1, arbitrary: fc.tuple(filter, filter) },
      ),
      focus: fc.constantFrom('any', 'page', 'goal'),
      order: fc.array(fc.tuple(fc.nat(), fc.constantFrom('asc' as const, 'desc' as const)), {
        maxLength: 2,
      }),
      isOrdered: fc.boolean(),
      totalRows: fc.boolean(),
      labels: fc.boolean(),
      trim: fc.boolean(),
      comparisons: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, comparisons(date)),
      page: fc.oneof(
        { weight: 4, arbitrary: fc.constant(undefined) },
        {
          weight: 1,
          arbitrary: fc.record({ limit: fc.integer({ min: 1, max: 5 }), offset: fc.nat(3) }),
        },
      ),
    })
    .map((draft): QueryBody => {
      const { filters, focus } = draft;
      const focused = focus === 'any' ? [] : [`event:${focus}`];
      const dimensions = allowedDimensions([...focused, ...draft.dimensions]);
      const allowed = METRICS.filter((name) => isAllowed(name, dimensions, filters));
      const drawn = draft.metrics.map((index) => allowed[index % allowed.length] ?? 'visitors');
      const metrics = [...new Set(drawn)];
      const fields = [...metrics, ...dimensions];
      const order_by = draft.order.map(
        ([index, way]) => [fields[index % fields.length] ?? '', way] as const,
      );
      const hasTime = dimensions.some(isTime);
      const isComparable =
        !hasTime && isDates(draft.dateRange) && metrics.every((name) => SIMPLE.has(name));
      return {
        site_id: siteId,
        metrics,
        date_range: draft.dateRange,
        dimensions,
        filters,
        include: {
          total_rows: draft.totalRows,
          time_labels: draft.labels && hasTime,
          trim_relative_date_range: draft.trim,
          ...(draft.comparisons === undefined || !isComparable
            ? {}
            : { comparisons: draft.comparisons }),
        },
        ...(draft.isOrdered ? { order_by } : {}),
        ...(draft.page === undefined ? {} : { pagination: draft.page }),
      };
    });
}

function isDates(range: QueryBody['date_range']): boolean {
  return typeof range !== 'string' && range[0].length === 10;
}

function isTime(dimension: string): boolean {
  return dimension === 'time' || dimension.startsWith('time:');
}

/** Each once, and at most one dimension of time. */
function allowedDimensions(dimensions: readonly string[]): string[] {
  const first = dimensions.find(isTime);
  return [...new Set(dimensions)].filter((name) => !isTime(name) || name === first);
}

/** What the interface says of which metric may go with which dimensions and filters. */
function isAllowed(
  metric: string,
  dimensions: readonly string[],
  filters: readonly Filter[],
): boolean {
  const hasOther = dimensions.some((name) => name.startsWith('event:') && !PLACES.includes(name));
  const onTop = filters.filter(isLeaf);
  const hasGoal =
    dimensions.includes('event:goal') || onTop.some((leaf) => leaf[1] === 'event:goal');
  if (VISIT_METRICS.includes(metric)) return !hasOther;
  if (PAGE_METRICS.includes(metric)) {
    const hasPage =
      dimensions.includes('event:page') || onTop.some((leaf) => leaf[1] === 'event:page');
    return hasPage && !hasOther;
  }
  if (metric === 'exit_rate') {
    const pages = ['event:page', 'visit:exit_page'].filter((name) => dimensions.includes(name));
    const hasDeepExit = filters
      .filter((one) => !isLeaf(one))
      .flatMap(leavesOf)
      .some((leaf) => leaf[1] === 'visit:exit_page');
    return pages.length === 1 && !hasOther && !hasDeepExit;
  }
  if (metric === 'percentage') return dimensions.length > 0;
  if (CONVERSIONS.includes(metric)) {
    const hasDeepProperty = filters
      .filter((one) => !isLeaf(one))
      .flatMap(leavesOf)
      .some((leaf) => leaf[1].startsWith('event:props:'));
    return hasGoal && !hasDeepProperty;
  }
  return !REVENUE.includes(metric) || hasGoal;
}
