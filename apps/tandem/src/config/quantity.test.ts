import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteCount, duration, formatDuration, wholeNumber } from './quantity.ts';

const ANY = { min: -Infinity, max: Infinity };
const AT = { folder: '/' };

describe('duration', () => {
  it.each([
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['300ms', 300],
    ['2h45m30s', 9_930_000],
    ['0', 0],
    ['0s', 0],
    ['-1s', -1000],
    ['500us', 1],
    ['1ns', 1],
  ])('reads %s as Go does', (text, ms) => {
    expect(duration(ANY)(text, AT)).toEqual({ value: ms });
  });

  it.each(['', 's', '10 s', '10sec', '1d', '1e3s', 'ten', '--1s', '1s1'])('refuses %s', (text) => {
    expect(duration(ANY)(text, AT)).toHaveProperty('problem');
  });

  it('says that a number lacks its unit', () => {
    expect(duration(ANY)('10', AT)).toEqual({ problem: 'has no unit (ms, s, m, h)' });
  });

  it('keeps to its bounds and tells them', () => {
    const parse = duration({ min: 1000, max: 90_000 });
    expect(parse('1s', AT)).toEqual({ value: 1000 });
    expect(parse('90s', AT)).toEqual({ value: 90_000 });
    expect(parse('2m', AT)).toEqual({ problem: 'is not between 1s and 1m30s' });
  });

  it('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
        expect(duration(ANY)(formatDuration(ms), AT)).toEqual({ value: ms });
      }),
    );
  });
});

describe('byteCount', () => {
  it.each([
    ['65536', 65_536],
    ['64MiB', 67_108_864],
    ['64 MiB', 67_108_864],
    ['1.5kb', 1500],
    ['2GB', 2e9],
    ['1TiB', 2 ** 40],
  ])('reads %s', (text, bytes) => {
    expect(byteCount(ANY)(text, AT)).toEqual({ value: bytes });
  });

  it.each(['', 'MiB', '-1', '1XB', '1,000'])('refuses %s', (text) => {
    expect(byteCount(ANY)(text, AT)).toHaveProperty('problem');
  });
});

describe('wholeNumber', () => {
  it('reads digits only', () => {
    const parse = wholeNumber({ min: 1, max: 20_000 });
    expect(parse('20_000', AT)).toEqual({ value: 20_000 });
    for (const text of ['', '1.5', '1e3', '0x10', '-1']) {
      expect(parse(text, AT)).toEqual({ problem: 'is not a whole number' });
    }
    expect(parse('0', AT)).toEqual({ problem: 'is not between 1 and 20000' });
  });
});
