import type { Goal } from '@loggia/contract';
import { cellsOf, listedGoals, type Cell, type Selection } from './cells.ts';
import { isLeaf, type MetricValue, type Money } from './query.ts';
import { quotient } from './rounding.ts';
import { isBounce, lastMs, pageviewsOf, startMs, type ModelVisit } from './visits.ts';

/** The value of `metric` in one cell of a selection. */
export function metricOf(metric: string, cell: Cell, selection: Selection): MetricValue {
  const rule = RULES[metric];
  if (rule === undefined) throw new Error(`${metric} is no metric`);
  return rule(cell, selection);
}

type Rule = (cell: Cell, selection: Selection) => MetricValue;

const RULES: Readonly<Record<string, Rule>> = {
  // 'Distinct visitor ids of visits that began in the range.'
  visitors: (cell) => visitorsOf(cell.visits),

  // 'Visits that began in the range.'
  visits: (cell) => cell.visits.size,

  // 'By their own time.'
  pageviews: (cell) => [...cell.events].filter((hit) => hit.name === 'pageview').length,
  events: (cell) => cell.events.size,

  // 'Pageviews of those visits ÷ visits'; 'with no visits … 0'.
  views_per_visit: (cell) => {
    const views = sum([...cell.visits], (visit) => pageviewsOf(visit).length);
    return cell.visits.size === 0 ? 0 : quotient(views, cell.visits.size, 1, 2);
  },

  // 'Visits with fewer than two pageviews and no interactive custom event ÷ visits.'
  bounce_rate: (cell) => {
    const bounces = [...cell.entered].filter(isBounce).length;
    return cell.entered.size === 0 ? 0 : quotient(bounces, cell.entered.size, 100, 0);
  },

  // 'Last activity − first, in seconds, mean over visits, bounces count as 0.'
  visit_duration: (cell) => {
    const stays = [...cell.entered].filter((visit) => !isBounce(visit));
    const ms = sum(stays, (visit) => lastMs(visit) - startMs(visit));
    return cell.entered.size === 0 ? 0 : quotient(ms, cell.entered.size * 1000, 1, 0);
  },

  // 'Engaged milliseconds (visible and focused) on the page ÷ visitors of the page.'
  time_on_page: (cell) => {
    const ms = sum([...cell.pings], ({ hit }) => hit.engagedMs ?? 0);
    const visitors = visitorsOf(cell.visits);
    return visitors === 0 ? null : quotient(ms, visitors * 1000, 1, 0);
  },

  // 'Per visit and page the maximum, then the mean'; 'a visit that never told its scroll depth on a
  // page is not in the mean'.
  scroll_depth: (cell) => {
    const deepest = new Map<ModelVisit, Map<string, number>>();
    for (const { visit, hit } of cell.pings) {
      if (hit.scrollDepth === null) continue;
      const pages = deepest.get(visit) ?? new Map<string, number>();
      pages.set(hit.page, Math.max(pages.get(hit.page) ?? 0, hit.scrollDepth));
      deepest.set(visit, pages);
    }
    const depths = [...deepest.values()].flatMap((pages) => [...pages.values()]);
    return depths.length === 0 ? null : quotient(sum(depths, Number), depths.length, 1, 0);
  },

  // 'Exits ÷ pageviews of the page.'
  exit_rate: (cell) =>
    cell.views.size === 0 ? null : quotient(cell.exited.size, cell.views.size, 100, 1),

  // Visitors of the row ÷ visitors of all rows.
  percentage: (cell, selection) => {
    const all = totalVisitors({ ...selection, dimensions: [] });
    return all === 0 ? null : quotient(visitorsOf(cell.visits), all, 100, 1);
  },

  // 'Converting visitors ÷ all visitors.'
  conversion_rate: (cell, selection) => {
    const all = totalVisitors({ ...withoutGoals(selection), dimensions: [] });
    return all === 0 ? null : quotient(visitorsOf(cell.visits), all, 100, 2);
  },

  // Converting visitors of the row ÷ all visitors of the row.
  group_conversion_rate: (cell, selection) => {
    const dimensions = selection.dimensions.filter((dimension) => dimension !== 'event:goal');
    const key = cell.dimensions.filter((_, index) => selection.dimensions[index] !== 'event:goal');
    const all = totalVisitors({ ...withoutGoals(selection), dimensions }, key);
    return all === 0 ? null : quotient(visitorsOf(cell.visits), all, 100, 2);
  },

  total_revenue: (cell, selection) => {
    const currency = currencyOf(cell, selection);
    if (currency === null) return null;
    return money(sum(salesOf(cell, currency), Number), 1, currency);
  },

  average_revenue: (cell, selection) => {
    const currency = currencyOf(cell, selection);
    if (currency === null) return null;
    const sales = salesOf(cell, currency);
    return money(sum(sales, Number), Math.max(sales.length, 1), currency);
  },
};

function visitorsOf(visits: ReadonlySet<ModelVisit>): number {
  return new Set([...visits].map((visit) => visit.visitor)).size;
}

function totalVisitors(selection: Selection, key: readonly string[] = []): number {
  const name = JSON.stringify(key);
  const cell = cellsOf(selection).find((other) => JSON.stringify(other.dimensions) === name);
  return cell === undefined ? 0 : visitorsOf(cell.visits);
}

/** The same selection of visitors whether they converted or not: no filters on goals and properties. */
function withoutGoals(selection: Selection): Selection {
  const filters = selection.filters.filter(
    (filter) =>
      !isLeaf(filter) || !(filter[1] === 'event:goal' || filter[1].startsWith('event:props:')),
  );
  return { ...selection, filters };
}

/** The one currency of the goals that the row stands for, or null. */
function currencyOf(cell: Cell, selection: Selection): string | null {
  const goals = goalsOf(cell, selection);
  const currencies = new Set(goals.flatMap((goal) => goal.currency ?? []));
  return currencies.size === 1 ? ([...currencies][0] ?? null) : null;
}

function goalsOf(cell: Cell, selection: Selection): readonly Goal[] {
  const listed = listedGoals(selection);
  const index = selection.dimensions.indexOf('event:goal');
  if (index >= 0) return listed.filter((goal) => goal.displayName === cell.dimensions[index]);
  const isFiltered = selection.filters.some((f) => isLeaf(f) && f[1] === 'event:goal');
  return isFiltered ? listed : [];
}

/** Thousandths of each sale. */
function salesOf(cell: Cell, currency: string): number[] {
  return [...cell.events]
    .filter((hit) => hit.revenueCurrency === currency)
    .flatMap((hit) => hit.revenueMilli ?? []);
}

function money(milli: number, count: number, currency: string): Money {
  return { value: quotient(milli, count * 1000, 1, 3), currency };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
