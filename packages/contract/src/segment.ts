/**
 * - `visits` and `events`: rows of the tables of those names, whole visits with all their events.
 * - `rollups`: what the visits and events of the set add to the sums of each site, day and value.
 * - `months`: the same, summed by month; only sets of the level `month` have it.
 */
export const SEGMENT_KINDS = ['visits', 'events', 'rollups', 'months'] as const;
export type SegmentKind = (typeof SEGMENT_KINDS)[number];

/** How far a set has been merged. */
export type SegmentLevel = 'part' | 'day' | 'month';

/** One Parquet file of the archive, without its bytes. */
export interface Segment {
  readonly id: number;
  readonly kind: SegmentKind;
  readonly rows: number;
  readonly bytes: number;
  /** Of the bytes, in hexadecimal. */
  readonly sha256: string;
}

/** Segments that hold the same visits in different forms; they come and go together. */
export interface SegmentSet {
  readonly id: number;
  readonly level: SegmentLevel;
  /** The archive's version with which the set's youngest visits left the tail. */
  readonly sealed: number;
  /** Days since the epoch on the sites' own calendars, on which the visits began; both inclusive. */
  readonly firstDay: number;
  readonly lastDay: number;
  /** From the first event's time to the last one's, both inclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly visits: number;
  readonly events: number;
  readonly segments: readonly Segment[];
}
