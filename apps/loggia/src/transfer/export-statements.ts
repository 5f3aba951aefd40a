import type { Statement } from '@loggia/contract';
import { columnsOf, type ExportColumn } from './export-columns.ts';

/** A piece of a site's time, in milliseconds: `[fromMs, untilMs)`. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Visits that began in one piece of time, with all their events. */
export interface ExportWindow extends TimeSpan {
  /** The last activity of any of them. */
  readonly lastMs: number;
}

const HOUR_MS = 3_600_000;

/** How many visits of a site began in each hour, how many events they have, and their last one. */
export function hoursStatement(siteId: number, { fromMs, untilMs }: TimeSpan): Statement {
  return {
    sql: `SELECT start_ms // ${HOUR_MS} AS hour, count(*), sum(events), max(last_ms)
      FROM visit WHERE site_id = ? AND start_ms >= ? AND start_ms < ?
      GROUP BY hour ORDER BY hour`,
    parameters: [siteId, fromMs, untilMs],
  };
}

/**
 * The visits of a window by their beginning, each as JSON text: an array of its cells and, last, of
 * the cells of its events in the order in which they were stored. One text is read several times
 * faster than the fifty values that it holds.
 */
export function visitsStatement(siteId: number, window: ExportWindow): Statement {
  const visitCells = columnsOf('visit').map(columnSql).join(', ');
  const eventCells = columnsOf('event').map(columnSql).join(', ');
  const { fromMs, untilMs, lastMs } = window;
  return {
    sql: `SELECT CAST(json_array(${visitCells}, events.cells) AS VARCHAR)
      FROM visit JOIN (
        SELECT visit_id, list(json_array(${eventCells}) ORDER BY event.id) AS cells
        FROM event WHERE site_id = ? AND time_ms >= ? AND time_ms <= ? GROUP BY visit_id
      ) AS events ON events.visit_id = visit.id
      WHERE visit.site_id = ? AND visit.start_ms >= ? AND visit.start_ms < ?
      ORDER BY visit.start_ms, visit.id`,
    parameters: [siteId, fromMs, lastMs, siteId, fromMs, untilMs],
  };
}

function columnSql({ of, from, kind }: ExportColumn): string {
  // Past 2^53, JSON's numbers lose their end.
  return kind === 'int64' ? `CAST(${of}.${from} AS VARCHAR)` : `${of}.${from}`;
}

/** What `hoursStatement` tells of one hour. */
export interface HourCount {
  /** Hours since the Unix epoch. */
  readonly hour: number;
  readonly visits: number;
  readonly events: number;
  readonly lastMs: number;
}

/**
 * Windows that cover `span`, each with about `eventsMax` events or less: whole hours where that is
 * enough, equal parts of an hour where it is not.
 */
export function planWindows(
  hours: readonly HourCount[],
  span: TimeSpan,
  eventsMax: number,
): ExportWindow[] {
  const windows: ExportWindow[] = [];
  let open: { fromMs: number; untilMs: number; lastMs: number; events: number } | undefined;
  for (const { hour, events, lastMs } of hours) {
    if (open !== undefined && open.events + events > eventsMax) {
      windows.push(windowOf(open));
      open = undefined;
    }
    const fromMs = Math.max(span.fromMs, hour * HOUR_MS);
    const untilMs = Math.min(span.untilMs, (hour + 1) * HOUR_MS);
    if (events > eventsMax) {
      windows.push(...partsOf({ fromMs, untilMs, lastMs }, Math.ceil(events / eventsMax)));
      continue;
    }
    open ??= { fromMs, untilMs, lastMs, events: 0 };
    open.untilMs = untilMs;
    open.lastMs = Math.max(open.lastMs, lastMs);
    open.events += events;
  }
  if (open !== undefined) windows.push(windowOf(open));
  return windows;
}

function windowOf({ fromMs, untilMs, lastMs }: ExportWindow): ExportWindow {
  return { fromMs, untilMs, lastMs };
}

function partsOf({ fromMs, untilMs, lastMs }: ExportWindow, count: number): ExportWindow[] {
  const edge = (index: number) => fromMs + Math.floor(((untilMs - fromMs) * index) / count);
  return Array.from({ length: count }, (_, index) => ({
    fromMs: edge(index),
    untilMs: edge(index + 1),
    lastMs,
  }));
}
