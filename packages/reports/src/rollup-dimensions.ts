import type { EventDimension, VisitDimension } from '@loggia/contract';

/** A dimension by which sealed visits and events are summed in advance. */
export type RollupDimension = VisitDimension | Exclude<EventDimension, 'event:goal'>;

/** The number of the sums over all values. */
export const NO_DIMENSION = 0;

/**
 * The numbers by which the segments know the dimensions. They stand in files that are kept for
 * years: a number is never used for another dimension.
 */
export const ROLLUP_DIMENSIONS = {
  'visit:entry_page': 1,
  'visit:exit_page': 2,
  'visit:entry_page_hostname': 3,
  'visit:exit_page_hostname': 4,
  'visit:source': 5,
  'visit:referrer': 6,
  'visit:channel': 7,
  'visit:utm_medium': 8,
  'visit:utm_source': 9,
  'visit:utm_campaign': 10,
  'visit:utm_content': 11,
  'visit:utm_term': 12,
  'visit:device': 13,
  'visit:browser': 14,
  'visit:browser_version': 15,
  'visit:os': 16,
  'visit:os_version': 17,
  'visit:country': 18,
  'visit:region': 19,
  'visit:city': 20,
  'visit:country_name': 18,
  'visit:region_name': 21,
  'visit:city_name': 22,
  'visit:screen': 23,
  'visit:language': 24,
  'event:page': 40,
  'event:hostname': 41,
  'event:name': 42,
} as const satisfies Readonly<Record<RollupDimension, number>>;

/** Whether there are sums by the dimension `name`. */
export function isRollupDimension(name: string): name is RollupDimension {
  return Object.hasOwn(ROLLUP_DIMENSIONS, name);
}
