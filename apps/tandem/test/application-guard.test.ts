import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { DaemonProcess, until } from './daemon-process.ts';

const DAEMON = fileURLToPath(new URL('supervise-process.ts', import.meta.url));
/** Says the pids of three processes: its own, a child's, and that of a child in another session. */
const FAMILY = `
  const { spawn } = require('node:child_process');
  const wait = ['-e', 'setInterval(() => {}, 1 << 30)'];
  const child = spawn(process.execPath, wait, { stdio: 'ignore' });
  const apart = spawn(process.execPath, wait, { stdio: 'ignore', detached: true });
  process.on('SIGTERM', () => {});
  console.log(['family', process.pid, child.pid, apart.pid].join(' '));
  setInterval(() => {}, 1 << 30);
`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** The children of a process that run, and those only. */
function childrenOf(pid: number | undefined): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const status = stateOf(Number(name));
      if (status?.parent !== pid) return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return [{ pid: Number(name), command }];
    });
}

/** Undefined when it has ended, collected or not. */
function stateOf(pid: number): { parent: number; letter: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [letter = '', parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return letter === 'Z' ? undefined : { parent: Number(parent), letter };
  } catch {
    return undefined;
  }
}

/** A daemon of supervisor and guard, and what it and its command say. */
function supervise(...words: readonly string[]): { daemon: ChildProcess; said: () => string } {
  const daemon = spawn(process.execPath, [DAEMON, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LOG: '1' },
  });
  cleanups.push(() => daemon.kill('SIGKILL'));
  let text = '';
  for (const stream of [daemon.stdout, daemon.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  }
  return { daemon, said: () => text };
}

async function familyOf(said: () => string): Promise<number[]> {
  await until(() => said().includes('family'), 'the application runs');
  const pids = /family (?<pids>[\d ]+)/.exec(said())?.groups?.['pids']?.split(' ').map(Number);
  expect(pids?.every((pid) => stateOf(pid) !== undefined)).toBe(true);
  return pids ?? [];
}

function guardOf(daemon: ChildProcess): number | undefined {
  return childrenOf(daemon.pid).find(({ command }) => command.includes('guard'))?.pid;
}

describe('an application whose daemon is killed with SIGKILL', () => {
  it('ends with it, and so do its children, those in other sessions included', async () => {
    const { daemon, said } = supervise(process.execPath, '-e', FAMILY);
    const pids = await familyOf(said);
    daemon.kill('SIGKILL');
    await until(() => pids.every((pid) => stateOf(pid) === undefined), 'all have ended', 10_000);
    expect(pids).toHaveLength(3);
  });

  it('ends with it although the first guard was killed before', async () => {
    const { daemon, said } = supervise(process.execPath, '-e', FAMILY);
    const pids = await familyOf(said);
    // It has taken its name and waits: it has said by then that it is ready.
    await until(() => {
      const guard = childrenOf(daemon.pid).find(({ command }) => command.startsWith('tandem-'));
      return guard !== undefined && stateOf(guard.pid)?.letter === 'S';
    }, 'the guard waits');
    const first = guardOf(daemon);
    await until(() => {
      const pid = guardOf(daemon);
      if (pid !== undefined && pid === first) process.kill(pid, 'SIGKILL');
      return pid !== undefined && pid !== first;
    }, 'another guard');
    expect(said()).toContain('the guard of the application ended; another one begins');
    daemon.kill('SIGKILL');
    await until(() => pids.every((pid) => stateOf(pid) === undefined), 'all have ended', 10_000);
    expect(pids).toHaveLength(3);
  });

  it('can be ended as a whole group without the guard being taken along', async () => {
    const daemon = spawn(process.execPath, [DAEMON, process.execPath, '-e', FAMILY], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    let text = '';
    daemon.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    const pids = await familyOf(() => text);
    process.kill(-(daemon.pid ?? 0), 'SIGKILL');
    await until(() => pids.every((pid) => stateOf(pid) === undefined), 'all have ended', 10_000);
    expect(pids).toHaveLength(3);
  });
});

describe('the guard', () => {
  it('ends with a daemon that ends by itself, and kills nothing that was left behind', async () => {
    const wait = `"${process.execPath}" -e 'setInterval(() => {}, 1 << 30)'`;
    const { daemon, said } = supervise('sh', '-c', `${wait} >/dev/null 2>&1 & echo left $!`);
    const guards: number[] = [];
    await until(() => {
      const pid = guardOf(daemon);
      if (pid !== undefined) guards.push(pid);
      return daemon.exitCode !== null;
    }, 'the daemon ends');
    const left = Number(/left (?<pid>\d+)/.exec(said())?.groups?.['pid']);
    await until(() => guards.every((pid) => stateOf(pid) === undefined), 'the guard has ended');
    expect(stateOf(left)).toBeDefined();
    process.kill(left, 'SIGKILL');
  });
});

describe('a daemon', () => {
  it('names a program that has a database open before its application starts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-guard-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const ports = await DaemonProcess.ports();
    const path = join(folder, 'databases/app.db');
    mkdirSync(join(folder, 'databases'));
    new DatabaseSync(path).close();
    const script = `
      const database = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
      database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a)');
      console.log('open');
      setInterval(() => {}, 1 << 30);
    `;
    const former = spawn(process.execPath, ['-e', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => former.kill('SIGKILL'));
    await once(former.stdout, 'data');
    const application = [process.execPath, '-e', 'setInterval(() => {}, 1 << 30)'];
    const options = { name: 'one', folder, settings: [], application };
    await using daemon = DaemonProcess.start(options, ports);
    await until(() => daemon.log.includes('the application starts'), 'the application starts');
    expect(daemon.log).toMatch(
      new RegExp(`"pid":${former.pid},.*"path":"${path}.*"hint":".*kill ${former.pid}"`),
    );
  });
});
