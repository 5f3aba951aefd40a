import { mkdtempDisposableSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { quickCheck } from './quick-check.ts';

/** A database of some hundred pages at `path`. */
function makeDatabase(path: string): void {
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE item (text TEXT)');
  const insert = database.prepare('INSERT INTO item (text) VALUES (?)');
  for (let count = 0; count < 100; count += 1) insert.run('x'.repeat(5000));
  database.close();
}

test('nothing is wrong with a sound database, and nothing is made beside it', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'quick-check-'));
  const path = join(folder.path, 'app.db');
  makeDatabase(path);
  await expect(quickCheck(path)).resolves.toBeUndefined();
  expect(readdirSync(folder.path)).toEqual(['app.db']);
});

test('a damaged database is complained of, and so is a file that is none', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'quick-check-'));
  const path = join(folder.path, 'app.db');
  makeDatabase(path);
  truncateSync(path, 100_000);
  await expect(quickCheck(path)).resolves.toMatch(/malformed|invalid page|out of range|missing/i);
  writeFileSync(path, 'no database'.repeat(1000));
  await expect(quickCheck(path)).resolves.toContain('file is not a database');
});

test('this thread goes on meanwhile', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'quick-check-'));
  const path = join(folder.path, 'app.db');
  makeDatabase(path);
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  await quickCheck(path);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});
