import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { milliOf, parseRevenue } from './revenue.ts';

describe('milliOf', () => {
  it.each([
    [9.99, 9990],
    ['9.99', 9990],
    [' 12 ', 12_000],
    ['.5', 500],
    ['5.', 5000],
    ['0.0005', 1],
    ['0.00049999', 0],
    ['-0.0005', -1],
    [1.0005, 1001],
    [2.6755, 2676],
    ['1e3', 1_000_000],
    [1e-7, 0],
    ['-3.25', -3250],
    ['9007199254740.991', Number.MAX_SAFE_INTEGER],
  ])('%s is %d thousandths', (amount, milli) => {
    expect(milliOf(amount)).toBe(milli);
  });

  it.each([
    '',
    '.',
    '-',
    '1,000.00',
    '$5',
    'NaN',
    '0x10',
    '1e9999',
    1e300,
    Number.NaN,
    null,
    {},
    true,
  ])('%s is no amount', (amount) => {
    expect(milliOf(amount)).toBeNull();
  });

  it('agrees with whole thousandths and is symmetric about nought', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 0, max: 9 }), (milli, d) => {
        const text = `${Math.floor(milli / 1000)}.${String(milli % 1000).padStart(3, '0')}${d}`;
        const expected = milli + (d >= 5 ? 1 : 0);
        expect(milliOf(text)).toBe(expected);
        expect(milliOf(`-${text}`)).toBe(expected === 0 ? 0 : -expected);
      }),
    );
  });
});

describe('parseRevenue', () => {
  it('takes currencies of ISO 4217 in any case and no others', () => {
    expect(parseRevenue(1, ' usd ')).toEqual({ milli: 1000, currency: 'USD' });
    for (const currency of ['US', 'EURO', 'QQQ', '', 840, null])
      expect(parseRevenue(1, currency)).toBeNull();
  });
});
