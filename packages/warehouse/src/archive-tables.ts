import type { ArchiveReads, RolledUp, Segment, SegmentKind, SegmentSet } from '@loggia/contract';
import { parquetSql } from './literal.ts';
import { sealedRows, type RowKind } from './sealed-rows.ts';
import {
  EVENT_TABLE,
  ROLLUP_TABLE,
  SUM_TABLE,
  VISIT_TABLE,
  type TableSchema,
} from './table-schema.ts';

/** The files that a statement reads beside the tables in memory. */
export interface ArchiveFiles {
  readonly visits: readonly string[];
  readonly events: readonly string[];
  /** The SELECT of what `rollup` holds for the statement. */
  readonly rollups?: string;
}

/** The sets that may hold what a statement looks at. */
export function setsRead(
  sets: readonly SegmentSet[],
  reads: ArchiveReads | undefined,
): readonly SegmentSet[] {
  if (reads === undefined) return sets;
  return sets.filter((set) => set.fromMs < reads.toMs && set.toMs >= reads.fromMs);
}

/** The segments of a kind; a set without rows of it has none. */
export function segmentsOf(sets: readonly SegmentSet[], kind: SegmentKind): readonly Segment[] {
  return sets.flatMap(({ segments }) => segments.filter((segment) => segment.kind === kind));
}

/**
 * The statement with `event`, `visit` and `rollup` meaning the tables in memory and the files together. The
 * engine puts the definitions in where they are used, so that it can skip what filters exclude.
 */
export function withArchive(sql: string, files: ArchiveFiles): string {
  const definitions = [
    ...definition('visits', VISIT_TABLE, files.visits),
    ...definition('events', EVENT_TABLE, files.events),
    ...(files.rollups === undefined
      ? []
      : [`${ROLLUP_TABLE.name} AS NOT MATERIALIZED (${files.rollups})`]),
  ].join(', ');
  if (definitions === '') return sql;
  const [keyword, rest] = sql.startsWith('WITH ') ? [', ', sql.slice(5)] : [' ', sql];
  return `WITH ${definitions}${keyword}${rest}`;
}

/** The SELECT of the rows of sums in files. */
export function sumsInFiles(paths: readonly string[]): string {
  if (paths.length === 0) return heldSums([]);
  const columns = ROLLUP_TABLE.columns.map(({ name }) => name).join(', ');
  return `SELECT ${columns} FROM ${parquetSql(paths)}`;
}

/** Days of which all sums by a dimension of many values may be held. */
const DAYS_HELD_MAX = 62;

/**
 * Whether a statement's sums are worth holding: not when they are so many that they would drive out
 * all others.
 */
export function isWorthHolding(range: RolledUp): boolean {
  const isSmall = range.byMonth || range.dayStartsMs.length - 1 <= DAYS_HELD_MAX;
  return isSmall || range.dimensions.every((dimension) => dimension === 0);
}

/** The SELECT of the rows of segments that are in memory. */
export function heldSums(segments: readonly Segment[]): string {
  const columns = ROLLUP_TABLE.columns.map(({ name }) => name).join(', ');
  const ids = segments.map(({ id }) => id).join(', ');
  const condition = ids === '' ? 'FALSE' : `segment_id IN (${ids})`;
  return `SELECT ${columns} FROM main.${SUM_TABLE.name} WHERE ${condition}`;
}

/** Nothing where the table itself will do. */
function definition(kind: RowKind, { name, columns }: TableSchema, paths: readonly string[]) {
  if (paths.length === 0) return [];
  const list = columns.map((column) => column.name).join(', ');
  const sealed = sealedRows(kind, paths);
  return [`${name} AS NOT MATERIALIZED (SELECT ${list} FROM main.${name} UNION ALL ${sealed})`];
}

/**
 * The segments whose sums make up the days `[firstDay, rawFromDay)` and `[rawEndDay, endDay)`. A
 * month that lies within one of these is read as a whole, where whole months will do. So is one that
 * lies outside: what it has to say of these days, from visits that went on past its end, stands in
 * both files.
 */
export function rollupSegments(
  sets: readonly SegmentSet[],
  range: RolledUp,
  raw: { readonly fromDay: number; readonly endDay: number },
): readonly Segment[] {
  const { dayStartsMs, firstDay, toMs } = range;
  const endDay = firstDay + dayStartsMs.length - 1;
  const spans = [
    [firstDay, raw.fromDay],
    [raw.endDay, endDay],
  ] as const;
  return setsRead(sets, { fromMs: dayStartsMs[0] ?? 0, toMs }).flatMap((set) => {
    const isCut = spans.some(([from, end]) => cuts(from, end, set));
    const kind = range.byMonth && !isCut && hasMonths(set) ? 'months' : 'rollups';
    return segmentsOf([set], kind);
  });
}

/** Whether some days of the month that the set is of lie within `[from, end)` and others do not. */
function cuts(from: number, end: number, { firstDay, lastDay }: SegmentSet): boolean {
  const [first, last] = [monthStart(firstDay), monthEnd(lastDay)];
  const isWithin = from <= first && last < end;
  const isOutside = last < from || first >= end;
  return !isWithin && !isOutside;
}

function hasMonths({ segments }: SegmentSet): boolean {
  return segments.some(({ kind }) => kind === 'months');
}

const DAY_MS = 86_400_000;

function monthStart(day: number): number {
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / DAY_MS;
}

function monthEnd(day: number): number {
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0) / DAY_MS;
}
