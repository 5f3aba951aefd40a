import { expect, it } from 'vitest';
import { profileTable, selfTimes, type CpuProfile } from './cpu-profile.ts';

function node(id: number, functionName: string, url = ''): CpuProfile['nodes'][number] {
  return { id, callFrame: { functionName, url, lineNumber: 9 } };
}

const profile: CpuProfile = {
  nodes: [
    node(1, '(root)'),
    node(2, '(idle)'),
    node(3, 'parse', 'file:///srv/here/packages/ingest/src/parse.ts'),
    node(4, 'parse', 'file:///srv/here/packages/ingest/src/parse.ts'),
    node(5, '(garbage collector)'),
  ],
  samples: [1, 2, 3, 4, 5, 3],
  timeDeltas: [100, 5000, 1000, 2000, 1000, 0],
};

it('adds up the own time of a function, wherever it was called, and leaves idleness out', () => {
  expect(selfTimes(profile)).toEqual([
    { name: 'parse', place: 'packages/ingest/src/parse.ts:10', selfMs: 3 },
    { name: '(garbage collector)', place: '', selfMs: 1 },
  ]);
});

it('shows shares of the working time', () => {
  expect(profileTable(profile, 1)).toBe('75.0 %  3 ms  parse  packages/ingest/src/parse.ts:10\n');
});
