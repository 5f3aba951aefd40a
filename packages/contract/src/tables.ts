/**
 * The two tables that every report reads.
 *
 * The journal keeps them in SQLite under these column names, the warehouse mirrors them in its own
 * engine under the same names, and the reports write SQL against them. `flag` is 0 or 1 in SQLite;
 * `properties` is JSON text of a flat object of strings in SQLite and MAP(VARCHAR, VARCHAR) in
 * DuckDB; `int64` needs all 64 bits (signed), `int` fits a double.
 */
export type ColumnType = 'int' | 'int64' | 'text' | 'flag' | 'properties';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}

/**
 * One row per page view, custom event and engagement ping.
 *
 * - `id` ascends in the order of commit; `time_ms` is the event's own time, UTC.
 * - `visitor` repeats that of the visit.
 * - `name` is `pageview`, `engagement` or a custom event's name.
 * - `page` is the path without query; `hostname` has no `www.`.
 * - `revenue_milli` is thousandths of one unit of `revenue_currency` (ISO 4217).
 * - `interactive` is 0 for custom events sent with `interactive: false` and for engagement.
 * - `scroll_depth` is 0 to 100 and `engaged_ms` the time since the last ping; both only on
 *   engagement pings, and null when the ping did not say.
 */
export const EVENT_COLUMNS = [
  { name: 'id', type: 'int', nullable: false },
  { name: 'site_id', type: 'int', nullable: false },
  { name: 'visit_id', type: 'int', nullable: false },
  { name: 'visitor', type: 'int64', nullable: false },
  { name: 'time_ms', type: 'int', nullable: false },
  { name: 'name', type: 'text', nullable: false },
  { name: 'hostname', type: 'text', nullable: false },
  { name: 'page', type: 'text', nullable: false },
  { name: 'properties', type: 'properties', nullable: true },
  { name: 'revenue_milli', type: 'int', nullable: true },
  { name: 'revenue_currency', type: 'text', nullable: true },
  { name: 'interactive', type: 'flag', nullable: false },
  { name: 'scroll_depth', type: 'int', nullable: true },
  { name: 'engaged_ms', type: 'int', nullable: true },
] as const satisfies readonly Column[];

/**
 * One row per visit.
 *
 * - `start_ms` and `last_ms` are the times of the first and the last event, pings included.
 * - `pageviews` counts page views; `events` counts page views and custom events, not pings.
 * - `bounce` is 1 with fewer than two page views and no interactive custom event.
 * - Entry and exit are the first and last page viewed, null without a page view; `entry_ms` and
 *   `exit_ms` are their times.
 * - The rest describes the visit's first event. Null means 'nothing known': a source of null is
 *   direct traffic. `country` is ISO 3166-1 alpha-2, `region` ISO 3166-2, `city` a GeoNames id as
 *   text or, where the database has none, the city's name.
 */
export const VISIT_COLUMNS = [
  { name: 'id', type: 'int', nullable: false },
  { name: 'site_id', type: 'int', nullable: false },
  { name: 'visitor', type: 'int64', nullable: false },
  { name: 'start_ms', type: 'int', nullable: false },
  { name: 'last_ms', type: 'int', nullable: false },
  { name: 'pageviews', type: 'int', nullable: false },
  { name: 'events', type: 'int', nullable: false },
  { name: 'bounce', type: 'flag', nullable: false },
  { name: 'entry_hostname', type: 'text', nullable: true },
  { name: 'entry_page', type: 'text', nullable: true },
  { name: 'entry_ms', type: 'int', nullable: true },
  { name: 'exit_hostname', type: 'text', nullable: true },
  { name: 'exit_page', type: 'text', nullable: true },
  { name: 'exit_ms', type: 'int', nullable: true },
  { name: 'source', type: 'text', nullable: true },
  { name: 'referrer', type: 'text', nullable: true },
  { name: 'channel', type: 'text', nullable: false },
  { name: 'utm_medium', type: 'text', nullable: true },
  { name: 'utm_source', type: 'text', nullable: true },
  { name: 'utm_campaign', type: 'text', nullable: true },
  { name: 'utm_content', type: 'text', nullable: true },
  { name: 'utm_term', type: 'text', nullable: true },
  { name: 'click_id', type: 'text', nullable: true },
  { name: 'country', type: 'text', nullable: true },
  { name: 'region', type: 'text', nullable: true },
  { name: 'region_name', type: 'text', nullable: true },
  { name: 'city', type: 'text', nullable: true },
  { name: 'city_name', type: 'text', nullable: true },
  { name: 'browser', type: 'text', nullable: true },
  { name: 'browser_version', type: 'text', nullable: true },
  { name: 'os', type: 'text', nullable: true },
  { name: 'os_version', type: 'text', nullable: true },
  { name: 'device', type: 'text', nullable: true },
  { name: 'screen', type: 'text', nullable: true },
  { name: 'language', type: 'text', nullable: true },
] as const satisfies readonly Column[];

/**
 * What sealed visits and events add to the sums of a site, day and value of a dimension; the rows of
 * all segments together are the sums.
 *
 * - `dimension` is a number of `ROLLUP_DIMENSIONS` in the reports, `value` the value in it.
 * - `day` counts from the epoch on the site's calendar: of the visit's start or, for `pageviews` and
 *   `events`, of the event itself.
 * - The rest are the measures of the reports under the same names.
 */
export const ROLLUP_COLUMNS = [
  { name: 'site_id', type: 'int', nullable: false },
  { name: 'dimension', type: 'int', nullable: false },
  { name: 'value', type: 'text', nullable: false },
  { name: 'day', type: 'int', nullable: false },
  { name: 'visitors', type: 'int', nullable: false },
  { name: 'visits', type: 'int', nullable: false },
  { name: 'views', type: 'int', nullable: false },
  { name: 'bounces', type: 'int', nullable: false },
  { name: 'duration_ms', type: 'int', nullable: false },
  { name: 'entries', type: 'int', nullable: false },
  { name: 'entry_bounces', type: 'int', nullable: false },
  { name: 'entry_duration_ms', type: 'int', nullable: false },
  { name: 'pageviews', type: 'int', nullable: false },
  { name: 'events', type: 'int', nullable: false },
  { name: 'engaged_ms', type: 'int', nullable: false },
  { name: 'depth_sum', type: 'int', nullable: false },
  { name: 'depth_pairs', type: 'int', nullable: false },
  { name: 'exits', type: 'int', nullable: false },
  { name: 'page_views', type: 'int', nullable: false },
] as const satisfies readonly Column[];

export type RollupColumn = (typeof ROLLUP_COLUMNS)[number]['name'];
export type EventColumn = (typeof EVENT_COLUMNS)[number]['name'];
export type VisitColumn = (typeof VISIT_COLUMNS)[number]['name'];
