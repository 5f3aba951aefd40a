import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findChromium } from './chromium.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chromium-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function install(name: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, '', { mode });
  return path;
}

it('finds a browser on the path that can be run', () => {
  const PATH = ['', '/no/such/folder', folder].join(delimiter);
  expect(findChromium({ PATH })).toBeUndefined();
  install('chromium', 0o644);
  expect(findChromium({ PATH })).toBeUndefined();
  const chrome = install('google-chrome', 0o755);
  expect(findChromium({ PATH })).toBe(chrome);
  expect(findChromium({})).toBeUndefined();
});

it('takes the browser that is named, and no other then', () => {
  install('chromium', 0o755);
  const own = install('own-build', 0o755);
  expect(findChromium({ PATH: folder, CHROMIUM_PATH: own })).toBe(own);
  expect(findChromium({ PATH: folder, CHROMIUM_PATH: '/no/such/file' })).toBeUndefined();
});
