import { existsSync, mkdtempDisposableSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DatabaseSeed, INCOMING_SUFFIX } from './database-seed.ts';
import { PageTable } from './page-table.ts';

const PAGE_SIZE = 4096;

/** Pages in a row from `pgno` on, each filled with something of its own. */
function pages(pgno: number, count: number): Uint8Array {
  const all = new Uint8Array(count * PAGE_SIZE);
  for (let index = 0; index < count; index += 1) {
    all.fill((pgno + index) % 251, index * PAGE_SIZE, (index + 1) * PAGE_SIZE);
  }
  return all;
}

function digestOf(folder: string, pageCount: number): string {
  using table = PageTable.create(join(folder, 'expected'), PAGE_SIZE);
  table.setRun(1, pages(1, pageCount));
  return table.digest;
}

test('what arrived in runs is the database, and its table is in place', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'tandem-seed-'));
  const path = join(folder.path, 'a.db');
  const seed = new DatabaseSeed(path, folder.path, PAGE_SIZE);
  for (let pgno = 1; pgno <= 1000; pgno += 50) await seed.writePages(pgno, pages(pgno, 50));
  await seed.settled();
  const tablePath = join(folder.path, 'pages');
  seed.finish(1000, digestOf(folder.path, 1000), tablePath);
  expect(readFileSync(path).equals(pages(1, 1000))).toBe(true);
  using table = PageTable.open(tablePath);
  expect([table.wasClean, table.pageCount, table.absentCount]).toEqual([true, 1000, 0]);
});

test('what has arrived is known when it has settled, and the rest can follow', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'tandem-seed-'));
  const path = join(folder.path, 'a.db');
  const seed = new DatabaseSeed(path, folder.path, PAGE_SIZE);
  await seed.writePages(1, pages(1, 7));
  await seed.writePages(20, pages(20, 3));
  await seed.settled();
  expect([seed.table.pageCount, seed.table.absentCount]).toEqual([22, 12]);
  await seed.writePages(8, pages(8, 12));
  await seed.settled();
  seed.finish(22, digestOf(folder.path, 22), join(folder.path, 'pages'));
  expect(readFileSync(path).equals(pages(1, 22))).toBe(true);
});

test('pages that could not be written do not count as held', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'tandem-seed-'));
  const path = join(folder.path, 'a.db');
  symlinkSync('/dev/full', path + INCOMING_SUFFIX);
  const seed = new DatabaseSeed(path, folder.path, PAGE_SIZE);
  await seed.writePages(1, pages(1, 9));
  await expect(seed.settled()).rejects.toMatchObject({ code: 'disk_full' });
  expect([seed.table.pageCount, seed.table.absentCount]).toEqual([9, 9]);
  const digests = seed.table.groupDigests();
  expect(digests.every((byte) => byte === 0)).toBe(true);
  seed.discard();
});

test('a seed that is given up leaves no files', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'tandem-seed-'));
  const path = join(folder.path, 'a.db');
  const seed = new DatabaseSeed(path, folder.path, PAGE_SIZE);
  await seed.writePages(1, pages(1, 600));
  seed.discard();
  await seed.settled();
  expect(existsSync(path + INCOMING_SUFFIX)).toBe(false);
  expect(existsSync(join(folder.path, 'incoming-pages'))).toBe(false);
});
