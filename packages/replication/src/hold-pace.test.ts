import { expect, test } from 'vitest';
import { HOLD_MS_MAX, HOLD_MS_MIN, HoldPace } from './hold-pace.ts';

const GENERATION = { salt1: 1, salt2: 2 };

function logOf(mxFrame: number, backfilledFrames: number) {
  return { ...GENERATION, mxFrame, backfilledFrames };
}

test('writers may be held up as often as it helps', () => {
  const pace = new HoldPace();
  for (let nowMs = 0; nowMs < 5; nowMs += 1) {
    expect(pace.holdMs(logOf(100, 90), nowMs)).toBe(HOLD_MS_MIN);
    pace.succeeded();
  }
});

test('after an attempt in vain they are left alone for four times as long', () => {
  const pace = new HoldPace();
  pace.failed(logOf(100, 90), 20, 1000);
  expect(pace.holdMs(logOf(200, 190), 1079)).toBeUndefined();
  expect(pace.holdMs(logOf(200, 190), 1080)).toBe(2 * HOLD_MS_MIN);
});

test('while the same reader is in the way they are left alone, however long it stays', () => {
  const pace = new HoldPace();
  pace.failed(logOf(100, 90), 20, 1000);
  expect(pace.holdMs(logOf(100_000, 90), 3_600_000)).toBeUndefined();
  expect(pace.holdMs(logOf(100_000, 99), 3_600_000)).toBeUndefined();
  expect(pace.holdMs(logOf(100_000, 100), 3_600_000)).toBe(2 * HOLD_MS_MIN);
});

test('a log that has begun anew by itself says nothing of the reader of before', () => {
  const pace = new HoldPace();
  pace.failed(logOf(100, 90), 20, 1000);
  expect(pace.holdMs({ ...logOf(50, 0), salt1: 2 }, 2000)).toBe(2 * HOLD_MS_MIN);
  expect(pace.holdMs({ ...logOf(50, 0), salt2: 3 }, 2000)).toBe(2 * HOLD_MS_MIN);
});

test('readers that overlap are waited for ever longer, up to a bound, until it helps', () => {
  const pace = new HoldPace();
  const holds: (number | undefined)[] = [];
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    holds.push(pace.holdMs(logOf(attempt * 100, attempt * 100 - 1), attempt * 10_000));
    pace.failed(logOf(attempt * 100, attempt * 100 - 1), 1, attempt * 10_000);
  }
  expect(holds).toEqual([HOLD_MS_MIN, 40, 80, HOLD_MS_MAX, HOLD_MS_MAX]);
  pace.succeeded();
  expect(pace.holdMs(logOf(10, 0), 0)).toBe(HOLD_MS_MIN);
});
