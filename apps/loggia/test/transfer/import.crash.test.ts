import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Journal } from '@loggia/journal';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FIREFOX, TestServer, temporaryFolder } from '../test-server.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/loggia.js', import.meta.url));
const LINES = 60_000;
const START_MS = Date.UTC(2025, 0, 1);
const STEP_MS = 20_000;
/** How many requests later a visitor asks for a second page: ten minutes. */
const BETWEEN = 30;

const folder = temporaryFolder();
const path = join(folder, 'access.log');
beforeAll(() => {
  const lines = Array.from({ length: LINES }, (_, number) => {
    const date = new Date(START_MS + number * STEP_MS);
    const [, day, month, year, clock] = date.toUTCString().split(' ');
    // Sixty requests are two from each of thirty visitors.
    const visitor = Math.floor(number / (2 * BETWEEN)) * BETWEEN + (number % BETWEEN);
    const client = `20.${visitor >> 16}.${(visitor >> 8) & 255}.${visitor & 255}`;
    const request = `"GET /${number} HTTP/1.1" 200 1 "-" "${FIREFOX}"`;
    return `${client} - - [${day}/${month}/${year}:${clock} +0000] ${request}\n`;
  });
  writeFileSync(path, lines.join(''));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Imports the log, and is killed once the import has come to `killAt`. */
async function importLog(dataDir: string, killAt = Infinity): Promise<number | string | null> {
  const line = ['import', 'access-log', path, '--site', 'crash.example', '--data-dir', dataDir];
  const child = spawn(process.execPath, [LAUNCHER, ...line], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | string | null>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal)),
  );
  createInterface({ input: child.stderr }).on('line', (text) => {
    const { progress } = JSON.parse(text) as { readonly progress: number };
    if (progress >= killAt) child.kill('SIGKILL');
  });
  return await ended;
}

it.each([[[0.6]], [[0.8]], [[0.7, 0.9]], [[0.6, 0.7, 0.8, 0.9]]])(
  'an import beside a server that is killed at %j of its way is whole when it is run again',
  async (kills) => {
    await using server = await TestServer.start();
    server.addSite('crash.example');
    for (const killAt of kills) expect(await importLog(server.dataDir, killAt)).toBe('SIGKILL');
    expect(await importLog(server.dataDir)).toBe(0);
    expect(await importLog(server.dataDir)).toBe(0);
    const key = server.addKey('stats:read');
    const [row] = await server.query(key, {
      site_id: 'crash.example',
      metrics: ['pageviews', 'visits'],
      date_range: 'all',
    });
    expect(row?.metrics).toEqual([LINES, LINES / 2]);
    using journal = Journal.open({ folder: server.dataDir, readOnly: true });
    const pages = journal.tail.readEvents(0, LINES * 2).map((event) => event[7]);
    expect(new Set(pages).size).toBe(LINES);
    expect(pages).toHaveLength(LINES);
  },
);
