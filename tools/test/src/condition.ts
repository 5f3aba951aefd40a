import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium } from './chromium.ts';

/** Something that a test can need and a machine can lack. */
export interface Condition {
  readonly meaning: string;
  /** Whether this machine has it. */
  readonly isGiven: () => boolean;
  /** Whether a machine without it may still call the suite complete. */
  readonly isOptional: boolean;
}

const CGROUP_FOLDER = '/sys/fs/cgroup';

/** prctl(2): no new privileges, then a filter of one instruction that allows everything. */
const SET_EMPTY_FILTER = `
  my $filter = pack 'SCCL', 0x06, 0, 0, 0x7fff0000;
  my $program = pack 'S x6 P', 1, $filter;
  syscall(157, 38, 1, 0, 0, 0) == 0 && syscall(157, 22, 2, $program) == 0 or exit 1;
`;

/**
 * What a test may name in its reason to be skipped: `context.skip('needs mount: …')`. The runner
 * looks for itself whether the machine really lacks it.
 */
export const CONDITIONS: Readonly<Record<string, Condition>> = {
  root: {
    meaning: 'the right to act as another user',
    isGiven: () => process.getuid?.() === 0,
    isOptional: true,
  },
  unshare: {
    meaning: 'namespaces of its own, as unshare(1) makes them',
    isGiven: () => succeeds('unshare', '--user', '--map-root-user', 'true'),
    isOptional: true,
  },
  mount: {
    meaning: 'mounts of its own, in a mount namespace',
    isGiven: () => canMount([]) || canMount(['--map-root-user']),
    isOptional: true,
  },
  setpriv: {
    meaning: 'setpriv(1), to run without capabilities and as another user',
    isGiven: () => succeeds('setpriv', '--reuid', '65532', '--clear-groups', 'true'),
    isOptional: true,
  },
  'memory-cgroup': {
    meaning: 'a control group of its own with a limit of memory, of version 2 or 1',
    isGiven: () => hasWritableCgroup() || hasWritableMemoryGroup(),
    isOptional: true,
  },
  overlay: {
    meaning: 'mounts of the kind overlay, in a mount namespace',
    isGiven: canMountOverlay,
    isOptional: true,
  },
  seccomp: {
    meaning: 'a filter of system calls, which Perl sets on an x86-64 machine',
    isGiven: () => process.arch === 'x64' && succeeds('perl', '-e', SET_EMPTY_FILTER),
    isOptional: true,
  },
  taskset: {
    meaning: 'taskset(1), to run on one processor',
    isGiven: () => succeeds('taskset', '--cpu-list', '0', 'true'),
    isOptional: true,
  },
  'readable-checkout': {
    meaning: 'a checkout that other users may read',
    isGiven: () =>
      succeeds('setpriv', '--reuid', '65532', '--clear-groups', 'test', '-r', import.meta.filename),
    isOptional: true,
  },
  chromium: {
    meaning: 'Chromium, or another browser of its family',
    isGiven: () => findChromium() !== undefined,
    isOptional: false,
  },
  etcd: {
    meaning: 'etcd, the server, as etcd-server of Debian has it',
    isGiven: () => succeeds('etcd', '--version'),
    isOptional: false,
  },
};

function succeeds(command: string, ...parameters: readonly string[]): boolean {
  return spawnSync(command, parameters, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

function canMount(options: readonly string[]): boolean {
  return succeeds('unshare', '--mount', ...options, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt');
}

function hasWritableCgroup(): boolean {
  const child = join(CGROUP_FOLDER, `test-${process.pid}`);
  try {
    const controllers = readFileSync(join(CGROUP_FOLDER, 'cgroup.subtree_control'), 'utf8');
    if (!controllers.split(/\s+/).includes('memory')) return false;
    mkdirSync(child);
    rmdirSync(child);
    return true;
  } catch {
    return false;
  }
}

/** Version 1, below the process's own group. */
function hasWritableMemoryGroup(): boolean {
  try {
    const own = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(?<path>.*)$/m.exec(
      readFileSync('/proc/self/cgroup', 'utf8'),
    );
    const child = join(
      CGROUP_FOLDER,
      'memory',
      own?.groups?.['path'] ?? '/',
      `test-${process.pid}`,
    );
    mkdirSync(child);
    rmdirSync(child);
    return true;
  } catch {
    return false;
  }
}

function canMountOverlay(): boolean {
  const script =
    'mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir a b c d && ' +
    'mount -t overlay -o lowerdir=a,upperdir=b,workdir=c overlay d';
  return succeeds('unshare', '--mount', 'sh', '-c', script);
}
