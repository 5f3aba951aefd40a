import { DEMO_FIRST_DATE, DEMO_LAST_DATE } from './demo-folder.ts';
import { BENCH_DOMAIN } from './load/sample-events.ts';

/** A query of version 2 without its site and range. */
export interface ReportQuery {
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A stretch of the demo data. */
export interface ReportRange {
  readonly name: string;
  readonly dates: readonly [string, string];
}

export const REPORT_RANGES: readonly ReportRange[] = [
  { name: '30 days', dates: ['2025-12-02', DEMO_LAST_DATE] },
  { name: '12 months', dates: [DEMO_FIRST_DATE, DEMO_LAST_DATE] },
];

const TOTALS = [
  'visitors',
  'visits',
  'pageviews',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
];
const GERMANY = ['is', 'visit:country', ['DE']];
const BLOG = ['matches_wildcard', 'event:page', ['/blog/**']];

function topTen(dimension: string, metrics: readonly string[] = ['visitors']): object {
  return { metrics, dimensions: [dimension], pagination: { limit: 10 } };
}

/** What a dashboard asks, and some filtered questions. */
export const REPORT_QUERIES: readonly ReportQuery[] = [
  { name: 'totals', body: { metrics: TOTALS } },
  { name: 'by day', body: { metrics: ['visitors', 'pageviews'], dimensions: ['time:day'] } },
  { name: 'pages', body: { ...topTen('event:page', ['visitors', 'pageviews', 'bounce_rate']) } },
  { name: 'entry pages', body: { ...topTen('visit:entry_page', ['visitors', 'visits']) } },
  { name: 'sources', body: { ...topTen('visit:source') } },
  { name: 'countries', body: { ...topTen('visit:country') } },
  { name: 'browsers', body: { ...topTen('visit:browser') } },
  { name: 'devices', body: { ...topTen('visit:device') } },
  {
    name: 'goals',
    body: { ...topTen('event:goal', ['visitors', 'events', 'conversion_rate']) },
  },
  {
    name: 'time on page',
    body: { ...topTen('event:page', ['visitors', 'time_on_page', 'scroll_depth']) },
  },
  { name: 'totals of a country', body: { metrics: TOTALS, filters: [GERMANY] } },
  { name: 'pages of a country', body: { ...topTen('event:page'), filters: [GERMANY] } },
  { name: 'totals of some pages', body: { metrics: TOTALS, filters: [BLOG] } },
  { name: 'sources of some pages', body: { ...topTen('visit:source'), filters: [BLOG] } },
  {
    name: 'comparison',
    body: { metrics: TOTALS, include: { comparisons: { mode: 'previous_period' } } },
  },
];

/** `query` over `range`, ready to be sent. */
export function reportBody({ body }: ReportQuery, { dates }: ReportRange): object {
  return { site_id: BENCH_DOMAIN, date_range: dates, ...body };
}
