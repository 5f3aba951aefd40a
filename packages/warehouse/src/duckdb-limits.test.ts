import { expect, test } from 'vitest';
import { duckdbLimits } from './duckdb-limits.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const FREE = { memoryBytes: undefined, cpus: undefined };

test.each([
  ['a pod of 512 MiB leaves half of it to the rest of the process', 512 * MIB, 204 * MIB],
  ['a pod of 4 GiB', 4 * GIB, 3072 * MIB],
  ['a pod too small for both gets the least that works', 256 * MIB, 64 * MIB],
])('%s', (_, memoryBytes, expected) => {
  const limits = duckdbLimits({
    cgroup: { memoryBytes, cpus: 1 },
    totalMemoryBytes: 64 * GIB,
    cpus: 16,
  });
  expect(Math.floor(limits.memoryBytes / MIB)).toBe(expected / MIB);
  expect(limits.threads).toBe(1);
});

test('a machine without a limit is shared with others', () => {
  const limits = duckdbLimits({ cgroup: FREE, totalMemoryBytes: 16 * GIB, cpus: 8 });
  expect(limits).toEqual({ memoryBytes: 8 * GIB, threads: 8 });
});

test('a limit beyond the machine is none', () => {
  const cgroup = { memoryBytes: 32 * GIB, cpus: 64 };
  const limits = duckdbLimits({ cgroup, totalMemoryBytes: 16 * GIB, cpus: 8 });
  expect(limits).toEqual({ memoryBytes: 8 * GIB, threads: 8 });
});

test.each([
  [0.25, 1],
  [1.5, 1],
  [2, 2],
  [3.9, 3],
])('a quota of %d CPUs gives %d threads', (cpus, threads) => {
  const cgroup = { memoryBytes: undefined, cpus };
  expect(duckdbLimits({ cgroup, totalMemoryBytes: GIB, cpus: 8 }).threads).toBe(threads);
});

test('what is configured goes before what is computed, each by itself', () => {
  const facts = { cgroup: FREE, totalMemoryBytes: 2 * GIB, cpus: 4 };
  expect(duckdbLimits({ ...facts, configured: { memoryBytes: 7 } })).toEqual({
    memoryBytes: 7,
    threads: 4,
  });
  expect(duckdbLimits({ ...facts, configured: { threads: 9 } })).toEqual({
    memoryBytes: GIB,
    threads: 9,
  });
});
