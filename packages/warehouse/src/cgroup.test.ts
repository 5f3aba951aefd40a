import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type CgroupFolders, readCgroup } from './cgroup.ts';

const NONE = { memoryBytes: undefined, cpus: undefined };

/** A mount with these files, and the file that names the process's groups. */
function mountWith(files: Readonly<Record<string, string>>, self: string): CgroupFolders {
  const root = mkdtempSync(join(tmpdir(), 'loggia-cgroup-'));
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, 'mount', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  writeFileSync(join(root, 'self'), self);
  return { mount: join(root, 'mount'), self: join(root, 'self') };
}

test('version 2: a container sees its own group as the root', () => {
  const files = { 'memory.max': '536870912\n', 'cpu.max': '150000 100000\n' };
  expect(readCgroup(mountWith(files, '0::/\n'))).toEqual({ memoryBytes: 536_870_912, cpus: 1.5 });
});

test('version 2: the tightest of all groups above holds', () => {
  const files = {
    'a.slice/memory.max': '1000\n',
    'a.slice/cpu.max': 'max 100000\n',
    'a.slice/b.service/memory.max': 'max\n',
    'a.slice/b.service/memory.high': '2000\n',
    'a.slice/b.service/cpu.max': '50000 100000\n',
  };
  const folders = mountWith(files, '0::/a.slice/b.service\n');
  expect(readCgroup(folders)).toEqual({ memoryBytes: 1000, cpus: 0.5 });
});

test('version 2: max is no limit', () => {
  const files = { 'memory.max': 'max\n', 'cpu.max': 'max 100000\n' };
  expect(readCgroup(mountWith(files, '0::/\n'))).toEqual(NONE);
});

test("version 1: each controller has its own hierarchy, and the path may be the host's", () => {
  const files = {
    'memory/memory.limit_in_bytes': '268435456\n',
    'cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
    'cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  };
  const self = '4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n0::/\n';
  expect(readCgroup(mountWith(files, self))).toEqual({ memoryBytes: 268_435_456, cpus: 2 });
});

test('version 1: no limit is a huge number for memory and -1 for CPUs', () => {
  const files = {
    'memory/memory.limit_in_bytes': '9223372036854771712\n',
    'cpu/cpu.cfs_quota_us': '-1\n',
    'cpu/cpu.cfs_period_us': '100000\n',
  };
  expect(readCgroup(mountWith(files, '2:memory:/\n1:cpu:/\n'))).toEqual(NONE);
});

test('without the list of its groups, the roots are looked at', () => {
  const folders = mountWith({ 'memory.max': '4096\n' }, '');
  expect(readCgroup({ ...folders, self: '/does/not/exist' })).toEqual({
    memoryBytes: 4096,
    cpus: undefined,
  });
});

test('files that are missing or say nonsense set no limit', () => {
  expect(readCgroup({ mount: '/does/not/exist', self: '/does/not/exist' })).toEqual(NONE);
  const files = { 'memory.max': 'a lot', 'cpu.max': '', 'cpu.cfs_quota_us': '0' };
  expect(readCgroup(mountWith(files, '0::/\nnonsense\n'))).toEqual(NONE);
});

test('this machine can be read', () => {
  const { memoryBytes, cpus } = readCgroup();
  expect(memoryBytes ?? 1).toBeGreaterThan(0);
  expect(cpus ?? 1).toBeGreaterThan(0);
});
