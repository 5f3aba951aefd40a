import type { SelectedVisits } from '@loggia/archive';

/** How a year of many sites is made up. */
export interface YearShape {
  readonly events: number;
  readonly sites: number;
  readonly days: number;
  /** Paths on the largest sites. */
  readonly paths: number;
}

export const YEAR_DAYS = 365;
/** 1 January 2025, in days since the epoch. */
export const YEAR_FIRST_DAY = 20_089;
const DAY_MS = 86_400_000;
/** Visits have one to seven events, all equally often. */
const EVENTS_PER_VISIT = 4;

/**
 * The visits and events of one day as SELECTs. Everything is made from hashes of the visit's number,
 * so every run makes the same rows. Site 1 has nearly a quarter of 40 sites' visits, each other one
 * as much less as its number is greater.
 */
export function yearRows(shape: YearShape, dayIndex: number): SelectedVisits {
  const visits = Math.round(shape.events / EVENTS_PER_VISIT / shape.days);
  const firstId = dayIndex * visits + 1;
  const dayStartMs = (YEAR_FIRST_DAY + dayIndex) * DAY_MS;
  const drawn = `SELECT CAST(i AS BIGINT) AS id, ${u('i', 1)} AS u_site, ${u('i', 2)} AS u_time,
      ${u('i', 3)} AS u_page, ${u('i', 4)} AS u_source, ${u('i', 5)} AS u_country,
      ${u('i', 6)} AS u_browser, ${u('i', 7)} AS u_tag,
      CAST(1 + floor(7 * ${u('i', 8)}) AS INTEGER) AS n
    FROM range(${firstId}, ${firstId + visits}) t(i)`;
  const placed = `SELECT *, CAST(least(${shape.sites}, floor(exp(u_site * ln(${shape.sites} + 1)))) AS INTEGER) AS site_id,
      CAST(${dayStartMs} + floor((id - ${firstId} + u_time) * ${DAY_MS} / ${visits + 1}) AS BIGINT) AS start_ms
    FROM (${drawn})`;
  return { visits: visitsSql(placed, shape), events: eventsSql(placed, shape, firstId) };
}

/** A number in [0, 1) that depends on `key` and `salt` alone. */
function u(key: string, salt: number): string {
  return `((hash(CAST(${key} AS BIGINT) * 64 + ${salt}) >> 12) / 4503599627370496.0)`;
}

function pathSql(number: string, { paths }: YearShape): string {
  // Small sites have fewer paths; the first ones are by far the most popular.
  const count = `greatest(20, ${paths} // site_id)`;
  return `'/section-' || (CAST(floor(${count} * pow(${number}, 3)) AS INTEGER) % 20) || '/page-' || CAST(floor(${count} * pow(${number}, 3)) AS INTEGER)`;
}

const oneOf = (values: readonly string[], number: string): string =>
  `list_extract(['${values.join("', '")}'], 1 + CAST(floor(${values.length} * pow(${number}, 2)) AS INTEGER))`;
const numbered = (prefix: string, count: number, number: string): string =>
  `'${prefix}' || CAST(floor(${count} * pow(${number}, 2)) AS INTEGER)`;

const COUNTRIES = ['DE', 'US', 'FR', 'GB', 'NL', 'IN', 'BR', 'ES', 'IT', 'PL', 'AT', 'CH', 'JP'];
const BROWSERS = ['Chrome', 'Safari', 'Firefox', 'Microsoft Edge', 'Opera'];
const SYSTEMS = ['Windows', 'Android', 'iOS', 'Mac', 'GNU/Linux'];
const DEVICES = ['Desktop', 'Mobile', 'Tablet'];
const SOURCES = ['Google', 'Bing', 'DuckDuckGo', 'Hacker News', 'Reddit', 'GitHub', 'ChatGPT'];
const CHANNELS = ['Organic Search', 'Direct', 'Referral', 'Organic Social', 'Email'];

function visitsSql(placed: string, shape: YearShape): string {
  const isTold = 'u_tag < 0.2';
  // A tenth of the visitors come twice: the next visit's number is that of the one before.
  return `SELECT id, site_id,
      CAST(hash(id - CAST(id % 10 = 0 AS BIGINT)) >> 1 AS BIGINT) AS visitor,
      start_ms, start_ms + (n - 1) * 40000 AS last_ms, (n + 1) // 2 AS pageviews,
      (n + 1) // 2 AS events, CAST(n < 3 AS TINYINT) AS bounce,
      'example.org' AS entry_hostname, ${pathSql('u_page', shape)} AS entry_page,
      start_ms AS entry_ms, 'example.org' AS exit_hostname,
      ${pathSql(u('id * 8 + (n - 1) // 2 * 2', 9), shape)} AS exit_page,
      start_ms + (n - 1) // 2 * 80000 AS exit_ms,
      CASE WHEN u_source < 0.6 THEN ${oneOf(SOURCES, 'u_source')} END AS source,
      CASE WHEN u_source < 0.6 THEN ${numbered('ref.example/', 300, 'u_source')} END AS referrer,
      ${oneOf(CHANNELS, 'u_source')} AS channel,
      CASE WHEN ${isTold} THEN 'email' END AS utm_medium,
      CASE WHEN ${isTold} THEN 'newsletter' END AS utm_source,
      CASE WHEN ${isTold} THEN ${numbered('campaign-', 40, 'u_tag')} END AS utm_campaign,
      ${oneOf(COUNTRIES, 'u_country')} AS country,
      ${oneOf(COUNTRIES, 'u_country')} || '-' || CAST(floor(u_tag * 9) AS INTEGER) AS region,
      ${numbered('city-', 800, 'u_country')} AS city, ${numbered('City ', 800, 'u_country')} AS city_name,
      ${oneOf(BROWSERS, 'u_browser')} AS browser, ${numbered('', 60, 'u_browser')} AS browser_version,
      ${oneOf(SYSTEMS, 'u_browser')} AS os, ${numbered('', 20, 'u_browser')} AS os_version,
      ${oneOf(DEVICES, 'u_browser')} AS device, ${oneOf(DEVICES, 'u_browser')} AS screen,
      ${oneOf(['de', 'en', 'fr', 'es'], 'u_country')} AS language
    FROM (SELECT *, u_page FROM (${placed}))`;
}

/** Page views and pings in turn. */
function eventsSql(placed: string, shape: YearShape, firstId: number): string {
  const page = `CASE WHEN k < 2 THEN ${pathSql('u_page', shape)}
      ELSE ${pathSql(u('id * 8 + k // 2 * 2', 9), shape)} END`;
  return `SELECT ${(firstId - 1) * 7} + (id - ${firstId}) * 7 + k + 1 AS id, site_id, id AS visit_id,
      CAST(hash(id - CAST(id % 10 = 0 AS BIGINT)) >> 1 AS BIGINT) AS visitor,
      start_ms + k * 40000 AS time_ms,
      CASE WHEN k % 2 = 0 THEN 'pageview' ELSE 'engagement' END AS name,
      'example.org' AS hostname, ${page} AS page, CAST(k % 2 = 0 AS TINYINT) AS interactive,
      CASE WHEN k % 2 = 1 THEN CAST(floor(100 * ${u('id * 8 + k', 10)}) AS INTEGER) END AS scroll_depth,
      CASE WHEN k % 2 = 1 THEN CAST(floor(40000 * ${u('id * 8 + k', 11)}) AS BIGINT) END AS engaged_ms
    FROM (SELECT *, CAST(unnest(range(0, n)) AS INTEGER) AS k FROM (${placed}))`;
}
