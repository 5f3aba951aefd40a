import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { VISIT_COLUMNS } from '@loggia/contract';
import { Journal } from '@loggia/journal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../bin/loggia.js', import.meta.url));

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'loggia-cli-'));
});
afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the launcher as a user would, with nothing of this process's environment but PATH. */
async function loggia(
  line: string,
  rest: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [LAUNCHER, ...line.split(' ')], {
    cwd,
    env: { PATH: process.env['PATH'], ...rest.env },
    stdio: 'pipe',
  });
  child.stdin.end(rest.input ?? '');
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exit, stdout, stderr };
}

describe('bin/loggia.js', () => {
  it('adds a site and prints one JSON object', async () => {
    const outcome = await loggia('site add example.org --timezone Europe/Berlin --json');
    expect(outcome).toMatchObject({ exitCode: 0, stderr: '' });
    expect(outcome.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      domain: 'example.org',
      timezone: 'Europe/Berlin',
      snippet: expect.stringContaining('data-domain="example.org"'),
    });
    expect(readdirSync(join(cwd, 'data'))).toContain('journal.db');
  });

  it('makes a key that the journal knows', async () => {
    const line = 'key create --name ci --scopes stats:read,sites:write,events:write --json';
    const { key } = JSON.parse((await loggia(line)).stdout) as { key: string };
    using journal = Journal.open({ folder: join(cwd, 'data') });
    expect(journal.keys.find(key)?.scopes).toEqual(['stats:read', 'sites:write', 'events:write']);
  });

  it('takes the data folder from a flag, and a password from standard input', async () => {
    const input = 'correct horse\n';
    const added = await loggia('user add ada --password-stdin --data-dir other', { input });
    expect(added).toMatchObject({ exitCode: 0, stdout: 'Added the user ada.\n' });
    using journal = Journal.open({ folder: join(cwd, 'other') });
    expect(journal.users.list().map((user) => user.name)).toEqual(['ada']);
  });

  it('works while another process has the journal open and writes', async () => {
    using journal = Journal.open({ folder: join(cwd, 'data') });
    journal.settings.set('from', 'the other process');
    const added = await loggia('site add second.example --json');
    expect(added.exitCode).toBe(0);
    expect(journal.sites.byDomain('second.example')?.timezone).toBe('UTC');
  });

  it('needs neither HOME nor a folder for temporary files', async () => {
    const env = { HOME: '/nonexistent', TMPDIR: '/nonexistent' };
    expect((await loggia('site list', { env })).exitCode).toBe(0);
  });

  it('reports the origin of every setting', async () => {
    const env = { LOGGIA_LISTEN: ':9000', LOGGIA_SERVICE_HOST: '10.0.0.1' };
    const report: unknown = JSON.parse((await loggia('doctor --json', { env })).stdout);
    expect(report).toMatchObject({
      configuration: { listen: { value: '[::]:9000', origin: 'environment' } },
      ignored_variables: ['LOGGIA_SERVICE_HOST'],
    });
  });

  it('ends with 2 and an object on standard error when it is used wrongly', async () => {
    const outcome = await loggia('site ad example.org --json');
    expect(outcome).toMatchObject({ exitCode: 2, stdout: '' });
    expect(JSON.parse(outcome.stderr)).toMatchObject({ error: { code: 'usage' } });
  });

  it('makes demo data once', async () => {
    const line = 'seed --domain demo.example --events 2000 --days 14 --until 2026-05-14 --json';
    const outcome = await loggia(line);
    expect(outcome.exitCode).toBe(0);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      sites: [{ domain: 'demo.example', events: expect.any(Number) }],
      first_date: '2026-05-01',
      last_date: '2026-05-14',
    });
    const progress = outcome.stderr.trimEnd().split('\n');
    expect(progress.map((row) => JSON.parse(row) as unknown)).toContainEqual(
      expect.objectContaining({ events: expect.any(Number) }),
    );
    const again = await loggia(line);
    expect(again.exitCode).toBe(1);
    expect(JSON.parse(again.stderr.trimEnd())).toMatchObject({ error: { code: 'exists' } });
  });

  it('says nothing when its reader goes away', async () => {
    const child = spawn(process.execPath, [LAUNCHER, 'help', 'serve'], { cwd, stdio: 'pipe' });
    child.stdout.destroy();
    const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
    expect(await text(child.stderr)).toBe('');
    expect(await exit).toBe(0);
  });

  it('erases what the flags choose, once', async () => {
    await loggia('seed --domain erase.example --events 300 --days 3');
    const line = 'erase erase.example --page /** --filters [["is","visit:device",["Mobile"]]]';
    const refused = await loggia(`${line} --json`);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'not_confirmed' } });
    const first = JSON.parse((await loggia(`${line} --yes --json`)).stdout) as object;
    expect(first).toEqual({ erased_visits: expect.any(Number) });
    expect(first).not.toEqual({ erased_visits: 0 });
    const again = JSON.parse((await loggia(`${line} --yes --json`)).stdout) as object;
    expect(again).toEqual({ erased_visits: 0 });
    using journal = Journal.open({ folder: join(cwd, 'data') });
    const site = journal.sites.byDomain('erase.example');
    const left = journal.tail.readVisits(0, 10_000).filter((row) => row[1] === site?.id);
    expect(left.length).toBeGreaterThan(0);
    const device = VISIT_COLUMNS.findIndex(({ name }) => name === 'device');
    expect(left.map((row) => row[device])).not.toContain('Mobile');
    const all = JSON.parse((await loggia('erase erase.example --yes --json')).stdout) as object;
    expect(all).toEqual({ erased_visits: left.length });
  });
});
