import { expect, test } from 'vitest';
import { heardForMajority } from './election.ts';

/** All sets of so many of the nodes, as bits. */
const setsOf = (nodes: number, size: number): number[] =>
  Array.from({ length: 2 ** nodes }, (_, bits) => bits).filter(
    (bits) => bits.toString(2).replaceAll('0', '').length === size,
  );

test.each([1, 2, 3, 4, 5, 6, 7])(
  'of %i nodes so many are heard that one has what any majority has, and no more',
  (nodes) => {
    const majority = Math.floor(nodes / 2) + 1;
    const heard = heardForMajority(nodes);
    const misses = (size: number): boolean =>
      setsOf(nodes, size).some((one) =>
        setsOf(nodes, majority).some((other) => (one & other) === 0),
      );
    expect(misses(heard)).toBe(false);
    expect(misses(heard - 1)).toBe(true);
  },
);
