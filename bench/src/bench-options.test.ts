import { expect, it } from 'vitest';
import { parseBenchOptions } from './bench-options.ts';

const known = ['enrich', 'start'];

it('runs everything at full size by default', () => {
  expect(parseBenchOptions([], known)).toEqual({
    names: [],
    quick: false,
    profile: false,
    list: false,
    archiveEvents: undefined,
    folder: undefined,
  });
});

it('takes names and flags in any order', () => {
  expect(parseBenchOptions(['--quick', 'start', '--folder', '/srv/x'], known)).toEqual({
    names: ['start'],
    quick: true,
    profile: false,
    list: false,
    archiveEvents: undefined,
    folder: '/srv/x',
  });
});

it('takes the first part of a name for all workloads that begin with it', () => {
  const parts = ['start', 'copy', 'copy-small', 'copy-large', 'copying'];
  expect(parseBenchOptions(['copy'], parts).names).toEqual(['copy', 'copy-small', 'copy-large']);
});

it.each([[['stop']], [['sta']], [['--fast']], [['--folder']], [['--archive-events', 'many']]])(
  'refuses %j',
  (args) => {
    expect(() => parseBenchOptions(args, known)).toThrow(Error);
  },
);
