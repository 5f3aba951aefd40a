import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LtxError } from './ltx-error.ts';
import { areContiguous, ltxFileName, parseLtxFileName } from './ltx-file-name.ts';
import { formatTxid, parseTxid } from './txid.ts';

const txid = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

it('a transaction id is written with 16 digits and read back', () => {
  expect(formatTxid(1)).toBe('0000000000000001');
  expect(formatTxid(0)).toBe('0000000000000000');
  expect(formatTxid(Number.MAX_SAFE_INTEGER)).toBe('001fffffffffffff');
  fc.assert(
    fc.property(txid, (id) => {
      expect(parseTxid(formatTxid(id))).toBe(id);
    }),
  );
});

it.each([
  '',
  '1',
  '000000000000000A',
  '0x00000000000001',
  ' 000000000000001',
  '0000000000000001\n',
])("the text '%s' is no transaction id", (text) => {
  expect(() => parseTxid(text)).toThrow(LtxError);
});

it('ids above 2^53 - 1 are refused, not rounded', () => {
  expect(() => parseTxid('0020000000000000')).toThrow(/is not a transaction id/);
  expect(() => parseTxid('ffffffffffffffff')).toThrow(/is not a transaction id/);
  expect(() => formatTxid(2 ** 53)).toThrow(/is not a transaction id/);
  expect(() => formatTxid(1.5)).toThrow(LtxError);
  expect(() => formatTxid(-1)).toThrow(LtxError);
});

it('a file name states its transactions', () => {
  expect(ltxFileName(13, 14)).toBe('000000000000000d-000000000000000e.ltx');
  fc.assert(
    fc.property(txid, txid, (a, b) => {
      const [minTxid, maxTxid] = [Math.min(a, b), Math.max(a, b)];
      expect(parseLtxFileName(ltxFileName(minTxid, maxTxid))).toEqual({ minTxid, maxTxid });
    }),
  );
});

it.each([
  '000000000000000d-000000000000000e',
  '000000000000000d-000000000000000e.ltx.tmp',
  '000000000000000d_000000000000000e.ltx',
  '000000000000000D-000000000000000e.ltx',
  'd-e.ltx',
  '000000000000000e-000000000000000d.ltx',
  '0000000000000000-000000000000000d.ltx',
  '0020000000000000-0020000000000000.ltx',
  '000000000000000d-000000000000000e.LTX',
])("'%s' is not the name of an LTX file", (name) => {
  expect(parseLtxFileName(name)).toBeUndefined();
});

it('a file brings a database forward when it leaves no gap and adds something', () => {
  const cases = [
    [4, 5, 5, true],
    [4, 5, 9, true],
    [4, 3, 5, true],
    [4, 6, 6, false],
    [4, 1, 4, false],
    [0, 1, 1, true],
  ] as const;
  for (const [before, minTxid, maxTxid, expected] of cases) {
    expect(areContiguous(before, { minTxid, maxTxid })).toBe(expected);
  }
});
