import type { SegmentSet } from '@loggia/contract';
import { dateOfDay, dayOfDate } from './site-day.ts';

/** Sets that become one. */
export interface MergePlan {
  readonly level: 'day' | 'month';
  readonly sets: readonly SegmentSet[];
}

/** Late events come mostly within this; until then a day's parts wait for more of them. */
const DAYS_LATE_MAX = 3;
/** So many sets of one day, or so many of a month beside its merged ones, are merged without waiting. */
const SETS_MAX = 8;
/** What one set may hold; a busier month becomes several. Storing it holds the write lock. */
export const SET_BYTES_MAX = 32 * 1024 * 1024;

/**
 * The next merge that is due on the day `today` (UTC), or undefined. It depends on the sets alone, so
 * whoever asks again after a crash is told the same.
 */
export function planMerge(
  sets: readonly SegmentSet[],
  today: number,
  bytesMax = SET_BYTES_MAX,
): MergePlan | undefined {
  return dayMerge(sets, today) ?? monthMerge(sets, today, bytesMax);
}

function dayMerge(sets: readonly SegmentSet[], today: number): MergePlan | undefined {
  const ofOneDay = sets.filter(({ level }) => level !== 'month');
  for (const [day, group] of groupedBy(ofOneDay, ({ firstDay }) => firstDay)) {
    const isDue = day <= today - DAYS_LATE_MAX || group.length >= SETS_MAX;
    if (group.length > 1 && isDue) return { level: 'day', sets: group };
  }
  return undefined;
}

/** Months that are over become sets of the level `month`, as few as their size allows. */
function monthMerge(
  sets: readonly SegmentSet[],
  today: number,
  bytesMax: number,
): MergePlan | undefined {
  const lastDue = today - DAYS_LATE_MAX;
  for (const [month, group] of groupedBy(sets, ({ firstDay }) => monthOf(firstDay))) {
    if (month >= monthOf(lastDue)) continue;
    const loose = group.filter(({ level }) => level !== 'month');
    const merged = group.filter(({ level }) => level === 'month');
    const [first] = loose;
    if (first === undefined || (merged.length > 0 && loose.length < SETS_MAX)) continue;
    return { level: 'month', sets: fitting(first, [...loose, ...merged], bytesMax) };
  }
  return undefined;
}

/** `first` and those of the others that fit beside it into one set, nearest days first. */
function fitting(
  first: SegmentSet,
  others: readonly SegmentSet[],
  bytesMax: number,
): readonly SegmentSet[] {
  const chosen = [first];
  let bytes = bytesOf(first);
  const distance = ({ firstDay, lastDay }: SegmentSet): number =>
    Math.max(0, firstDay - first.firstDay, first.firstDay - lastDay);
  for (const set of others.toSorted((left, right) => distance(left) - distance(right))) {
    if (set === first || bytes + bytesOf(set) > bytesMax) continue;
    chosen.push(set);
    bytes += bytesOf(set);
  }
  return chosen;
}

function bytesOf({ segments }: SegmentSet): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}

function monthOf(day: number): string {
  return dateOfDay(day).slice(0, 7);
}

/** The first day of the month that the day is in. */
export function monthStart(day: number): number {
  return dayOfDate(`${monthOf(day)}-01`);
}

function groupedBy<Key extends number | string>(
  sets: readonly SegmentSet[],
  keyOf: (set: SegmentSet) => Key,
): readonly (readonly [Key, readonly SegmentSet[]])[] {
  const groups = Map.groupBy(sets, keyOf);
  return [...groups].toSorted(([left], [right]) => (left < right ? -1 : 1));
}
