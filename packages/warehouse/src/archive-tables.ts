import type { ArchiveReads, Segment, SegmentKind, SegmentSet } from '@loggia/contract';
import { parquetSql } from './literal.ts';
import { EVENT_TABLE, VISIT_TABLE, type TableSchema } from './table-schema.ts';

/** The files that a statement reads beside the tables in memory. */
export interface ArchiveFiles {
  readonly visits: readonly string[];
  readonly events: readonly string[];
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
 * The statement with `event` and `visit` meaning the tables in memory and the files together. The
 * engine puts the definitions in where they are used, so that it can skip what filters exclude.
 */
export function withArchive(sql: string, files: ArchiveFiles): string {
  if (files.visits.length === 0 && files.events.length === 0) return sql;
  const definitions = [
    definition(VISIT_TABLE, files.visits),
    definition(EVENT_TABLE, files.events),
  ].join(', ');
  const [keyword, rest] = sql.startsWith('WITH ') ? [', ', sql.slice(5)] : [' ', sql];
  return `WITH ${definitions}${keyword}${rest}`;
}

function definition(table: TableSchema, paths: readonly string[]): string {
  const { name } = table;
  const columns = table.columns.map((column) => column.name).join(', ');
  const inMemory = `SELECT ${columns} FROM main.${name}`;
  const sealed = paths.length === 0 ? '' : ` UNION ALL SELECT ${columns} FROM ${parquetSql(paths)}`;
  return `${name} AS NOT MATERIALIZED (${inMemory}${sealed})`;
}
