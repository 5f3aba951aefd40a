import type { Goal, MetricWarning, RevenueValue } from '@loggia/contract';

import { leavesOf } from './filter-sql.ts';
import type { Filter, Query } from './query.ts';

/**
 * Whose money revenue metrics add up. Only amounts in a goal's own currency count: there are no
 * exchange rates here.
 */
export type Revenue =
  | { readonly kind: 'none'; readonly warning: MetricWarning }
  /** All rows in one currency. */
  | { readonly kind: 'single'; readonly currency: string }
  /** Each row in the currency of its goal, or null for a goal without one. */
  | { readonly kind: 'by_goal'; readonly currencies: readonly (string | null)[] };

const NO_GOALS: MetricWarning = {
  code: 'no_revenue_goals_matching',
  warning: 'Revenue metrics are null as there are no matching revenue goals.',
};
const NO_SINGLE_CURRENCY: MetricWarning = {
  code: 'no_single_revenue_currency',
  warning:
    'Revenue metrics are null as there are multiple currencies for the selected event:goals.',
};

/** Decides the currency, from the goals that the query filters or groups by. */
export function resolveRevenue(
  query: Query,
  conjuncts: readonly Filter[],
  listedGoals: readonly Goal[],
): Revenue {
  const byGoal = query.dimensions.includes('event:goal');
  const filtered = leavesOf(conjuncts).some((leaf) => leaf.dimension === 'event:goal');
  const currencies = listedGoals.map((goal) => (goal.kind === 'event' ? goal.currency : null));
  const known = new Set(currencies.filter((currency) => currency !== null));
  if (known.size === 0 || !(byGoal || filtered)) return { kind: 'none', warning: NO_GOALS };
  if (byGoal) return { kind: 'by_goal', currencies };
  const [currency] = known;
  return known.size > 1 || currency === undefined
    ? { kind: 'none', warning: NO_SINGLE_CURRENCY }
    : { kind: 'single', currency };
}

/** An amount with its forms for people, as `€1.2K` and `€1,234.50`. */
export function revenueValue(value: number, currency: string): RevenueValue {
  const long = formatter(currency, {});
  const short = formatter(currency, {
    notation: 'compact',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
  return { value, currency, short: short(value), long: long(value) };
}

function formatter(currency: string, options: Intl.NumberFormatOptions): (value: number) => string {
  try {
    const format = new Intl.NumberFormat('en-US', { style: 'currency', currency, ...options });
    return (value) => format.format(value);
  } catch (error) {
    // An owner may have typed anything of three letters or more; the amount is still worth showing.
    if (!(error instanceof RangeError)) throw error;
    return (value) => `${currency} ${value.toFixed(2)}`;
  }
}
