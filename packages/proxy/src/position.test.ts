import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePositions, formatPosition, tryParsePosition } from './position.ts';

const NUMBER = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const POSITION = fc.record({ epoch: NUMBER, txid: NUMBER });

test('what is formatted is read back', () => {
  fc.assert(
    fc.property(POSITION, (position) => {
      expect(tryParsePosition(formatPosition(position))).toEqual(position);
    }),
  );
});

test('the form is the epoch, a point and sixteen digits', () => {
  expect(formatPosition({ epoch: 2, txid: 255 })).toBe('2.00000000000000ff');
});

test("LiteFS's form is a txid of no epoch", () => {
  expect(tryParsePosition('00000000000000FF')).toEqual({ epoch: undefined, txid: 255 });
});

test('anything else is no position', () => {
  const texts = ['', '1', '1.', '.1', '1.1.1', ' 1.1', '1.1 ', '-1.1', '1.0x1', '1.g', '１.1'];
  texts.push('1.0020000000000000', '20000000000000.1', 'ffffffffffffffff', '1.00000000000000001');
  for (const text of texts) expect([text, tryParsePosition(text)]).toEqual([text, undefined]);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const position = tryParsePosition(text);
      if (position !== undefined) expect(text).toMatch(/^[0-9a-f.]+$/i);
    }),
  );
});

test('the epoch decides before the txid', () => {
  expect(comparePositions({ epoch: 1, txid: 9 }, { epoch: 2, txid: 1 })).toBeLessThan(0);
  expect(comparePositions({ epoch: 2, txid: 2 }, { epoch: 2, txid: 1 })).toBeGreaterThan(0);
  expect(comparePositions({ epoch: 2, txid: 1 }, { epoch: 2, txid: 1 })).toBe(0);
});
