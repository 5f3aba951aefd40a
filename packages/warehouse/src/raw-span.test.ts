import { expect, test } from 'vitest';
import { rawSpan } from './raw-span.ts';

/** Three days, the second of which is short. */
const RANGE = {
  siteId: 1,
  dimensions: [0],
  firstDay: 100,
  dayStartsMs: [1000, 2000, 2500, 3500],
  toMs: 3500,
  byMonth: true,
  summed: { sql: '', parameters: [] },
  mixed: { sql: '', parameters: [] },
};

test('without visits in the tail nothing is counted', () => {
  expect(rawSpan(RANGE, undefined)).toBeUndefined();
});

test('the days are counted that the visits touch', () => {
  expect(rawSpan(RANGE, { firstMs: 2000, lastMs: 2499 })).toEqual({
    fromMs: 2000,
    toMs: 2500,
    fromDay: 101,
    endDay: 102,
  });
  expect(rawSpan(RANGE, { firstMs: 1999, lastMs: 2500 })).toMatchObject({
    fromMs: 1000,
    toMs: 3500,
  });
});

test('what began before the range or lasts beyond it is cut', () => {
  expect(rawSpan(RANGE, { firstMs: 1, lastMs: 1500 })).toMatchObject({ fromDay: 100, endDay: 101 });
  expect(rawSpan(RANGE, { firstMs: 3000, lastMs: 9000 })).toEqual({
    fromMs: 2500,
    toMs: 3500,
    fromDay: 102,
    endDay: 103,
  });
});

test('what a range has beyond its last whole day is always counted', () => {
  const cut = { ...RANGE, toMs: 3600 };
  expect(rawSpan(cut, undefined)).toEqual({ fromMs: 3500, toMs: 3600, fromDay: 103, endDay: 103 });
  expect(rawSpan(cut, { firstMs: 1000, lastMs: 1001 })).toEqual({
    fromMs: 1000,
    toMs: 3600,
    fromDay: 100,
    endDay: 103,
  });
});
