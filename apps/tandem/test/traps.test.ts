import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { APPLICATION, DaemonFixture, notes, post, PYTHON_APP } from './daemon-fixture.ts';
import {
  DaemonProcess,
  TOKEN,
  until,
  type DaemonOptions,
  type NodePorts,
} from './daemon-process.ts';

const GUIDE = new URL('../../../docs/guides/moving-from-litefs.md', import.meta.url);
const AS_NOBODY =
  'setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all';

const fixture = new DaemonFixture();

function start(ports: NodePorts, options: Partial<DaemonOptions> = {}): DaemonProcess {
  const base = { name: 'one', folder: fixture.folder(), settings: [], application: APPLICATION };
  const node = DaemonProcess.start({ ...base, ...options }, ports);
  fixture.onEnd(() => node.kill());
  return node;
}

/** Starts a daemon with a configuration that it cannot use. @returns what it says */
async function refusal(name: string, text: string, env: Record<string, string> = {}) {
  const node = start(await DaemonProcess.ports(), { config: { name, text }, env });
  expect(await node.ended()).toBe(1);
  return node.log;
}

async function untilInfo(
  node: DaemonProcess,
  expected: Readonly<Record<string, unknown>>,
): Promise<void> {
  let last: unknown;
  await until(
    async () => {
      const info = await node.info();
      last = info;
      return Object.entries(expected).every(([key, value]) => info[key] === value);
    },
    `/info with ${JSON.stringify(expected)}, not ${JSON.stringify(last)}`,
  );
}

/** A file that is the same on all pods of a StatefulSet. */
const SAME_FILE = [
  'databases: {folder: databases}',
  'state: {folder: state}',
  `http: {listen: "127.0.0.1:\${API_PORT}", token: ${TOKEN}}`,
  'proxy: {listen: "127.0.0.1:${PROXY_PORT}", target: "127.0.0.1:${APP_PORT}"}',
];

function podEnv(name: string, { api, proxy, application }: NodePorts): Record<string, string> {
  return {
    POD_NAME: name,
    POD_IP: '127.0.0.1',
    API_PORT: String(api),
    PROXY_PORT: String(proxy),
    APP_PORT: String(application),
  };
}

describe('what users of LiteFS fall over on Kubernetes', () => {
  test('`HOSTNAME` is overridden in the image or a ConfigMap (0.0.0.0)', async () => {
    const ports = await DaemonProcess.ports();
    const config = { name: 'tandem.yml', text: SAME_FILE.join('\n') };
    const { POD_NAME: _, ...env } = podEnv('', ports);
    const unnamed = start(ports, { config, env: { ...env, HOSTNAME: '0.0.0.0' } });
    await untilInfo(unnamed, { isPrimary: true });
    expect((await unnamed.info())['node']).toMatchObject({ name: hostname() });
    await unnamed.kill();
    const named = start(ports, {
      config,
      env: { ...podEnv('web-0', ports), HOSTNAME: '0.0.0.0' },
    });
    await untilInfo(named, { isPrimary: true });
    expect((await named.info())['node']).toMatchObject({ name: 'web-0' });
    const said = await refusal(
      'tandem.yml',
      [...SAME_FILE, 'node: {name: 0.0.0.0}'].join('\n'),
      env,
    );
    expect(said).toMatch(/node\.name .*is '0\.0\.0\.0', which cannot be the name of a node/);
  });

  test('`hostname: ${HOSTNAME}` of a static lease makes every pod the primary', async () => {
    const [a, b] = [await DaemonProcess.ports(), await DaemonProcess.ports()];
    const peers = `{web-0: "http://127.0.0.1:${a.api}", web-1: "http://127.0.0.1:${b.api}"}`;
    const lease = `lease: {type: static, static: {primary: web-0, peers: ${peers}}}`;
    const config = { name: 'tandem.yml', text: [...SAME_FILE, lease].join('\n') };
    const one = await start(a, { config, env: podEnv('web-0', a) }).ready();
    const two = await start(b, { config, env: podEnv('web-1', b) }).ready();
    expect(await one.info()).toMatchObject({ isPrimary: true });
    expect(await two.info()).toMatchObject({ isPrimary: false, primary: { hostname: 'web-0' } });
    const own = `lease: {type: static, static: {primary: "\${POD_NAME}", peers: ${peers}}}`;
    const said = await refusal('tandem.yml', [...SAME_FILE, own].join('\n'), podEnv('web-1', b));
    expect(said).toContain('lease.static.primary');
  });

  test('`candidate: ${VAR}` with an unset variable silently means true', async () => {
    const litefs = (candidate: string): string =>
      `fuse: {dir: databases}\ndata: {dir: state}\nlease:\n  type: static\n` +
      `  advertise-url: http://web-0:20202\n  candidate: ${candidate}\n`;
    const said = await refusal('litefs.yml', litefs('${LITEFS_CANDIDATE}'));
    expect(said).toContain(
      'line 6, uses the variable LITEFS_CANDIDATE, which is not set. Set LITEFS_CANDIDATE, or give ' +
        "a default: '${LITEFS_CANDIDATE:-VALUE}'.",
    );
  });

  test('a key that this version does not have', async () => {
    const misspelt = await refusal('tandem.yml', 'databases: {folder: x}\nlease: {candidat: true}');
    expect(misspelt).toContain('Did you mean lease.candidate?');
    const replaced = await refusal('litefs.yml', 'mount-dir: /litefs\nfuse: {dir: x}');
    expect(replaced).toContain('fuse.dir');
  });

  test('‘cannot stream from primary with a different cluster id’ after a failed attempt', async () => {
    const [a, b] = [await DaemonProcess.ports(), await DaemonProcess.ports()];
    const folder = fixture.folder();
    const alone = await start(b, { name: 'two', folder }).ready();
    expect(await post(alone, 'written in vain')).toBe(201);
    expect(await alone.terminate()).toBe(143);
    const peers = `{one: "http://127.0.0.1:${a.api}", two: "http://127.0.0.1:${b.api}"}`;
    const settings = [`lease: {type: static, static: {primary: one, peers: ${peers}}}`];
    const one = await start(a, { settings }).ready();
    expect(await post(one, 'kept')).toBe(201);
    const two = await start(b, { name: 'two', folder, settings }).ready();
    await until(async () => (await notes(two)).join() === 'kept', 'the data of the primary');
    expect(readdirSync(join(folder, 'state/quarantine')).join()).toContain('app.db');
  });

  test('a migration’s path is wrong, or migrations run on read-only replicas', async () => {
    const folder = fixture.folder();
    const wrong = start(await DaemonProcess.ports(), {
      folder,
      settings: ['commands: [{cmd: /no/such/migrate, if-primary: true}]'],
    });
    expect(await wrong.ended()).toBe(1);
    expect(wrong.log).toContain('/no/such/migrate');
    expect(existsSync(join(folder, 'state'))).toBe(false);
    const ran = join(folder, 'ran');
    const { nodes } = await fixture.staticPair([
      `commands: [{cmd: "sh -c 'echo $$TANDEM_URL >> ${ran}'", if-primary: true}]`,
    ]);
    expect(readFileSync(ran, 'utf8')).toBe(`http://127.0.0.1:${nodes[0]?.ports.api}\n`);
  });

  test('FUSE needs `privileged: true` and uid 0', async (context) => {
    const nobody = AS_NOBODY.split(' ');
    if (spawnSync('setpriv', [...nobody.slice(1), 'test', '-r', PYTHON_APP]).status !== 0) {
      context.skip('needs setpriv: it cannot become a user who can read this program');
    }
    if (spawnSync('unshare', ['--mount', 'true']).status !== 0) {
      context.skip('needs mount: this user may not make a mount namespace');
    }
    const home = mkdtempSync('/var/tmp/tandem-restricted-');
    fixture.onEnd(() => rmSync(home, { recursive: true, force: true }));
    mkdirSync(join(home, 'node/databases'), { recursive: true });
    for (const path of [home, join(home, 'node'), join(home, 'node/databases')]) {
      chownSync(path, 65_532, 65_532);
      chmodSync(path, 0o755);
    }
    const script = [
      `mount --bind ${home} ${home}`,
      'mount -o remount,ro,bind /',
      'mount -t tmpfs -o ro tmpfs /dev/shm',
      'if [ -e /dev/fuse ]; then mount --bind /dev/null /dev/fuse; fi',
      'exec "$@"',
    ].join(' && ');
    const node = start(await DaemonProcess.ports(), {
      name: 'pod-0',
      folder: join(home, 'node'),
      under: ['unshare', '--mount', 'sh', '-c', script, 'sh', ...nobody],
      env: { HOME: '/nonexistent', TMPDIR: '/nonexistent', PYTHONDONTWRITEBYTECODE: '1' },
    });
    await node.ready();
    expect(await post(node, 'written without privileges')).toBe(201);
    expect(await notes(node)).toEqual(['written without privileges']);
    expect(await node.info()).toMatchObject({ isPrimary: true, ready: true });
    expect(await node.terminate()).toBe(143);
    const database = new DatabaseSync(join(node.databases, 'app.db'));
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  });

  test('outside Fly, the proxy answers a replica’s writes with an empty 200', async () => {
    const { nodes } = await fixture.staticPair([], {
      env: { TANDEM_PROXY_PRIMARY_REDIRECT_TIMEOUT: '200ms' },
    });
    const [one, two] = nodes;
    if (one === undefined || two === undefined) throw new RangeError('there are two nodes');
    const body = 'x'.repeat(3_000_000);
    const answer = await fetch(two.url, { method: 'POST', body });
    expect([answer.status, await answer.json()]).toEqual([201, body]);
    expect(await notes(one)).toEqual([body]);
    await one.kill();
    const refused = await fetch(two.url, { method: 'POST', body: 'lost' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.text()).toMatch(
      /^primary_unreachable: .*\nRepeat the request in a moment/,
    );
  });

  test('the proxy is healthy before the first sync', async () => {
    const [a, b] = [await DaemonProcess.ports(), await DaemonProcess.ports()];
    const peers = `{one: "http://127.0.0.1:${a.api}", two: "http://127.0.0.1:${b.api}"}`;
    const settings = [
      `lease: {type: static, static: {primary: one, peers: ${peers}}}`,
      'skip-sync: true',
    ];
    const two = start(b, { name: 'two', settings });
    const health = async (): Promise<number> => (await fetch(`${two.url}/litefs/health`)).status;
    const readiness = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${b.api}/readyz`)).status;
    await until(async () => (await health()) > 0, 'the proxy answers');
    expect([await health(), await readiness()]).toEqual([503, 503]);
    start(a, { settings });
    await until(async () => (await health()) === 200, 'the proxy is healthy');
    expect(await readiness()).toBe(200);
  });

  test('have each a row in the guide, with these words', () => {
    const lines = readFileSync(GUIDE, 'utf8').split('\n');
    const head = lines.findIndex((line) => line.startsWith('| With LiteFS |'));
    const rows = lines.slice(head + 2, lines.indexOf('', head));
    const own = readFileSync(new URL(import.meta.url), 'utf8');
    const titles = [...own.matchAll(/^ {2}test\('(?<title>.*)', async/gm)];
    expect(rows.map((row) => row.split('|')[1]?.trim())).toEqual(
      titles.map(({ groups }) => groups?.['title']),
    );
  });
});
