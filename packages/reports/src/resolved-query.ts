import type {
  DimensionName,
  FilterDimension,
  Goal,
  MetricName,
  TimeDimension,
} from '@loggia/contract';

import { badQuery } from './bad-query.ts';
import { isPropertyDimension } from './dimensions.ts';
import { conjunctsOf, leavesOf } from './filter-sql.ts';
import { goalsNamed } from './goals.ts';
import type { Filter, Order, Query, QueryContext } from './query.ts';
import { resolveRevenue, type Revenue } from './revenue.ts';
import { comparisonRange, resolveDateRange, trimRange, type TimeRange } from './time-range.ts';
import { suitableStep, type TimeStep } from './time-step.ts';

/** A dimension with everything left open decided. */
export type ResolvedDimension =
  | { readonly kind: 'time'; readonly name: `time:${TimeStep}`; readonly step: TimeStep }
  | { readonly kind: 'goal'; readonly name: 'event:goal' }
  | { readonly kind: 'value'; readonly name: Exclude<FilterDimension, 'event:goal'> };

/** A query for one site at one moment: nothing is relative any more. */
export interface ResolvedQuery {
  readonly siteId: number;
  readonly metrics: readonly MetricName[];
  readonly dimensions: readonly ResolvedDimension[];
  /** Filters that must all hold. */
  readonly conjuncts: readonly Filter[];
  readonly range: TimeRange;
  readonly compared: TimeRange | undefined;
  readonly orderBy: readonly (readonly [string, 'asc' | 'desc'])[];
  readonly goals: readonly Goal[];
  /** The goals that rows by `event:goal` are made for, in the site's order. */
  readonly listedGoals: readonly Goal[];
  readonly revenue: Revenue;
  /** From here on the site's days have been counted by its present zone. */
  readonly zoneSinceMs: number;
}

/**
 * Decides everything that depends on the site and the present.
 *
 * @throws HttpError `bad_query` when metrics, dimensions and filters do not go together.
 */
export function resolveQuery(query: Query, context: QueryContext): ResolvedQuery {
  const asked = resolveDateRange(query.dateRange, context);
  const range = query.include.trimRelativeDateRange
    ? trimRange(asked, query.dateRange, context)
    : asked;
  const { comparisons } = query.include;
  const dimensions = query.dimensions.map((name) => resolveDimension(name, range));
  const conjuncts = conjunctsOf(query.filters);
  checkCombination(query, conjuncts);
  const listedGoals = listGoals(conjuncts, context.goals);
  return {
    siteId: context.site.id,
    metrics: query.metrics,
    dimensions,
    conjuncts,
    range,
    compared: comparisons && comparisonRange(comparisons, asked, context),
    orderBy: resolveOrder(query, dimensions),
    goals: context.goals,
    listedGoals,
    revenue: resolveRevenue(query, conjuncts, listedGoals),
    zoneSinceMs: context.site.zoneSinceMs ?? 0,
  };
}

function resolveDimension(name: DimensionName, range: TimeRange): ResolvedDimension {
  if (name === 'event:goal') return { kind: 'goal', name };
  if (!isTimeDimension(name)) return { kind: 'value', name };
  const step = name === 'time' ? suitableStep(range) : STEPS[name];
  return { kind: 'time', name: `time:${step}`, step };
}

const STEPS = {
  'time:hour': 'hour',
  'time:day': 'day',
  'time:week': 'week',
  'time:month': 'month',
} as const satisfies Readonly<Record<string, TimeStep>>;

function isTimeDimension(name: DimensionName): name is TimeDimension {
  return name === 'time' || Object.hasOwn(STEPS, name);
}

function resolveOrder(
  query: Query,
  dimensions: readonly ResolvedDimension[],
): readonly (readonly [string, 'asc' | 'desc'])[] {
  const time = dimensions.find((dimension) => dimension.kind === 'time');
  const named = ([name, direction]: Order) =>
    [name === 'time' && time !== undefined ? time.name : name, direction] as const;
  if (query.orderBy !== undefined) return query.orderBy.map(named);
  const byMetric = [query.metrics[0] ?? 'visitors', 'desc'] as const;
  return time === undefined ? [byMetric] : [[time.name, 'asc'], byMetric];
}

/** The site's goals that pass every filter on `event:goal`. */
function listGoals(conjuncts: readonly Filter[], goals: readonly Goal[]): readonly Goal[] {
  let listed = goals;
  for (const filter of conjuncts) {
    if (filter.kind !== 'leaf' || filter.dimension !== 'event:goal') continue;
    const named = goalsNamed(filter, goals);
    listed = listed.filter((goal) => named.includes(goal));
  }
  return listed;
}

const SESSION_METRICS: readonly MetricName[] = ['views_per_visit', 'bounce_rate', 'visit_duration'];
const PAGE_METRICS: readonly MetricName[] = ['time_on_page', 'scroll_depth'];
const CONVERSION_METRICS: readonly MetricName[] = ['conversion_rate', 'group_conversion_rate'];

function checkCombination(query: Query, conjuncts: readonly Filter[]): void {
  const { metrics, dimensions } = query;
  const leaves = leavesOf(conjuncts);
  const filtersOn = (name: string) => leaves.some((leaf) => leaf.dimension === name);
  const ofEvent = dimensions.find(
    (name) => name === 'event:name' || name === 'event:goal' || isPropertyDimension(name),
  );
  for (const metric of metrics) {
    const ofVisit = [...SESSION_METRICS, ...PAGE_METRICS, 'exit_rate'].includes(metric);
    if (ofVisit && ofEvent !== undefined) {
      throw badQuery(`The metric '${metric}' cannot be grouped by '${ofEvent}'.`);
    }
    const byPage = dimensions.includes('event:page') || filtersOn('event:page');
    if (PAGE_METRICS.includes(metric) && !byPage) {
      throw badQuery(`The metric '${metric}' needs the dimension event:page or a filter on it.`);
    }
    const byExit = dimensions.includes('event:page') || dimensions.includes('visit:exit_page');
    if (metric === 'exit_rate' && !byExit) {
      throw badQuery("The metric 'exit_rate' needs the dimension event:page or visit:exit_page.");
    }
    const byGoal = dimensions.includes('event:goal') || filtersOn('event:goal');
    if (!CONVERSION_METRICS.includes(metric)) continue;
    if (!byGoal) {
      throw badQuery(`The metric '${metric}' needs the dimension event:goal or a filter on it.`);
    }
    if (conjuncts.some(hidesConversion)) {
      throw badQuery(
        `With the metric '${metric}', goals and properties may only be filtered at the top level.`,
      );
    }
  }
}

/** Whether goals or properties are filtered within another filter, where they cannot be lifted. */
function hidesConversion(filter: Filter): boolean {
  return filter.kind !== 'leaf' && leavesOf([filter]).some((leaf) => isConversion(leaf));
}

/** Whether the filter chooses those who converted, and so is left out of what they are part of. */
export function isConversion(filter: Filter): boolean {
  if (filter.kind !== 'leaf') return false;
  return filter.dimension === 'event:goal' || isPropertyDimension(filter.dimension);
}
