import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Journal } from '@loggia/journal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventTable } from '../model/events.ts';
import { FIREFOX, temporaryFolder } from '../test-server.ts';
import { contentOf, writeHits } from './transfer-folder.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/loggia.js', import.meta.url));
const folder = temporaryFolder();
const dataDir = join(folder, 'data');

/** A visit on each of three days in Berlin, the second of them just after midnight. */
beforeAll(() => {
  mkdirSync(dataDir);
  using journal = Journal.open({ folder: dataDir });
  const zone = 'Europe/Berlin';
  const { id } = journal.sites.create({ domain: 'a.example', timezone: zone, nowMs: 0 });
  journal.sites.create({ domain: 'empty.example', timezone: 'UTC', nowMs: 0 });
  const table = eventTable(id, zone, '2026-05-02');
  writeHits(journal, [
    [
      table.view('ada', '2026-05-01 12:00:00', '/one'),
      table.view('ada', '2026-05-02 00:10:00', '/two', { props: { plan: 'ä "b"' } }),
      table.view('ada', '2026-05-03 12:00:00', '/three'),
    ],
  ]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function loggia(...words: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [LAUNCHER, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], LOGGIA_DATA_DIR: dataDir },
  });
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exit, stdout, stderr };
}

/** The last line of what was written there, as an object. */
function lastJson(output: string): unknown {
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
}

describe('loggia export', () => {
  it('writes rows to standard output, and what it has to say to standard error', async () => {
    const { exitCode, stdout, stderr } = await loggia('export', '--format', 'ndjson', '--json');
    expect(exitCode).toBe(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(rows).toMatchObject([
      { site: 'a.example', timezone: 'Europe/Berlin', page: '/one' },
      { page: '/two', time: '2026-05-01T22:10:00.000Z', properties: { plan: 'ä "b"' } },
      { page: '/three' },
    ]);
    expect(lastJson(stderr)).toEqual({
      file: null,
      rows: 3,
      sites: ['a.example', 'empty.example'],
    });
  });

  it("takes days of the site's own zone, both included", async () => {
    const range = ['--from', '2026-05-02', '--to', '2026-05-02'];
    const { stdout } = await loggia('export', '--format', 'csv', '--site', 'a.example', ...range);
    const pages = stdout
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[8]);
    expect(pages).toEqual(['/two']);
  });

  it('writes a whole file or none, and overwrites nothing unasked', async () => {
    const line = ['export', '--format', 'csv', '--output', 'out.csv'];
    expect((await loggia(...line)).stdout).toBe(
      `Exported 3 rows of 2 sites to ${join(folder, 'out.csv')}.\n`,
    );
    expect(readFileSync(join(folder, 'out.csv'), 'utf8').split('\n')).toHaveLength(5);
    const again = await loggia(...line);
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--force') });
    expect((await loggia(...line, '--force')).exitCode).toBe(0);
    const left = readdirSync(folder).filter((name) => name.includes('out.csv'));
    expect(left).toEqual(['out.csv']);
  });

  it.each([
    [['export'], '--format is missing'],
    [['export', '--format', 'xml'], "--format is 'xml'"],
    [['export', '--format', 'parquet'], 'Parquet cannot be written to standard output'],
    [['export', '--format', 'csv', '--from', '2026-02-30'], 'which is no date'],
    [['export', '--format', 'csv', '--from', '2026-02-02', '--to', '2026-02-01'], 'is after'],
  ])('%j is refused', async (words, message) => {
    const outcome = await loggia(...words);
    expect(outcome).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  });
});

describe('loggia import', () => {
  it('brings an export back, under another name when asked to, and says when days differ', async () => {
    await loggia('export', '--format', 'parquet', '--output', 'all.parquet');
    const other = join(folder, 'other');
    const missing = await loggia('import', 'loggia', 'all.parquet', '--data-dir', other);
    expect(missing).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('There is no site a.example here'),
    });
    const added = ['import', 'loggia', 'all.parquet', '--data-dir', other, '--json'];
    expect(lastJson((await loggia(...added, '--add-sites')).stdout)).toMatchObject({
      totals: { rows: 3, visits: 3 },
      notices: [],
    });
    await loggia('site', 'add', 'b.example', '--data-dir', other);
    const renamed = await loggia(...added, '--site', 'b.example');
    expect(lastJson(renamed.stdout)).toMatchObject({
      totals: { rows: 3 },
      notices: ['b.example has the zone UTC, the export Europe/Berlin: days differ.'],
    });
    using journal = Journal.open({ folder: dataDir, readOnly: true });
    using copy = Journal.open({ folder: other, readOnly: true });
    const visits = contentOf(copy);
    expect(visits.filter((visit) => visit.startsWith('["a.example"'))).toEqual(contentOf(journal));
    expect(visits).toHaveLength(6);
  });

  it('takes an access log with salts of its own, and lists what it left out', async () => {
    const line = `192.0.2.1 - - [02/May/2026:10:00:00 +0000] "GET /log HTTP/1.1" 200 1 "-" "${FIREFOX}"\n`;
    writeFileSync(join(folder, 'access.log'), `${line}rubbish\n`);
    const command = ['import', 'access-log', 'access.log', '--site', 'empty.example'];
    const { exitCode, stdout } = await loggia(...command);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'What                                       Count',
      'page views                                     1',
      'left out: lines that cannot be understood      1',
      'access.log, line 2: the line is not in the combined format.',
      '',
    ]);
    expect((await loggia(...command)).stdout).toContain('access.log: all of it had been imported');
  });

  it.each([
    [['import', 'access-log', '--site', 'a.example'], 'lacks its FILE'],
    [['import', 'umami', 'x.csv'], '--site is missing'],
    [['import', 'loggia', 'x.csv', '--bad-lines', '-1'], '--bad-lines'],
  ])('%j is refused', async (words, message) => {
    const outcome = await loggia(...words);
    expect(outcome).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  });
});
