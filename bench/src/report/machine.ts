import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';

/** What the figures depend on beside the program. */
export interface Machine {
  readonly cpu: string;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly memory_bytes: number;
  readonly platform: string;
  readonly node: string;
  /** Of the disk under the data folders. */
  readonly file_system: string;
  /** Null outside a git working tree; with `+` when files differ from it. */
  readonly commit: string | null;
}

/** The f_type of statfs(2), as linux/magic.h numbers them. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x5846_5342: 'xfs',
  0x9123_683e: 'btrfs',
  0x0102_1994: 'tmpfs',
  0x794c_7630: 'overlay',
  0x2fc1_2fc1: 'zfs',
  0x6969: 'nfs',
};

/** Describes this machine; `folder` is where data is written. */
export function readMachine(folder: string): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory_bytes: totalmem(),
    platform: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    file_system: fileSystemOf(folder),
    commit: readCommit(),
  };
}

function fileSystemOf(folder: string): string {
  const { type } = statfsSync(folder);
  return FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`;
}

function readCommit(): string | null {
  const commit = tryGit('rev-parse', '--short=12', 'HEAD');
  if (commit === null) return null;
  const changes = tryGit('status', '--porcelain', '--untracked-files=no');
  return changes === '' ? commit : `${commit}+`;
}

function tryGit(...args: readonly string[]): string | null {
  try {
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
