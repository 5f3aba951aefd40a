import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '@loggia/journal';
import { FIREFOX, TestServer, temporaryFolder } from './test-server.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/loggia.js', import.meta.url));
const SENDERS = 8;

const folder = temporaryFolder();
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ env: { LOGGIA_RATE_LIMITS: 'off' } });
  server.addSite('backup.example');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function loggia(
  ...words: string[]
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [LAUNCHER, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
  });
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exit, stdout, stderr };
}

/** Sends page views until told to stop, and notes each one that was answered 202. */
async function sendUntil(
  isDone: () => boolean,
  sender: number,
  acknowledged: Set<string>,
): Promise<void> {
  for (let number = 0; !isDone(); number += 1) {
    const page = `/${sender}/${number}`;
    const response = await server.sendEvent(
      { n: 'pageview', u: `https://backup.example${page}`, d: 'backup.example' },
      { 'user-agent': FIREFOX, 'x-forwarded-for': `192.0.2.${sender}` },
    );
    if (response.status === 202) acknowledged.add(page);
  }
}

function pagesIn(dataDir: string): Set<string> {
  using journal = Journal.open({ folder: dataDir });
  return new Set(journal.tail.readEvents(0, 1_000_000).map((row) => String(row[7])));
}

describe('loggia backup', () => {
  it('beside a busy server writes all that was answered before it began', async () => {
    let isDone = false;
    const acknowledged = new Set<string>();
    const senders = Array.from({ length: SENDERS }, (_, sender) =>
      sendUntil(() => isDone, sender, acknowledged),
    );
    while (acknowledged.size < 200) await new Promise((resolve) => setImmediate(resolve));
    const before = new Set(acknowledged);
    const made = await loggia('backup', 'live.db', '--data-dir', server.dataDir, '--json');
    isDone = true;
    await Promise.all(senders);
    expect(made).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(made.stdout)).toMatchObject({
      file: join(folder, 'live.db'),
      tables: { site: 1, event: expect.any(Number) },
    });
    expect(acknowledged.size).toBeGreaterThan(before.size);
    const restored = join(folder, 'restored');
    expect(await loggia('restore', 'live.db', '--data-dir', restored)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Restored .*: \d+\.\d MB, 1 site, 0 users, \d+ events\.\n$/),
    });
    const stored = pagesIn(restored);
    expect([...before].filter((page) => !stored.has(page))).toEqual([]);
    await using again = await TestServer.start({ dataDir: restored });
    const [row] = await again.query(again.addKey('stats:read'), {
      site_id: 'backup.example',
      metrics: ['pageviews'],
      date_range: 'all',
    });
    expect(row?.metrics).toEqual([stored.size]);
  });

  it('overwrites nothing without --force, and leaves nothing beside the file', async () => {
    writeFileSync(join(folder, 'taken.db'), 'mine');
    const target = ['backup', 'taken.db', '--data-dir', server.dataDir];
    expect(await loggia(...target)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('taken.db exists already'),
    });
    writeFileSync(join(folder, '.taken.db.partial-4194304'), 'of a process that died');
    expect((await loggia(...target, '--force')).exitCode).toBe(0);
    expect(readdirSync(folder).filter((name) => name.includes('taken'))).toEqual(['taken.db']);
  });

  it('of a folder that has no journal says so and makes nothing', async () => {
    const made = await loggia('backup', 'none.db', '--data-dir', join(folder, 'nowhere'), '--json');
    expect(made.exitCode).toBe(1);
    expect(JSON.parse(made.stderr)).toMatchObject({ error: { code: 'journal_missing' } });
    expect(existsSync(join(folder, 'none.db'))).toBe(false);
  });
});

describe('loggia restore', () => {
  it('is refused while a server runs, in one sentence, and the server goes on', async () => {
    await loggia('backup', 'for-restore.db', '--data-dir', server.dataDir);
    const refused = await loggia(
      'restore',
      'for-restore.db',
      '--force',
      '--data-dir',
      server.dataDir,
    );
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(
      `loggia: A server or a command is using ${server.dataDir}\nStop the server, then restore.`,
    );
    const response = await server.sendEvent({
      n: 'pageview',
      u: 'https://backup.example/after',
      d: 'backup.example',
    });
    expect(response.status).toBe(202);
    expect(pagesIn(server.dataDir).has('/after')).toBe(true);
  });

  it('over a stopped server needs --force and says where the old journal went', async () => {
    await using other = await TestServer.start();
    other.addSite('other.example');
    await other.stop('SIGKILL');
    await loggia('backup', 'other.db', '--data-dir', server.dataDir);
    const line = ['restore', 'other.db', '--data-dir', other.dataDir];
    expect(await loggia(...line)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('--force'),
    });
    const aside = join(other.dataDir, 'quarantine', 'journal.db.1');
    expect(await loggia(...line, '--force')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`What was there before is now ${aside}.\n`),
    });
    using journal = Journal.open({ folder: other.dataDir });
    expect(journal.sites.list().map((site) => site.domain)).toEqual(['backup.example']);
  });
});
