import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { CgroupLimits } from './duckdb-limits.ts';

export interface CgroupFolders {
  /** Where the hierarchies are mounted. */
  readonly mount: string;
  /** The file that names the process's own groups. */
  readonly self: string;
}

const FOLDERS: CgroupFolders = { mount: '/sys/fs/cgroup', self: '/proc/self/cgroup' };

/** Version 1 says 'no limit' with the greatest multiple of the page size below 2^63. */
const NO_LIMIT_BYTES = 2 ** 62;

/**
 * The limits of this process's control group and of all groups above it, of version 2 and 1. A
 * file that is missing or unreadable sets no limit; nothing is thrown.
 */
export function readCgroup(folders: CgroupFolders = FOLDERS): CgroupLimits {
  const memory: number[] = [];
  const cpus: number[] = [];
  for (const { controllers, path } of parseOwnGroups(tryRead(folders.self))) {
    // A container often sees its own group mounted as the root, under a path of the host's.
    for (const group of withParents(path)) {
      for (const controller of controllers) {
        const folder = posix.join(folders.mount, controller, group);
        memory.push(...memoryLimits(folder));
        cpus.push(...cpuLimits(folder));
      }
    }
  }
  return { memoryBytes: leastOf(memory), cpus: leastOf(cpus) };
}

interface OwnGroup {
  /** Folders under the mount that hold the group; version 2 has none of its own. */
  readonly controllers: readonly string[];
  readonly path: string;
}

function parseOwnGroups(text: string): OwnGroup[] {
  const groups: OwnGroup[] = [];
  for (const line of text.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (names === undefined || path === undefined) continue;
    const controllers = names === '' ? ['', 'unified'] : [names, ...names.split(',')];
    groups.push({ controllers: [...new Set(controllers)], path });
  }
  return groups.length > 0 ? groups : [{ controllers: ['', 'memory', 'cpu'], path: '/' }];
}

/** `/a/b`, `/a`, `/`. */
function withParents(path: string): string[] {
  const paths: string[] = [];
  for (let at = posix.normalize(path); ; at = posix.dirname(at)) {
    paths.push(at);
    if (at === '/' || at === '.') return paths;
  }
}

function memoryLimits(folder: string): number[] {
  const files = ['memory.max', 'memory.high', 'memory.limit_in_bytes'];
  return files
    .map((file) => parseLimit(tryRead(posix.join(folder, file))))
    .filter((bytes) => bytes < NO_LIMIT_BYTES);
}

function cpuLimits(folder: string): number[] {
  const [quota, period] = tryRead(posix.join(folder, 'cpu.max')).trim().split(' ');
  const quotaV1 = tryRead(posix.join(folder, 'cpu.cfs_quota_us'));
  const periodV1 = tryRead(posix.join(folder, 'cpu.cfs_period_us'));
  return [
    parseLimit(quota ?? '') / parseLimit(period ?? ''),
    parseLimit(quotaV1) / parseLimit(periodV1),
  ].filter((cpus) => Number.isFinite(cpus) && cpus > 0);
}

/** Infinity for `max`, -1, nothing and anything that is no number. */
function parseLimit(text: string): number {
  const digits = /^\s*(\d+)\s*$/.exec(text)?.[1];
  return digits === undefined || Number(digits) === 0 ? Number.POSITIVE_INFINITY : Number(digits);
}

function leastOf(limits: readonly number[]): number | undefined {
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
