import { YEAR_DAYS, YEAR_FIRST_DAY } from './year-rows.ts';

/** One report of the dashboard's first view, as a query and as plain SQL over raw events. */
export interface DashboardReport {
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Over the table `hit`, with `WHERE_CLAUSE` for the site, the range and the filter. */
  readonly sql: string;
}

/** A stretch of the year. */
export interface DashboardRange {
  readonly name: string;
  readonly firstDay: number;
  readonly endDay: number;
}

/** A filter of the dashboard; `sql` is of the events that pass. */
export interface DashboardFilter {
  readonly name: string;
  readonly filters: readonly unknown[];
  readonly sql: string;
}

export const WHERE_CLAUSE = '$where';
const END_DAY = YEAR_FIRST_DAY + YEAR_DAYS;

export const DASHBOARD_RANGES: readonly DashboardRange[] = [
  { name: '12 months', firstDay: YEAR_FIRST_DAY, endDay: END_DAY },
  { name: '30 days', firstDay: END_DAY - 36, endDay: END_DAY - 6 },
  { name: 'one day', firstDay: END_DAY - 1, endDay: END_DAY },
];

export const DASHBOARD_FILTERS: readonly DashboardFilter[] = [
  { name: 'none', filters: [], sql: 'TRUE' },
  {
    name: 'country',
    filters: [['is', 'visit:country', ['FR']]],
    sql: "country = 'FR'",
  },
  {
    name: 'page',
    filters: [['is', 'event:page', ['/section-3/page-3']]],
    sql: "visit_id IN (SELECT visit_id FROM hit WHERE $range AND page = '/section-3/page-3')",
  },
];

const VISITS = `SELECT visit_id, any_value(visitor) AS visitor,
    count(*) FILTER (WHERE name = 'pageview') AS views, max(time_ms) - min(time_ms) AS length_ms
  FROM hit WHERE ${WHERE_CLAUSE} GROUP BY visit_id`;
const TOP_SQL = `SELECT count(DISTINCT visitor), count(*), sum(views), avg(views),
    avg(CAST(views < 2 AS INTEGER)), avg(CASE WHEN views < 2 THEN 0 ELSE length_ms END)
  FROM (${VISITS})`;

function byColumn(column: string): string {
  return `SELECT ${column} AS d, count(DISTINCT visitor) AS visitors FROM hit WHERE ${WHERE_CLAUSE}
    GROUP BY d ORDER BY visitors DESC, d LIMIT 10`;
}

function byDimension(name: string, dimension: string, column: string): DashboardReport {
  const body = { metrics: ['visitors'], dimensions: [dimension], pagination: { limit: 10 } };
  return { name, body, sql: byColumn(column) };
}

export const DASHBOARD_REPORTS: readonly DashboardReport[] = [
  {
    name: 'totals',
    body: {
      metrics: [
        'visitors',
        'visits',
        'pageviews',
        'views_per_visit',
        'bounce_rate',
        'visit_duration',
      ],
    },
    sql: TOP_SQL,
  },
  {
    name: 'graph',
    body: { metrics: ['visitors'], dimensions: ['time:day'] },
    sql: `SELECT time_ms // 86400000 AS d, count(DISTINCT visitor) FROM hit WHERE ${WHERE_CLAUSE}
      GROUP BY d ORDER BY d`,
  },
  byDimension('sources', 'visit:source', 'source'),
  byDimension('channels', 'visit:channel', 'channel'),
  {
    name: 'pages',
    body: {
      metrics: ['visitors', 'pageviews'],
      dimensions: ['event:page'],
      pagination: { limit: 10 },
    },
    sql: `SELECT page, count(DISTINCT visitor) AS visitors,
        count(*) FILTER (WHERE name = 'pageview') FROM hit WHERE ${WHERE_CLAUSE}
      GROUP BY page ORDER BY visitors DESC, page LIMIT 10`,
  },
  byDimension('entry pages', 'visit:entry_page', 'entry_page'),
  byDimension('exit pages', 'visit:exit_page', 'exit_page'),
  byDimension('countries', 'visit:country', 'country'),
  byDimension('cities', 'visit:city', 'city'),
  byDimension('browsers', 'visit:browser', 'browser'),
  byDimension('systems', 'visit:os', 'os'),
  byDimension('devices', 'visit:device', 'device'),
];
