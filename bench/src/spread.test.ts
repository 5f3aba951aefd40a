import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measurementOf, medianOf, percentileOf } from './spread.ts';

const samples = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });

describe('median', () => {
  it.each([
    [[3], 3],
    [[3, 1], 2],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[100, 9, 20], 20],
  ])('of %j is %d', (values, expected) => {
    expect(medianOf(values)).toBe(expected);
  });

  it('has as many samples below it as above', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const median = medianOf(values);
        const below = values.filter((value) => value < median).length;
        const above = values.filter((value) => value > median).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });
});

describe('percentile', () => {
  it.each([
    [0.5, 50],
    [0.99, 99],
    [0.991, 100],
    [1, 100],
    [0, 1],
  ])('%d of 1 to 100 is %d', (share, expected) => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentileOf(values, share)).toBe(expected);
  });

  it('is a sample that enough others do not exceed', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const percentile = percentileOf(values, share);
        expect(values).toContain(percentile);
        const reached = values.filter((value) => value <= percentile).length;
        expect(reached).toBeGreaterThanOrEqual(values.length * share);
      }),
    );
  });
});

it('a measurement tells how far its samples lie apart', () => {
  expect(measurementOf({ measure: 'a', unit: 'ms' }, [3, 1, 2, 10])).toEqual({
    measure: 'a',
    unit: 'ms',
    value: 2.5,
    min: 1,
    max: 10,
    samples: 4,
  });
});
