import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SegmentKind } from '@loggia/contract';
import type { NewSegment } from '@loggia/journal';
import { textSql } from '@loggia/warehouse';

/**
 * Rows of a row group. A site's month of a few thousand visits touches one or two; larger groups
 * would be read for the sake of fewer rows. Sums are read once and then kept in memory, so for them
 * what counts is that the footers, which the engine keeps, are short.
 */
const ROW_GROUP_ROWS: Readonly<Record<SegmentKind, number>> = {
  visits: 16_384,
  events: 16_384,
  rollups: 65_536,
  months: 65_536,
};

/**
 * The rows of `select` as a Parquet file, or undefined when there are none. The same rows give the
 * same bytes: the engine has one thread, and `select` has a total order.
 */
export async function writeSegment(
  connection: DuckDBConnection,
  kind: SegmentKind,
  { select, folder }: { readonly select: string; readonly folder: string },
): Promise<NewSegment | undefined> {
  const path = join(folder, `${kind}.parquet`);
  // The second version's encodings keep differences of numbers that ascend.
  const options = `FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS[kind]}`;
  try {
    const written = await connection.run(`COPY (${select}) TO ${textSql(path)} (${options})`);
    if (written.rowsChanged === 0) return undefined;
    const body = readFileSync(path);
    const sha256 = createHash('sha256').update(body).digest('hex');
    return { kind, rows: written.rowsChanged, sha256, body };
  } finally {
    rmSync(path, { force: true });
  }
}
