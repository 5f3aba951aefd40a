import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CapturePace, GATHER_MS_MAX, GATHER_MS_MIN } from './capture-pace.ts';

const EMPTY = { transactions: 0, costMs: 0.01, nowMs: 0 };

test('a lone commit is no reason for a timer', () => {
  const pace = new CapturePace();
  expect(pace.pauseMs({ transactions: 1, costMs: 1, nowMs: 1000 })).toBeUndefined();
  expect(pace.pauseMs({ transactions: 1, costMs: 1, nowMs: 1100 })).toBeUndefined();
});

test('commits that follow one another closely are gathered', () => {
  const pace = new CapturePace();
  expect(pace.pauseMs({ transactions: 1, costMs: 0.1, nowMs: 1000 })).toBeUndefined();
  expect(pace.pauseMs({ transactions: 1, costMs: 0.1, nowMs: 1008 })).toBe(GATHER_MS_MIN);
  expect(pace.pauseMs({ transactions: 2, costMs: 0.1, nowMs: 2000 })).toBe(GATHER_MS_MIN);
});

test('the more a look costs the longer is gathered, up to a bound', () => {
  const pace = new CapturePace();
  expect(pace.pauseMs({ transactions: 50, costMs: 4, nowMs: 0 })).toBe(12);
  expect(pace.pauseMs({ transactions: 5000, costMs: 400, nowMs: 0 })).toBe(GATHER_MS_MAX);
});

test('what has been announced is looked for four times, and then waited for', () => {
  const pace = new CapturePace();
  for (let round = 0; round < 2; round += 1) {
    pace.notified();
    const pauses = [1, 2, 3, 4, 5, 6].map(() => pace.pauseMs(EMPTY));
    expect(pauses).toEqual([1, 1, 1, 1, undefined, undefined]);
  }
});

test('whatever is found, a database at rest is soon waited for, and a busy one looked at soon', () => {
  const look = fc.record({
    transactions: fc.nat(3),
    costMs: fc.double({ min: 0, max: 100, noNaN: true }),
    nowMs: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(look), (looks) => {
      const pace = new CapturePace();
      for (const each of looks) {
        const pauseMs = pace.pauseMs(each);
        expect(pauseMs ?? GATHER_MS_MAX).toBeLessThanOrEqual(GATHER_MS_MAX);
        if (each.transactions > 1) expect(pauseMs).toBeGreaterThanOrEqual(GATHER_MS_MIN);
      }
      expect([1, 2, 3, 4, 5].map(() => pace.pauseMs(EMPTY)).at(-1)).toBeUndefined();
    }),
  );
});
