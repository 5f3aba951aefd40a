import { ROLLUP_COLUMNS, VISIT_DIMENSIONS } from '@loggia/contract';
import { emptyLabel, visitColumn } from './dimensions.ts';
import { NO_DIMENSION, ROLLUP_DIMENSIONS } from './rollup-dimensions.ts';

/**
 * What makes the rows of `rollup` from visits and events: a few statements in plain text, since they
 * hold no value that anybody chose. They read
 *
 * - `visit` and `event`, whole visits with all their events;
 * - `site_day` (site_id, day, from_ms, to_ms), the days of the sites on which those lie;
 * - `known_visit` and `known_event`, of the same form: visits of the same days that other sets
 *   hold, by visitors who are among those of `visit`. Who is known there is no new visitor of a day.
 */

/** The columns that are summed. */
export const ROLLUP_SUMS: readonly string[] = ROLLUP_COLUMNS.map(({ name }) => name).filter(
  (name) => !['site_id', 'dimension', 'value', 'day'].includes(name),
);

const PAGE = ROLLUP_DIMENSIONS['event:page'];
const HOSTNAME = ROLLUP_DIMENSIONS['event:hostname'];
const EXIT_PAGE = ROLLUP_DIMENSIONS['visit:exit_page'];
const DURATION = 'CASE WHEN v.bounce = 1 THEN 0 ELSE v.last_ms - v.start_ms END';
const NO_PING = `e.name <> 'engagement'`;

/** All values of a visit `v` with the numbers of their dimensions, as a list of structs. */
function visitValues(): string {
  const numbers = new Set<number>();
  const values = [`{n: ${NO_DIMENSION}, x: ''}`];
  for (const name of VISIT_DIMENSIONS) {
    const number = ROLLUP_DIMENSIONS[name];
    // Names of countries are labels of their codes.
    if (numbers.has(number)) continue;
    numbers.add(number);
    values.push(`{n: ${number}, x: coalesce(v.${visitColumn(name)}, '${emptyLabel(name)}')}`);
  }
  return `[${values.join(', ')}]`;
}

/** All values of an event `e` with the numbers of their dimensions. */
const EVENT_VALUES = `[{n: ${PAGE}, x: e.page}, {n: ${HOSTNAME}, x: e.hostname},
  {n: ${ROLLUP_DIMENSIONS['event:name']}, x: e.name}]`;

/** Each visit once for every value that it belongs to. */
function keyedVisits(visit: string, event: string): string {
  const columns = `v.id, v.site_id, v.visitor, d.day, v.pageviews, v.bounce, ${DURATION} AS duration_ms,
    v.exit_page IS NOT NULL AS has_exit`;
  const days = `JOIN site_day d ON d.site_id = v.site_id AND v.start_ms >= d.from_ms AND v.start_ms < d.to_ms`;
  return `SELECT ${columns}, unnest(${visitValues()}) AS k FROM ${visit} v ${days}
    UNION ALL
    SELECT DISTINCT ${columns}, unnest(${EVENT_VALUES}) AS k
    FROM ${event} e JOIN ${visit} v ON v.id = e.visit_id ${days} WHERE ${NO_PING}`;
}

/** A SELECT of rows of `rollup` that sums what is named and has 0 elsewhere. */
function sums(
  key: { readonly dimension: string; readonly value: string; readonly day: string },
  named: Readonly<Record<string, string>>,
  from: string,
): string {
  const columns = ROLLUP_SUMS.map((name) => `CAST(${named[name] ?? '0'} AS BIGINT) AS ${name}`);
  return `SELECT v.site_id, ${key.dimension} AS dimension, ${key.value} AS value, ${key.day} AS day,
    ${columns.join(', ')} FROM ${from} GROUP BY ALL`;
}

const OF_START = 'd.day';
const COUNTS = 'count(*)';
const DAYS_OF_VISIT =
  'JOIN site_day d ON d.site_id = v.site_id AND v.start_ms >= d.from_ms AND v.start_ms < d.to_ms';

/** What is summed of visits. */
function visitParts(): readonly string[] {
  return [
    // Of visits, by all that they belong to.
    sums(
      { dimension: 'v.k.n', value: 'v.k.x', day: 'v.day' },
      {
        visitors: 'count(DISTINCT v.visitor) FILTER (WHERE NOT v.is_known)',
        visits: COUNTS,
        views: 'sum(v.pageviews)',
        bounces: 'sum(v.bounce)',
        duration_ms: 'sum(v.duration_ms)',
        exits: `count(*) FILTER (WHERE v.k.n = ${EXIT_PAGE} AND v.has_exit)`,
      },
      'told_visit v',
    ),
    // Of visits, by the page and the host name that they entered or left on.
    ...[
      [PAGE, 'v.entry_page'],
      [HOSTNAME, 'v.entry_hostname'],
    ].map(([dimension, value]) =>
      sums(
        { dimension: String(dimension), value: String(value), day: OF_START },
        {
          entries: COUNTS,
          entry_bounces: 'sum(v.bounce)',
          entry_duration_ms: `sum(${DURATION})`,
        },
        `visit v ${DAYS_OF_VISIT} WHERE v.entry_page IS NOT NULL`,
      ),
    ),
    sums(
      { dimension: String(PAGE), value: 'v.exit_page', day: OF_START },
      { exits: COUNTS },
      `visit v ${DAYS_OF_VISIT} WHERE v.exit_page IS NOT NULL`,
    ),
  ];
}

/** What is summed of events, on the days on which their visits began. */
function eventParts(): readonly string[] {
  return [
    // Of page views, by the page that exits are counted by too.
    ...[PAGE, EXIT_PAGE].map((dimension) =>
      sums(
        { dimension: String(dimension), value: 'e.page', day: OF_START },
        { page_views: COUNTS },
        `event e JOIN visit v ON v.id = e.visit_id ${DAYS_OF_VISIT} WHERE e.name = 'pageview'`,
      ),
    ),
    // Of engagement pings, by page.
    sums(
      { dimension: String(PAGE), value: 'v.page', day: 'v.day' },
      {
        engaged_ms: 'coalesce(sum(v.engaged_ms), 0)',
        depth_sum: 'coalesce(sum(v.depth), 0)',
        depth_pairs: 'count(v.depth)',
      },
      `(SELECT v.site_id, e.visit_id, e.page, d.day, sum(e.engaged_ms) AS engaged_ms,
          max(e.scroll_depth) AS depth
        FROM event e JOIN visit v ON v.id = e.visit_id ${DAYS_OF_VISIT}
        WHERE e.name = 'engagement'
          AND (e.visit_id, e.page) IN (SELECT (e.visit_id, e.page) FROM event e WHERE ${NO_PING})
        GROUP BY ALL) v`,
    ),
  ];
}

/** What is summed of events on the days of their own. */
function timedParts(): readonly string[] {
  return [
    // Of events by their own time: by what their visit belongs to, and by their own values.
    sums(
      { dimension: 'v.k.n', value: 'v.k.x', day: 'v.day' },
      { pageviews: 'sum(v.pageviews)', events: 'sum(v.events)' },
      `(SELECT c.site_id, c.day, c.pageviews, c.events, unnest(${visitValues()}) AS k
        FROM visit v JOIN (
          SELECT e.site_id, e.visit_id, d.day, count(*) AS events,
            count(*) FILTER (WHERE e.name = 'pageview') AS pageviews
          FROM event e JOIN site_day d
            ON d.site_id = e.site_id AND e.time_ms >= d.from_ms AND e.time_ms < d.to_ms
          WHERE ${NO_PING} GROUP BY ALL) c ON c.visit_id = v.id) v`,
    ),
    sums(
      { dimension: 'v.k.n', value: 'v.k.x', day: 'v.day' },
      { pageviews: `count(*) FILTER (WHERE v.name = 'pageview')`, events: COUNTS },
      `(SELECT e.site_id, d.day, e.name, unnest(${EVENT_VALUES}) AS k
        FROM event e JOIN site_day d
          ON d.site_id = e.site_id AND e.time_ms >= d.from_ms AND e.time_ms < d.to_ms
        WHERE ${NO_PING}) v`,
    ),
  ];
}

/** Run in this order; the last is the SELECT of the rows, in an order that is always the same. */
export function rollupStatements(): {
  readonly prepare: readonly string[];
  readonly select: string;
} {
  const known = `SELECT DISTINCT site_id, k.n AS n, k.x AS x, day, visitor
    FROM (${keyedVisits('known_visit', 'known_event')})`;
  return {
    prepare: [
      `CREATE OR REPLACE TABLE known_value AS ${known}`,
      `CREATE OR REPLACE TABLE told_visit AS
        SELECT v.*, w.visitor IS NOT NULL AS is_known
        FROM (${keyedVisits('visit', 'event')}) v LEFT JOIN known_value w
          ON w.site_id = v.site_id AND w.n = v.k.n AND w.x = v.k.x AND w.day = v.day
          AND w.visitor = v.visitor`,
    ],
    select: addedUp(
      `(${[...visitParts(), ...eventParts(), ...timedParts()].join(' UNION ALL ')})`,
      'day',
    ),
  };
}

/**
 * The SELECT of the sums of `rows`, with `day` as the day, in the order of a segment. What adds
 * up to nothing is left out.
 */
export function addedUp(rows: string, day: string): string {
  const sumsOf = ROLLUP_SUMS.map((name) => `CAST(sum(${name}) AS BIGINT) AS ${name}`);
  return `SELECT CAST(site_id AS INTEGER) AS site_id, CAST(dimension AS INTEGER) AS dimension, value,
      CAST(${day} AS INTEGER) AS day, ${sumsOf.join(', ')}
    FROM ${rows} GROUP BY ALL HAVING ${ROLLUP_SUMS.map((name) => `sum(${name}) <> 0`).join(' OR ')}
    ORDER BY 1, 2, 3, 4`;
}

/** Run when the rows have been read. */
export const ROLLUP_CLEAN_UP: readonly string[] = [
  'DROP TABLE IF EXISTS told_visit',
  'DROP TABLE IF EXISTS known_value',
];
