import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SegmentKind } from '@loggia/contract';
import type { NewSegment } from '@loggia/journal';
import { textSql } from '@loggia/warehouse';

/**
 * Rows of a row group. A site's month of a few thousand visits touches one or two; larger groups
 * would be read for the sake of fewer rows, smaller ones pack worse.
 */
const ROW_GROUP_ROWS = 16_384;

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
  const options = `FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`;
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
