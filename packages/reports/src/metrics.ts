import type { MetricName } from '@loggia/contract';

import { identifier, sql, type Sql } from './sql.ts';

/**
 * The whole numbers that metrics are made of, summed per row before anything is divided.
 *
 * - `visitors`, `visits`, `views`, `bounces`, `duration_ms`: of the visits of the row.
 * - `entries`, `entry_bounces`, `entry_duration_ms`: of the visits that entered on the row's page.
 * - `pageviews`, `events`, `revenue_milli`, `sales`: of the events of the row, by their own time.
 * - `engaged_ms`, `depth_sum`, `depth_pairs`: of the engagement pings of the row's visits.
 * - `exits`, `page_views`: of the row's page within the visits.
 * - `group_visitors`: visitors of the row without the goal and property filters.
 */
export const MEASURES = {
  visitors: 'visits',
  visits: 'visits',
  views: 'visits',
  bounces: 'visits',
  duration_ms: 'visits',
  entries: 'entries',
  entry_bounces: 'entries',
  entry_duration_ms: 'entries',
  pageviews: 'events',
  events: 'events',
  revenue_milli: 'events',
  sales: 'events',
  engaged_ms: 'pings',
  depth_sum: 'pings',
  depth_pairs: 'pings',
  exits: 'exits',
  page_views: 'pageViews',
  group_visitors: 'groups',
} as const;
export type Measure = keyof typeof MEASURES;
/** The part of a statement that sums a measure. */
export type PartName = (typeof MEASURES)[Measure];

/** The columns of the totals: visitors of the query as a whole, with and without its goals. */
export type Total = 'all_visitors' | 'unconverted_visitors';

/** How a metric is made, rounded and compared. */
export interface MetricEntry {
  readonly measures: readonly Measure[];
  readonly total?: Total;
  /** Its value times `10 ** decimals`, a whole number or null. */
  readonly value: Sql;
  readonly decimals: number;
  /** What a comparison tells: the difference of two rates, or the growth in per cent. */
  readonly change: 'points' | 'percent';
}

const column = identifier;

function count(measure: Measure): MetricEntry {
  return { measures: [measure], value: column(measure), decimals: 0, change: 'percent' };
}

interface Quotient {
  readonly of: Measure;
  readonly by: Measure | Total;
  /** What the quotient is multiplied with: 100 for a rate in per cent. */
  readonly times?: number;
  /** What the quotient is divided by: 1000 for seconds from milliseconds. */
  readonly per?: number;
  readonly decimals: number;
  /** The value when the divisor is 0. */
  readonly empty: 'zero' | 'null';
}

/** `of * times / (by * per)`, rounded half away from zero in whole numbers, for no float may err. */
function quotientSql({ of, by, times = 1, per = 1, decimals, empty }: Quotient): Sql {
  const numerator = sql`${column(of)} * ${2 * times * 10 ** decimals}`;
  const divisor = sql`${column(by)} * ${per}`;
  const rounded = sql`(${numerator} + ${divisor}) // (${divisor} * ${2})`;
  const otherwise = empty === 'zero' ? sql`${0}` : sql`NULL`;
  return sql`CASE WHEN ${column(by)} = 0 THEN ${otherwise} ELSE ${rounded} END`;
}

function rate(quotient: Quotient): Omit<MetricEntry, 'measures'> {
  return {
    value: quotientSql({ ...quotient, times: 100 }),
    decimals: quotient.decimals,
    change: 'points',
  };
}

function mean(quotient: Quotient): Omit<MetricEntry, 'measures'> {
  return { value: quotientSql(quotient), decimals: quotient.decimals, change: 'percent' };
}

/** Average money may be negative (refunds), so the sign is put aside while rounding. */
const AVERAGE_REVENUE = sql`CASE WHEN sales = 0 THEN ${0} ELSE sign(revenue_milli) * ((abs(revenue_milli) * ${2} + sales) // (sales * ${2})) END`;

/** The one table of metrics: what each is made of, how it is rounded, what it is without visits. */
const METRICS: Readonly<Record<MetricName, MetricEntry>> = {
  visitors: count('visitors'),
  visits: count('visits'),
  pageviews: count('pageviews'),
  events: count('events'),
  views_per_visit: {
    measures: ['views', 'visits'],
    ...mean({ of: 'views', by: 'visits', decimals: 2, empty: 'zero' }),
  },
  bounce_rate: {
    measures: ['bounces', 'visits'],
    ...rate({ of: 'bounces', by: 'visits', decimals: 0, empty: 'zero' }),
  },
  visit_duration: {
    measures: ['duration_ms', 'visits'],
    ...mean({ of: 'duration_ms', by: 'visits', per: 1000, decimals: 0, empty: 'zero' }),
  },
  time_on_page: {
    measures: ['engaged_ms', 'visitors'],
    ...mean({ of: 'engaged_ms', by: 'visitors', per: 1000, decimals: 0, empty: 'null' }),
  },
  scroll_depth: {
    measures: ['depth_sum', 'depth_pairs', 'visitors'],
    ...mean({ of: 'depth_sum', by: 'depth_pairs', decimals: 0, empty: 'null' }),
  },
  exit_rate: {
    measures: ['exits', 'page_views', 'visitors'],
    ...rate({ of: 'exits', by: 'page_views', decimals: 1, empty: 'null' }),
  },
  percentage: {
    measures: ['visitors'],
    total: 'all_visitors',
    ...rate({ of: 'visitors', by: 'all_visitors', decimals: 1, empty: 'null' }),
  },
  conversion_rate: {
    measures: ['visitors'],
    total: 'unconverted_visitors',
    ...rate({ of: 'visitors', by: 'unconverted_visitors', decimals: 2, empty: 'null' }),
  },
  group_conversion_rate: {
    measures: ['visitors', 'group_visitors'],
    ...rate({ of: 'visitors', by: 'group_visitors', decimals: 2, empty: 'null' }),
  },
  average_revenue: {
    measures: ['revenue_milli', 'sales'],
    value: AVERAGE_REVENUE,
    decimals: 3,
    change: 'percent',
  },
  total_revenue: {
    measures: ['revenue_milli'],
    value: column('revenue_milli'),
    decimals: 3,
    change: 'percent',
  },
};

/**
 * Metrics by page: bounce rate and duration are of the visits that entered there. That `visitors` is
 * among the measures makes a row for every page seen, entered on or not.
 */
const ENTRY_METRICS: Readonly<Partial<Record<MetricName, MetricEntry>>> = {
  bounce_rate: {
    measures: ['entry_bounces', 'entries', 'visitors'],
    ...rate({ of: 'entry_bounces', by: 'entries', decimals: 0, empty: 'zero' }),
  },
  visit_duration: {
    measures: ['entry_duration_ms', 'entries', 'visitors'],
    ...mean({ of: 'entry_duration_ms', by: 'entries', per: 1000, decimals: 0, empty: 'zero' }),
  },
};

/** The entry of a metric; `byPage` when a dimension is the event's page or host name. */
export function metricEntry(name: MetricName, byPage: boolean): MetricEntry {
  return (byPage ? ENTRY_METRICS[name] : undefined) ?? METRICS[name];
}
