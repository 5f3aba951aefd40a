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

/**
 * What a test may name in its reason to be skipped: `context.skip('needs cgroup-v2: …')`. The runner
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
  'cgroup-v2': {
    meaning: 'a writable cgroup v2 hierarchy with the memory controller',
    isGiven: hasWritableCgroup,
    isOptional: true,
  },
  chromium: {
    meaning: 'Chromium, or another browser of its family',
    isGiven: () => findChromium() !== undefined,
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
