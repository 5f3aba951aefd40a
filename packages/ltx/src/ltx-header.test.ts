import { expect, it } from 'vitest';
import { LtxError } from './ltx-error.ts';
import { decodeHeader, encodeHeader, validateHeader, type LtxHeader } from './ltx-header.ts';

const HEADER: LtxHeader = {
  pageSize: 4096,
  commit: 10,
  minTxid: 13,
  maxTxid: 14,
  timestampMs: 1_700_000_000_000,
  preApplyChecksum: 0x9c74_a15b_4e4f_246cn,
  walOffsetBytes: 32,
  walSizeBytes: 4120,
  walSalt1: 0xffff_ffff,
  walSalt2: 1,
  nodeId: 0xffff_ffff_ffff_fffen,
  isChecksummed: true,
};

it('what is written is read back', () => {
  for (const header of [
    HEADER,
    { ...HEADER, pageSize: 65_536, commit: 0xffff_ffff },
    { ...HEADER, minTxid: 1, preApplyChecksum: 0n },
    { ...HEADER, isChecksummed: false, preApplyChecksum: 0n },
    { ...HEADER, timestampMs: -1 },
    { ...HEADER, walSizeBytes: 0 },
    { ...HEADER, maxTxid: Number.MAX_SAFE_INTEGER },
  ]) {
    expect(decodeHeader(encodeHeader(header))).toEqual({ header, isBodyCompressed: false });
  }
});

it.each([
  ['a page size that is no power of two', { pageSize: 4095 }],
  ['a page size that is too small', { pageSize: 256 }],
  ['a page size that is too large', { pageSize: 131_072 }],
  ['a negative database size', { commit: -1 }],
  ['a database size above 32 bits', { commit: 2 ** 32 }],
  ['no first transaction', { minTxid: 0 }],
  ['a last transaction above 2^53 - 1', { maxTxid: 2 ** 53 }],
  ['transactions in the wrong order', { minTxid: 15 }],
  ['a time that is no integer', { timestampMs: 0.5 }],
  ['no pre-apply checksum', { preApplyChecksum: 0n }],
  ['a pre-apply checksum without bit 63', { preApplyChecksum: 1n }],
  ['a pre-apply checksum above 64 bits', { preApplyChecksum: 2n ** 64n }],
  ['a pre-apply checksum before the first transaction', { minTxid: 1 }],
  ['a pre-apply checksum without checksums', { isChecksummed: false }],
  ['a negative WAL offset', { walOffsetBytes: -1 }],
  ['a WAL size without an offset', { walOffsetBytes: 0, walSalt1: 0, walSalt2: 0 }],
  ['salts without a WAL offset', { walOffsetBytes: 0, walSizeBytes: 0 }],
  ['a salt above 32 bits', { walSalt1: 2 ** 32 }],
  ['a node id above 64 bits', { nodeId: 2n ** 64n }],
])('a header with %s is refused', (_, change) => {
  expect(() => validateHeader({ ...HEADER, ...change })).toThrow(LtxError);
  expect(() => encodeHeader({ ...HEADER, ...change })).toThrow(LtxError);
});

it('bytes that are no header are refused with what is wrong', () => {
  const bytes = encodeHeader(HEADER);
  const changed = (at: number, value: number): Uint8Array => bytes.with(at, value);
  expect(() => decodeHeader(bytes.subarray(0, 99))).toThrow(/99 of 100 bytes/);
  expect(() => decodeHeader(changed(3, 0x32))).toThrow(/does not begin with LTX1/);
  expect(() => decodeHeader(changed(7, 4))).toThrow(/unknown flags \(0x4\)/);
  expect(() => decodeHeader(changed(10, 0x11))).toThrow(/page size 4352/);
  expect(() => decodeHeader(changed(24, 1))).toThrow(/transaction id/);
  expect(decodeHeader(changed(7, 1)).isBodyCompressed).toBe(true);
});
