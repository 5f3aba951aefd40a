import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from './run-command-line.ts';
import type { TextSource } from './terminal.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'loggia-cli-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input that is not a terminal. */
  readonly input?: string;
  /** What is typed at a terminal, one element per chunk. */
  readonly typed?: readonly string[];
}

async function run(line: string, circumstances: Circumstances = {}): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCommandLine(line.split(' '), {
    stdin: sourceOf(circumstances),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: circumstances.env ?? {},
    cwd,
    nowMs: () => Date.UTC(2026, 5, 1, 12),
  });
  return { exitCode, stdout, stderr };
}

function sourceOf({ input, typed }: Circumstances): TextSource {
  const stream = new PassThrough();
  if (typed === undefined) {
    stream.end(input ?? '');
    return stream;
  }
  const chunks = [...typed];
  const isRaw = { value: false };
  return Object.assign(stream, {
    isTTY: true,
    setRawMode: (raw: boolean) => {
      isRaw.value = raw;
      const next = chunks.shift();
      if (raw && next !== undefined) stream.write(next);
      if (!raw && next !== undefined) chunks.unshift(next);
    },
  });
}

const json = ({ stdout }: Outcome): unknown => JSON.parse(stdout);
const errorOf = ({ stderr }: Outcome): unknown => JSON.parse(stderr);

describe('a site', () => {
  it('is added, shown, changed and removed', async () => {
    const added = await run('site add Example.org --timezone europe/berlin --json');
    expect(added.exitCode).toBe(0);
    expect(json(added)).toMatchObject({
      domain: 'example.org',
      timezone: 'Europe/Berlin',
      created_at: '2026-06-01T12:00:00.000Z',
      snippet:
        '<script defer data-domain="example.org" src="http://127.0.0.1:8080/js/script.js"></script>',
    });
    const update = 'site update example.org --features hash,404 --allow-host *.example.org --json';
    const settings = { features: ['hash', '404'], allowed_hosts: ['*.example.org'] };
    expect(json(await run(update))).toMatchObject({ timezone: 'Europe/Berlin', settings });
    expect((await run('site list')).stdout).toMatch(/^Site .*\nexample\.org +Europe\/Berlin/);
    expect((await run('site remove example.org')).exitCode).toBe(1);
    expect((await run('site remove example.org --yes')).exitCode).toBe(0);
    expect(json(await run('site list --json'))).toEqual({ sites: [] });
  });

  it('has a snippet with its own script once it has features, under the public address', async () => {
    await run('site add example.org --features outbound-links');
    const env = { LOGGIA_BASE_URL: 'https://stats.example.org/' };
    const { stdout } = await run('site snippet example.org', { env });
    expect(stdout).toMatch(
      /^<script defer data-domain="example\.org" src="https:\/\/stats\.example\.org\/js\/pa-\w{16}\.js"><\/script>\n$/,
    );
  });

  it('may empty a list with none', async () => {
    await run('site add example.org --exclude-page /admin/** --exclude-address 10.0.0.0/8');
    const changed = await run('site update example.org --exclude-page none --json');
    const settings = { excluded_pages: [], excluded_addresses: ['10.0.0.0/8'] };
    expect(json(changed)).toMatchObject({ settings });
  });

  it.each([
    ['site add exa^mple', 'bad_domain', 2],
    ['site add a.org --timezone Europe/Berln', 'bad_value', 2],
    ['site add a.org --features outbond', 'bad_value', 2],
    ['site add a.org --allow-host https://a.org', 'bad_value', 2],
    ['site add a.org --exclude-address 10.0.0.0/40', 'bad_value', 2],
    ['site add a.org --honour-opt-out perhaps', 'bad_value', 2],
    ['site update a.org', 'usage', 2],
    ['site snippet a.org', 'not_found', 1],
  ])('%s is refused', async (line, code, exitCode) => {
    const outcome = await run(`${line} --json`);
    expect(errorOf(outcome)).toMatchObject({ error: { code, hint: expect.any(String) } });
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
  });

  it('is not added twice', async () => {
    await run('site add example.org');
    const again = await run('site add example.org --json');
    expect(again.exitCode).toBe(1);
    expect(errorOf(again)).toMatchObject({ error: { code: 'site_exists' } });
  });
});

describe('a goal', () => {
  it('is an event, a page or a scroll depth', async () => {
    await run('site add example.org');
    await run('goal add example.org --event Purchase --currency eur');
    await run('goal add example.org --page /thanks --name Thanks');
    await run('goal add example.org --page /blog/** --scroll 75');
    expect(json(await run('goal list example.org --json'))).toEqual({
      domain: 'example.org',
      goals: [
        expect.objectContaining({ kind: 'event', event_name: 'Purchase', currency: 'EUR' }),
        expect.objectContaining({ kind: 'page', display_name: 'Thanks', page_pattern: '/thanks' }),
        expect.objectContaining({ kind: 'scroll', scroll_threshold: 75 }),
      ],
    });
    expect((await run('goal remove example.org 2')).exitCode).toBe(0);
    expect((await run('goal remove example.org 2')).exitCode).toBe(1);
  });

  it.each([
    'goal add a.org',
    'goal add a.org --event a --page /b',
    'goal add a.org --event a --scroll 5',
    'goal add a.org --page /a --currency EUR',
    'goal add a.org --page a',
    'goal add a.org --page /a --scroll 101',
    'goal add a.org --event a --currency XXY',
    'goal remove a.org one',
  ])('%j is refused before anything is opened', async (line) => {
    expect((await run(line)).exitCode).toBe(2);
  });
});

describe('a key', () => {
  it('is shown once and listed without its secret', async () => {
    const created = await run('key create --name ci --scopes stats:read,sites:write --json');
    const { key } = json(created) as { key: string };
    expect(key).toMatch(/^lg_/);
    const listed = await run('key list --json');
    expect(listed.stdout).not.toContain(key);
    expect(json(listed)).toMatchObject({
      keys: [{ id: 1, name: 'ci', scopes: ['stats:read', 'sites:write'] }],
    });
    expect((await run('key revoke 1')).exitCode).toBe(0);
    expect((await run('key revoke 1')).exitCode).toBe(1);
  });

  it('has a name and known scopes', async () => {
    expect((await run('key create')).exitCode).toBe(2);
    const wrong = await run('key create --name a --scopes stats:raed --json');
    expect(errorOf(wrong)).toMatchObject({
      error: { code: 'bad_value', hint: expect.stringContaining('stats:read') },
    });
  });
});

describe('a user', () => {
  it('is added with a password from standard input', async () => {
    const added = await run('user add ada --password-stdin --json', { input: 'secret123\n' });
    expect(json(added)).toEqual({ id: 1, name: 'ada' });
    const changed = await run('user passwd ada --password-stdin', { input: 'another-one' });
    expect(changed.exitCode).toBe(0);
    const again = await run('user add ada --password-stdin --json', { input: 'secret123\n' });
    expect(errorOf(again)).toMatchObject({ error: { code: 'exists' } });
    expect(json(await run('user list --json'))).toMatchObject({ users: [{ name: 'ada' }] });
    expect((await run('user remove ada --yes')).exitCode).toBe(0);
    expect((await run('user passwd ada --password-stdin', { input: 'x' })).exitCode).toBe(1);
  });

  it('is asked for a password twice at a terminal, and nothing of it is shown', async () => {
    const typed = ['secret12x\u007F3\r', 'secret123\r'];
    const { exitCode, stdout, stderr } = await run('user add ada', { typed });
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: 'Added the user ada.\n',
      stderr: 'Password: \nOnce more: \n',
    });
  });

  it.each([
    ['two entries that differ', ['secret123\r', 'secret124\r'], 'The two entries differ.'],
    ['a short password', ['secret\r'], 'at least 8'],
    ['Ctrl-C', ['secr\u0003'], 'Cancelled.'],
    ['Ctrl-D on an empty line', ['\u0004'], 'Cancelled.'],
  ])('is not added after %s', async (_, typed, message) => {
    const outcome = await run('user add ada', { typed });
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toContain(message);
    expect(json(await run('user list --json'))).toEqual({ users: [] });
  });

  it('is not asked for where there is no terminal', async () => {
    const outcome = await run('user add ada');
    expect(outcome.exitCode).toBe(2);
    expect(outcome.stderr).toContain('--password-stdin');
  });
});

describe('the set-up', () => {
  it('prints the same link until there is a user', async () => {
    const first = json(await run('setup --json'));
    expect(first).toEqual({
      setup_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:8080\/setup\?token=[\w-]{32}$/),
    });
    expect(json(await run('setup --json'))).toEqual(first);
    await run('setup --user ada --password-stdin', { input: 'secret123' });
    const done = await run('setup --json');
    expect(errorOf(done)).toMatchObject({ error: { code: 'exists' } });
  });
});

describe('the doctor', () => {
  it('prints every setting with its origin and finds nothing wrong', async () => {
    const env = { LOGGIA_LOG_LEVEL: 'warn', LOGGIA_PORT: 'tcp://10.0.0.1:80' };
    const outcome = await run('doctor --listen 127.0.0.1:9999 --json', { env });
    expect(outcome.exitCode).toBe(0);
    expect(json(outcome)).toMatchObject({
      ok: true,
      config_file: null,
      configuration: {
        listen: { value: '127.0.0.1:9999', origin: 'flag', from: '--listen' },
        base_url: { value: 'http://127.0.0.1:9999', origin: 'default', from: null },
        log_level: { value: 'warn', origin: 'environment', from: 'LOGGIA_LOG_LEVEL' },
        data_dir: { value: join(cwd, 'data'), text: './data', origin: 'default' },
        query_timeout: { value: 30_000, text: '30s' },
      },
      ignored_variables: ['LOGGIA_PORT'],
    });
  });

  it('goes on when the configuration is wrong, and says all that is', async () => {
    writeFileSync(join(cwd, 'loggia.yml'), 'lisen: a\n');
    const outcome = await run('doctor', { env: { LOGGIA_LOG_LEVEL: 'loud' } });
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stdout).toContain('FAILURE  configuration: lisen stands in');
    expect(outcome.stdout).toContain("FAILURE  configuration: LOGGIA_LOG_LEVEL is 'loud'");
    expect(outcome.stdout).toContain('ok       node:');
  });

  it('tells a damaged journal from a good one', async () => {
    expect((await run('doctor')).stdout).toContain('There is no journal yet');
    await run('site add example.org');
    expect((await run('doctor')).stdout).toContain('The journal has 1 sites');
    for (const name of ['journal.db', 'journal.db-wal', 'journal.db-shm']) {
      rmSync(join(cwd, 'data', name), { force: true });
    }
    writeFileSync(join(cwd, 'data', 'journal.db'), 'this is no database, '.repeat(1000));
    const outcome = await run('doctor');
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stdout).toContain('FAILURE  journal:');
  });
});

describe('any command', () => {
  it('stops at a wrong configuration with exit code 2', async () => {
    const env = { LOGGIA_LISTN: ':80' };
    const outcome = await run('site list', { env });
    expect(outcome).toMatchObject({ exitCode: 2, stdout: '' });
    expect(outcome.stderr).toContain('Did you mean LOGGIA_LISTEN?');
    const asJson = await run('site list --json', { env });
    expect(errorOf(asJson)).toMatchObject({ error: { code: 'unknown_setting' } });
  });

  it('stops at a data folder that is a file', async () => {
    writeFileSync(join(cwd, 'data'), '');
    const outcome = await run('site list --json');
    expect(outcome.exitCode).toBe(2);
    expect(errorOf(outcome)).toMatchObject({ error: { code: 'data_folder' } });
  });

  it('explains itself', async () => {
    expect((await run('help site')).stdout).toContain('site snippet DOMAIN');
    expect((await run('help site add')).stdout).toContain('--timezone ZONE');
    expect((await run('help sit')).exitCode).toBe(2);
    expect(json(await run('version --json'))).toMatchObject({ version: expect.any(String) });
  });
});
