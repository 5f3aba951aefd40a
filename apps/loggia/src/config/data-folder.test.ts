import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ensureDataFolder, tryDataFolder } from './data-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'loggia-data-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('a data folder is made with the folders above it, and nothing is left in it', () => {
  const folder = join(root, 'a', 'b');
  ensureDataFolder(folder);
  expect(readdirSync(folder)).toEqual([]);
});

it('what processes that were killed while they probed have left is removed, and nothing else', () => {
  const folder = join(root, 'left');
  ensureDataFolder(folder);
  const others = ['.write-test', '.write-test-1.txt', 'write-test-1'];
  for (const name of ['.write-test-1', '.write-test-4194303', ...others]) {
    writeFileSync(join(folder, name), '');
  }
  ensureDataFolder(folder);
  expect(readdirSync(folder).toSorted()).toEqual(others.toSorted());
});

it('to try a folder makes nothing', () => {
  expect(tryDataFolder(join(root, 'c', 'd'))).toBeUndefined();
  expect(readdirSync(root)).not.toContain('c');
});
