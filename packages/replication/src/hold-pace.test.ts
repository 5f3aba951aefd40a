import { expect, test } from 'vitest';
import { HOLD_MS_MAX, HOLD_MS_MIN, HoldPace } from './hold-pace.ts';

const GENERATION = { salt1: 1, salt2: 2 };

/** Not an urgent case. */
function at(nowMs: number) {
  return { nowMs, isUrgent: false };
}

function logOf(mxFrame: number, backfilledFrames: number) {
  return { ...GENERATION, mxFrame, backfilledFrames };
}

test('where it helps, writers are held up for a twelfth of the time at most', () => {
  const pace = new HoldPace();
  expect(pace.holdMs(logOf(100, 90), at(0))).toBe(HOLD_MS_MIN);
  pace.succeeded(2, 1000);
  expect(pace.holdMs(logOf(100, 90), at(1021))).toBeUndefined();
  expect(pace.holdMs(logOf(100, 90), at(1022))).toBe(HOLD_MS_MIN);
});

test('in an urgent case they are held up as often as it helps, and no more often in vain', () => {
  const pace = new HoldPace();
  const isUrgent = true;
  pace.succeeded(2, 1000);
  expect(pace.holdMs(logOf(900, 90), { nowMs: 1000, isUrgent })).toBe(HOLD_MS_MIN);
  pace.failed(logOf(900, 90), 20, 2000);
  expect(pace.holdMs(logOf(1900, 1890), { nowMs: 2019, isUrgent })).toBeUndefined();
  expect(pace.holdMs(logOf(1900, 1890), { nowMs: 2020, isUrgent })).toBe(2 * HOLD_MS_MIN);
});

test('after an attempt in vain they are left alone for as long, then for ever longer', () => {
  const pace = new HoldPace();
  const rests = [1, 2, 3, 4, 5, 6, 7].map((attempt) => {
    const frames = attempt * 100;
    pace.failed(logOf(frames, frames - 10), 20, 1000);
    const next = logOf(frames + 100, frames);
    return [20, 40, 80, 160, 320].find(
      (restMs) => pace.holdMs(next, at(1000 + restMs)) !== undefined,
    );
  });
  expect(rests).toEqual([20, 40, 80, 160, 320, 320, 320]);
});

test('while the same reader is in the way they are left alone, however long it stays', () => {
  const pace = new HoldPace();
  pace.failed(logOf(100, 90), 20, 1000);
  expect(pace.holdMs(logOf(100_000, 90), at(3_600_000))).toBeUndefined();
  expect(pace.holdMs(logOf(100_000, 99), at(3_600_000))).toBeUndefined();
  expect(pace.holdMs(logOf(100_000, 100), at(3_600_000))).toBe(2 * HOLD_MS_MIN);
});

test('a log that has begun anew by itself says nothing of the reader of before', () => {
  const pace = new HoldPace();
  pace.failed(logOf(100, 90), 20, 1000);
  expect(pace.holdMs({ ...logOf(50, 0), salt1: 2 }, at(2000))).toBe(2 * HOLD_MS_MIN);
  expect(pace.holdMs({ ...logOf(50, 0), salt2: 3 }, at(2000))).toBe(2 * HOLD_MS_MIN);
});

test('readers that overlap are waited for ever longer, up to a bound, until it helps', () => {
  const pace = new HoldPace();
  const holds: (number | undefined)[] = [];
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    holds.push(pace.holdMs(logOf(attempt * 100, attempt * 100 - 1), at(attempt * 10_000)));
    pace.failed(logOf(attempt * 100, attempt * 100 - 1), 1, attempt * 10_000);
  }
  expect(holds).toEqual([HOLD_MS_MIN, 40, 80, HOLD_MS_MAX, HOLD_MS_MAX]);
  pace.succeeded(0, 100_000);
  expect(pace.holdMs(logOf(10, 0), at(100_000))).toBe(HOLD_MS_MIN);
});
