import fc from 'fast-check';
import { addDays } from '../model/local-time.ts';
import { isLeaf, leavesOf, type Comparisons, type Filter, type QueryBody } from '../model/query.ts';
import { filter } from './random-filter.ts';
import type { OddDay } from './random-hits.ts';

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

/** A range around a date that is not known yet. */
type RangeDraft =
  | { readonly kind: 'named'; readonly name: string }
  /** Whole days before and after the date. */
  | { readonly kind: 'days'; readonly before: number; readonly after: number }
  /** Half hours before the date's midnight in UTC, and a length. */
  | { readonly kind: 'moments'; readonly before: number; readonly seconds: number };

const NAMED = ['day', '24h', '7d', '28d', '30d', '91d', 'month', '6mo', '12mo', 'year', '3d'];
const named = (name: fc.Arbitrary<string>): fc.Arbitrary<RangeDraft> =>
  fc.record({ kind: fc.constant('named' as const), name });
const rangeDraft: fc.Arbitrary<RangeDraft> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('days' as const),
      before: fc.oneof(fc.constant(0), fc.nat(8)),
      after: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('moments' as const),
      before: fc.integer({ min: -10, max: 30 }),
      seconds: fc.nat(40 * 3600),
    }),
  },
  { weight: 1, arbitrary: named(fc.constant('all')) },
  { weight: 1, arbitrary: named(fc.constantFrom(...NAMED)) },
);

function rangeOf(draft: RangeDraft, date: string): QueryBody['date_range'] {
  if (draft.kind === 'named') return draft.name;
  if (draft.kind === 'days') return [addDays(date, -draft.before), addDays(date, draft.after)];
  const fromMs = Date.parse(`${date}T00:00:00Z`) - draft.before * 1_800_000;
  const iso = (timeMs: number): string => new Date(timeMs).toISOString().replace('.000', '');
  return [iso(fromMs), iso(fromMs + draft.seconds * 1000)];
}

/** A way to compare two dates with others; `custom` with so many days before the date. */
type ComparisonDraft = Omit<Comparisons, 'date_range'> & { readonly days: number };

const comparisonDraft: fc.Arbitrary<ComparisonDraft> = fc.record({
  mode: fc.constantFrom('previous_period', 'year_over_year', 'custom'),
  match_day_of_week: fc.boolean(),
  days: fc.nat(9),
});

function comparisonsOf({ days, ...draft }: ComparisonDraft, date: string): Comparisons {
  if (draft.mode !== 'custom') return draft;
  return { mode: 'custom', date_range: [addDays(date, -days), addDays(date, 1)] };
}

/** A query before it is known which site and date it is about. */
interface QueryDraft {
  /** Which of the metrics that are allowed. */
  readonly metrics: readonly number[];
  readonly range: RangeDraft;
  readonly dimensions: readonly string[];
  readonly filters: readonly Filter[];
  /** Which of the metrics and dimensions; undefined for the default order. */
  readonly order: readonly (readonly [number, 'asc' | 'desc'])[] | undefined;
  readonly totalRows: boolean;
  readonly labels: boolean;
  readonly trim: boolean;
  readonly comparisons: ComparisonDraft | undefined;
  readonly page: { readonly limit: number; readonly offset: number } | undefined;
}

const rarely = <T>(weight: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const dimensions: fc.Arbitrary<readonly string[]> = fc
  .tuple(
    rarely(1, fc.constantFrom('event:page', 'event:goal')),
    rarely(1, fc.constantFrom(...DIMENSIONS)),
    rarely(5, fc.constantFrom(...DIMENSIONS)),
  )
  .map((drawn) => drawn.filter((name) => name !== undefined));

export const queryDraft: fc.Arbitrary<QueryDraft> = fc.record({
  metrics: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
  range: rangeDraft,
  dimensions,
  filters: fc
    .tuple(rarely(1, filter), rarely(7, filter))
    .map((drawn) => drawn.filter((one) => one !== undefined)),
  order: rarely(1, fc.array(fc.tuple(fc.nat(), fc.constantFrom('asc', 'desc')), { maxLength: 2 })),
  totalRows: fc.boolean(),
  labels: fc.boolean(),
  trim: fc.boolean(),
  comparisons: rarely(3, comparisonDraft),
  page: rarely(4, fc.record({ limit: fc.integer({ min: 1, max: 5 }), offset: fc.nat(3) })),
});

/** The query that a draft means: one that every rule of the interface allows. */
export function queryOf(draft: QueryDraft, siteId: string, { date }: OddDay): QueryBody {
  const { filters } = draft;
  const dimensions = allowedDimensions(draft.dimensions);
  const allowed = METRICS.filter((name) => isAllowed(name, dimensions, filters));
  const drawn = draft.metrics.map((index) => allowed[index % allowed.length] ?? 'visitors');
  const metrics = [...new Set(drawn)];
  const fields = [...metrics, ...dimensions];
  const order_by = draft.order?.map(
    ([index, way]) => [fields[index % fields.length] ?? '', way] as const,
  );
  const hasTime = dimensions.some(isTime);
  const isComparable =
    !hasTime && draft.range.kind === 'days' && metrics.every((name) => SIMPLE.has(name));
  return {
    site_id: siteId,
    metrics,
    date_range: rangeOf(draft.range, date),
    dimensions,
    filters,
    include: {
      total_rows: draft.totalRows,
      time_labels: draft.labels && hasTime,
      trim_relative_date_range: draft.trim,
      ...(draft.comparisons === undefined || !isComparable
        ? {}
        : { comparisons: comparisonsOf(draft.comparisons, date) }),
    },
    ...(order_by === undefined ? {} : { order_by }),
    ...(draft.page === undefined ? {} : { pagination: draft.page }),
  };
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
