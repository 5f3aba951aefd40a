import { addDays, dateAt, firstOfMonth, mondayOf, wallAt } from './local-time.ts';
import type { Range } from './range.ts';

const QUARTER_MS = 15 * 60_000;

/** The label of the bucket of `dimension` that the instant `timeMs` of `range` falls into. */
export function bucketOf(dimension: string, timeMs: number, zone: string, range: Range): string {
  const wall = wallAt(zone, timeMs);
  const firstDate = dateAt(zone, range.fromMs);
  switch (dimension) {
    // 'The hour that occurs twice in autumn is one row.'
    case 'time:hour':
      return `${wall.date} ${String(wall.hour).padStart(2, '0')}:00:00`;
    case 'time:day':
      return wall.date;
    // 'Weeks begin on Monday; the first bucket of a range that cuts a week or month carries the
    // first day of the range.'
    case 'time:week':
      return later(mondayOf(wall.date), firstDate);
    case 'time:month':
      return later(firstOfMonth(wall.date), firstDate);
    default:
      throw new Error(`${dimension} is no time dimension`);
  }
}

/**
 * 'Time labels cover the whole range; the hour that spring skips is absent; a partial hour carries
 * its full hour's label.'
 */
export function labelsOf(dimension: string, zone: string, range: Range): string[] {
  const labels = new Set<string>();
  if (dimension === 'time:hour') {
    for (let timeMs = range.fromMs; timeMs < range.toMs; timeMs += QUARTER_MS) {
      labels.add(bucketOf(dimension, timeMs, zone, range));
    }
    labels.add(bucketOf(dimension, range.toMs - 1, zone, range));
    return [...labels];
  }
  const last = dateAt(zone, range.toMs - 1);
  const firstDate = dateAt(zone, range.fromMs);
  for (let date = firstDate; date <= last; date = addDays(date, 1)) {
    if (dimension === 'time:day') labels.add(date);
    if (dimension === 'time:week') labels.add(later(mondayOf(date), firstDate));
    if (dimension === 'time:month') labels.add(later(firstOfMonth(date), firstDate));
  }
  return [...labels];
}

/** What the dimension `time` stands for in a range, as in Plausible's answers. */
export function resolvedTime(dimension: string, range: Range): string {
  if (dimension !== 'time') return dimension;
  const hours = Math.floor((range.toMs - 1000 - range.fromMs) / 3_600_000);
  if (hours <= 48) return 'time:hour';
  if (Math.floor(hours / 24) <= 40) return 'time:day';
  if (Math.floor(hours / 24 / 7) <= 52) return 'time:week';
  return 'time:month';
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
