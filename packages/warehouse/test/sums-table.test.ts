import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROLLUP_COLUMNS, type Segment } from '@loggia/contract';
import { Engine } from '../src/engine.ts';
import { SegmentCache } from '../src/segment-cache.ts';
import { SumsTable } from '../src/sums-table.ts';
import { SUM_TABLE } from '../src/table-schema.ts';

const MIB = 1024 * 1024;
const OTHERS = ROLLUP_COLUMNS.map(({ name }) => name).filter(
  (name) => !['site_id', 'dimension', 'value', 'day'].includes(name),
);

/** Segments 1 and 2 with sums of two sites by two dimensions, ten values each, and a table. */
async function openTable(rowsMax: number) {
  const folder = mkdtempSync(join(tmpdir(), 'loggia-sums-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const engine = await Engine.open({ memoryBytes: 64 * MIB, threads: 1, filesFolder: folder });
  onTestFinished(() => engine.close());
  const connection = await engine.connect();
  await connection.run(SUM_TABLE.createSql);
  const bodies = new Map<number, Uint8Array>();
  const segments: Segment[] = [];
  for (const id of [1, 2]) {
    const path = join(folder, `made-${id}`);
    const columns = OTHERS.map((name) => `CAST(${id} AS BIGINT) AS ${name}`).join(', ');
    await connection.run(
      `COPY (SELECT CAST(s AS INTEGER) AS site_id, CAST(d AS INTEGER) AS dimension, 'v' || v AS value,
           CAST(7 AS INTEGER) AS day, ${columns}
         FROM range(1, 3) a(s), range(2) b(d), range(10) c(v)) TO '${path}' (FORMAT parquet)`,
    );
    const body = readFileSync(path);
    bodies.set(id, body);
    const sha256 = createHash('sha256').update(body).digest('hex');
    segments.push({ id, kind: 'rollups', rows: 40, bytes: body.byteLength, sha256 });
  }
  const source = { version: () => 1, sets: () => [], body: (id: number) => bodies.get(id) };
  const cache = new SegmentCache(join(folder, 'cache'), source);
  const sums = new SumsTable(await engine.connect(), cache, rowsMax);
  const slices = async (): Promise<unknown> => {
    const read = await connection.runAndReadAll(
      `SELECT segment_id || ' ' || site_id || ' ' || dimension || ' ' || count(*) || ' ' || sum(visits)
       FROM sum_row GROUP BY segment_id, site_id, dimension ORDER BY ALL`,
    );
    return read.getRows().flat();
  };
  return { sums, segments, slices };
}

test('what is asked for is brought in once, and as a whole (W16)', async () => {
  const { sums, segments, slices } = await openTable(1000);
  const read = { siteId: 2, dimensions: [1], segments };
  const releases = await Promise.all([sums.hold(read), sums.hold(read)]);
  for (const release of releases) release();
  expect(await slices()).toEqual(['1 2 1 10 10', '2 2 1 10 20']);
});

test('what was not asked for longest goes first, but nothing that is held (W16)', async () => {
  const { sums, segments, slices } = await openTable(25);
  const one = segments.slice(0, 1);
  const held = await sums.hold({ siteId: 1, dimensions: [0], segments: one });
  (await sums.hold({ siteId: 1, dimensions: [1], segments: one }))();
  (await sums.hold({ siteId: 2, dimensions: [0], segments: one }))();
  expect(await slices()).toEqual(['1 1 0 10 10', '1 2 0 10 10']);
  held();
  (await sums.hold({ siteId: 2, dimensions: [1], segments: one }))();
  (await sums.hold({ siteId: 2, dimensions: [0], segments: one }))();
  expect(await slices()).toEqual(['1 2 0 10 10', '1 2 1 10 10']);
});

test('sums of segments that are gone are dropped', async () => {
  const { sums, segments, slices } = await openTable(1000);
  (await sums.hold({ siteId: 1, dimensions: [0, 1], segments }))();
  await sums.keep(new Set([2]));
  expect(await slices()).toEqual(['2 1 0 10 20', '2 1 1 10 20']);
});
