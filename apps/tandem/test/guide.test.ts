import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, type TestContext } from 'vitest';
import { freePort } from './free-port.ts';
import { guideBlocks, guideSteps } from './guide-document.ts';
import { GuideTerminals } from './guide-terminals.ts';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
const GUIDE = read('docs/guides/replicate-your-app.md');
const EXAMPLES = 'apps/tandem/examples';
const FOLDER = '/tmp/tandem-try';
const PORTS = /\b(?:20202|20203|8081|8082|3001|3002|2379)\b/g;
const MINUTES_MS = 300_000;

function needProgram(context: TestContext, name: string): void {
  const { status } = spawnSync('sh', ['-c', `command -v ${name}`]);
  if (status !== 0) context.skip(`needs ${name}: it is not installed`);
}

/** Texts with free ports in the place of those of the guide. */
async function withFreePorts(): Promise<(text: string) => string> {
  const ports = new Map<string, string>();
  for (const [port] of GUIDE.matchAll(PORTS)) {
    if (!ports.has(port)) ports.set(port, String(await freePort()));
  }
  return (text) => text.replaceAll(PORTS, (port) => ports.get(port) ?? port);
}

/** etcd listens on its own ports unless it is told otherwise. */
async function withEtcdAddresses(clientUrl: string): Promise<(line: string) => string> {
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const flags = Object.entries({
    'listen-client-urls': clientUrl,
    'advertise-client-urls': clientUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
  }).map(([flag, value]) => `--${flag}=${value}`);
  return (line) => (line.startsWith('etcd ') ? [line, ...flags].join(' ') : line);
}

describe('docs/guides/replicate-your-app.md', () => {
  test('shows the files of the examples', () => {
    const [alpha = '', lease = ''] = guideBlocks(GUIDE, 'yaml');
    expect(read(`${EXAMPLES}/alpha.yml`)).toBe(alpha);
    expect(read(`${EXAMPLES}/alpha-etcd.yml`)).toContain(`\n${lease}acknowledge:\n`);
  });

  test.each(['', '-etcd'])('shows a beta%s.yml that differs as it says', (kind) => {
    const [alpha = '', alphaShared] = read(`${EXAMPLES}/alpha${kind}.yml`).split(/^(?=lease:)/m);
    const [beta, betaShared] = read(`${EXAMPLES}/beta${kind}.yml`).split(/^(?=lease:)/m);
    const renamed = alpha
      .replace('first', 'second')
      .replaceAll('alpha', 'beta')
      .replace('20202', '20203')
      .replace('8081', '8082')
      .replace('3001', '3002');
    expect(beta).toBe(renamed);
    expect(betaShared).toBe(alphaShared);
  });

  test('what it has one type shows what it says', { timeout: MINUTES_MS }, async (context) => {
    for (const program of ['curl', 'python3', 'pgrep', 'etcd']) needProgram(context, program);
    const folder = mkdtempSync(join(tmpdir(), 'tandem-guide-'));
    const terminals = new GuideTerminals(basename(folder));
    const replacePorts = await withFreePorts();
    const addAddresses = await withEtcdAddresses(replacePorts('http://127.0.0.1:2379'));
    const adapt = (text: string): string =>
      replacePorts(text).replaceAll(FOLDER, folder).replaceAll(basename(FOLDER), basename(folder));
    rmSync(folder, { recursive: true });
    try {
      for (const { terminal, lines, expected } of guideSteps(GUIDE)) {
        const step = {
          terminal,
          lines: lines.map((line) => addAddresses(adapt(line))),
          expected: expected === undefined ? undefined : adapt(expected),
        };
        await expect(terminals.type(step)).resolves.toBeUndefined();
        if (lines[0]?.startsWith('cp ') === true) adaptFiles(folder, replacePorts);
      }
    } finally {
      await terminals.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function adaptFiles(folder: string, adapt: (text: string) => string): void {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.yml'))) {
    const path = join(folder, name);
    writeFileSync(path, adapt(readFileSync(path, 'utf8')));
  }
}
