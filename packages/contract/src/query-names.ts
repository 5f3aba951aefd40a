/** What a query may measure. `docs/reference/metrics.md` defines each. */
export const METRIC_NAMES = [
  'visitors',
  'visits',
  'pageviews',
  'events',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'time_on_page',
  'scroll_depth',
  'exit_rate',
  'percentage',
  'conversion_rate',
  'group_conversion_rate',
  'average_revenue',
  'total_revenue',
] as const;
export type MetricName = (typeof METRIC_NAMES)[number];

/** Dimensions of a visit: one value for all of its events. */
export const VISIT_DIMENSIONS = [
  'visit:entry_page',
  'visit:exit_page',
  'visit:entry_page_hostname',
  'visit:exit_page_hostname',
  'visit:source',
  'visit:referrer',
  'visit:channel',
  'visit:utm_medium',
  'visit:utm_source',
  'visit:utm_campaign',
  'visit:utm_content',
  'visit:utm_term',
  'visit:device',
  'visit:browser',
  'visit:browser_version',
  'visit:os',
  'visit:os_version',
  'visit:country',
  'visit:region',
  'visit:city',
  'visit:country_name',
  'visit:region_name',
  'visit:city_name',
  'visit:screen',
  'visit:language',
] as const;
export type VisitDimension = (typeof VISIT_DIMENSIONS)[number];

/** Dimensions of an event, without the open set of custom properties. */
export const EVENT_DIMENSIONS = [
  'event:page',
  'event:hostname',
  'event:name',
  'event:goal',
] as const;
export type EventDimension = (typeof EVENT_DIMENSIONS)[number];

/** A custom property as a dimension: everything after the prefix is the property's name. */
export const PROPERTY_PREFIX = 'event:props:';
export type PropertyDimension = `event:props:${string}`;

/** `time` stands for the step that suits the length of the range. */
export const TIME_DIMENSIONS = [
  'time',
  'time:hour',
  'time:day',
  'time:week',
  'time:month',
] as const;
export type TimeDimension = (typeof TIME_DIMENSIONS)[number];

/** What a filter may look at. */
export type FilterDimension = VisitDimension | EventDimension | PropertyDimension;
/** What a query may group by. */
export type DimensionName = FilterDimension | TimeDimension;

/** Comparisons of a dimension's value with the clauses of a filter. */
export const FILTER_OPERATORS = [
  'is',
  'is_not',
  'contains',
  'contains_not',
  'matches',
  'matches_not',
  'matches_wildcard',
  'matches_wildcard_not',
] as const;
export type FilterOperator = (typeof FILTER_OPERATORS)[number];

/** Ranges that are named relative to the present; `Nd` and `Nmo` with any N are accepted too. */
export const RELATIVE_RANGES = [
  'day',
  '24h',
  '7d',
  '28d',
  '30d',
  '91d',
  'month',
  '6mo',
  '12mo',
  'year',
  'all',
] as const;
