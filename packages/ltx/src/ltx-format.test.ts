import { expect, it } from 'vitest';
import {
  decodeLtx,
  encodeLtx,
  crc64,
  pageChecksumBigInt,
  lockPage,
  LtxDecoder,
  RollingChecksum,
  type LtxHeader,
  type LtxPage,
} from './index.ts';

/** Bytes from hexadecimal text with blanks; `b*n` is byte b repeated n times. */
function bytesOf(text: string): Uint8Array {
  const parts = text
    .trim()
    .split(/\s+/)
    .map((part) => {
      const [hex = '', times] = part.split('*');
      return Buffer.from(hex.repeat(times === undefined ? 1 : Number(times)), 'hex');
    });
  return Uint8Array.from(Buffer.concat(parts));
}

const FILLED = (pageSize: number, byte: number): Uint8Array => new Uint8Array(pageSize).fill(byte);

const HEADER: LtxHeader = {
  pageSize: 512,
  commit: 1,
  minTxid: 1,
  maxTxid: 1,
  timestampMs: 0,
  preApplyChecksum: 0n,
  walOffsetBytes: 0,
  walSizeBytes: 0,
  walSalt1: 0,
  walSalt2: 0,
  nodeId: 0n,
  isChecksummed: true,
};

/** Made by an encoder independent of this one and of the original. */
const SNAPSHOT_V1 = bytesOf(`
  4c545831 00000000 00000200 00000001 0000000000000001 0000000000000001 00*68
  00000001 01*512
  00000000
  e4e4aaa102377eee a5764f2cc208d3e5`);
const DELETION_V1 = bytesOf(`
  4c545831 00000000 00001000 00000000 0000000000000002 0000000000000002
  0000000000000000 8000000000000001 00*52
  00000000
  8000000000000000 a5b07ba28b323bf4`);
/** Its page is an LZ4 block of literals only. */
const SNAPSHOT_V3 = bytesOf(`
  4c545831 00000000 00000200 00000001 0000000000000001 0000000000000001
  00000000000003e8 00*60
  00000001 0001 00000203 f0fff2 31*512
  000000000000
  01 64 8d04 00 0000000000000005
  eb1a999231044ddd d90b63292eed51bd`);

it('the checksum of pages is the published one', () => {
  const sums = [
    pageChecksumBigInt(1, FILLED(512, 0)),
    pageChecksumBigInt(1, FILLED(4096, 0)),
    pageChecksumBigInt(1, FILLED(512, 1)),
    pageChecksumBigInt(2, FILLED(512, 2)),
    pageChecksumBigInt(3, FILLED(512, 3)),
    pageChecksumBigInt(1, FILLED(1024, 0x32)),
    pageChecksumBigInt(2, FILLED(1024, 0x33)),
    pageChecksumBigInt(1, FILLED(512, 0x31)),
  ];
  expect(sums.map((sum) => sum.toString(16))).toEqual([
    'efb1f44fecd99000',
    'd9328f592d9e733d',
    'e4e4aaa102377eee',
    'c9c9554231044ddd',
    'c2d2001cdfeaa333',
    'e0d53ff6f3d08215',
    '815ca49babaa28bf',
    'eb1a999231044ddd',
  ]);
});

it('the CRC has the check value of CRC-64/GO-ISO', () => {
  expect(crc64(new TextEncoder().encode('123456789'))).toBe(0xb909_56c7_75a4_1001n);
  expect(crc64(new Uint8Array(0))).toBe(0n);
});

it('the checksum of a database is the published one', () => {
  const rolling = (pages: readonly LtxPage[]): string => {
    const sum = new RollingChecksum();
    for (const { pgno, data } of pages) {
      const page = pageChecksumBigInt(pgno, data);
      sum.toggle(Number(page >> 32n), Number(page & 0xffff_ffffn));
    }
    return sum.toBigInt().toString(16);
  };
  expect(rolling([])).toBe('8000000000000000');
  expect(rolling([1, 2, 3].map((pgno) => ({ pgno, data: FILLED(512, pgno) })))).toBe(
    'efffffffecd99000',
  );
  expect(rolling([1, 2].map((pgno) => ({ pgno, data: FILLED(1024, 0x31 + pgno) })))).toBe(
    'e1899b6d587aaaaa',
  );
  expect(rolling([{ pgno: 1, data: FILLED(512, 0x31) }])).toBe('eb1a999231044ddd');
});

it('the lock page is the one that holds the byte at 1 GiB', () => {
  expect([512, 4096, 65_536].map(lockPage)).toEqual([2_097_153, 262_145, 16_385]);
});

it('a snapshot of version 1 is read', () => {
  expect(SNAPSHOT_V1.length).toBe(636);
  expect(decodeLtx(SNAPSHOT_V1)).toEqual({
    header: HEADER,
    pages: [{ pgno: 1, data: FILLED(512, 1) }],
    trailer: { postApplyChecksum: 0xe4e4_aaa1_0237_7eeen, fileChecksum: 0xa576_4f2c_c208_d3e5n },
    version: 1,
  });
});

it('a deletion of version 1 is read', () => {
  expect(DELETION_V1.length).toBe(120);
  expect(decodeLtx(DELETION_V1)).toEqual({
    header: {
      ...HEADER,
      pageSize: 4096,
      commit: 0,
      minTxid: 2,
      maxTxid: 2,
      preApplyChecksum: 0x8000_0000_0000_0001n,
    },
    pages: [],
    trailer: { postApplyChecksum: 0x8000_0000_0000_0000n, fileChecksum: 0xa5b0_7ba2_8b32_3bf4n },
    version: 1,
  });
});

it('a snapshot of version 3 is read', () => {
  expect(SNAPSHOT_V3.length).toBe(660);
  expect(decodeLtx(SNAPSHOT_V3)).toEqual({
    header: { ...HEADER, timestampMs: 1000 },
    pages: [{ pgno: 1, data: FILLED(512, 0x31) }],
    trailer: { postApplyChecksum: 0xeb1a_9992_3104_4dddn, fileChecksum: 0xd90b_6329_2eed_51bdn },
    version: 3,
  });
});

it('what is written is read back as version 3', () => {
  const pages = [{ pgno: 1, data: FILLED(512, 0x31) }];
  const post = 0xeb1a_9992_3104_4dddn;
  const bytes = encodeLtx({ ...HEADER, timestampMs: 1000 }, pages, post);
  const decoded = decodeLtx(bytes);
  expect(decoded.version).toBe(3);
  expect(decoded.header).toEqual({ ...HEADER, timestampMs: 1000 });
  expect(decoded.pages).toEqual(pages);
  expect(decoded.trailer.postApplyChecksum).toBe(post);
  const decoder = new LtxDecoder();
  const streamed = [...bytes].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
  expect(streamed).toEqual(pages);
  expect(decoder.finish()).toEqual(decoded.trailer);
});
