import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveDatabase } from '../test/live-database.ts';
import { WalChecksum } from './wal-checksum.ts';
import {
  encodeWalHeader,
  parseWalHeader,
  walStart,
  type WalHeader,
  type WalHeaderFields,
} from './wal-header.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const anyHeader: fc.Arbitrary<WalHeaderFields> = fc.record({
  pageSize: fc.constantFrom(...PAGE_SIZES),
  checkpointSequence: word,
  salt1: word,
  salt2: word,
  isBigEndianChecksum: fc.boolean(),
});

function encoded(fields: WalHeaderFields): Uint8Array {
  const bytes = new Uint8Array(32);
  encodeWalHeader(fields, bytes);
  return bytes;
}

describe('a WAL of SQLite', () => {
  it.each(PAGE_SIZES)(
    'with pages of %i bytes has a header that is made again alike',
    (pageSize) => {
      using live = new LiveDatabase(pageSize);
      live.sql.exec('CREATE TABLE a (x)');
      const bytes = live.read('-wal', 0, 32);
      const header = parseWalHeader(bytes);
      expect(header).toMatchObject({ pageSize, checkpointSequence: 0, isBigEndianChecksum: false });
      expect(header && encoded(header)).toEqual(bytes);
    },
  );

  it('counts its restarts, with the first salt one higher and the second another', () => {
    using live = new LiveDatabase();
    const headers: WalHeader[] = [];
    live.sql.exec('CREATE TABLE a (x)');
    for (let round = 0; round < 4; round += 1) {
      live.sql.exec('INSERT INTO a VALUES (1)');
      const header = parseWalHeader(live.read('-wal', 0, 32));
      if (header !== undefined) headers.push(header);
      live.checkpoint('RESTART');
    }
    expect(headers.map(({ checkpointSequence }) => checkpointSequence)).toEqual([0, 1, 2, 3]);
    const [first] = headers;
    expect(headers.map(({ salt1 }) => (salt1 - (first?.salt1 ?? 0)) >>> 0)).toEqual([0, 1, 2, 3]);
    expect(new Set(headers.map(({ salt2 }) => salt2)).size).toBe(4);
  });
});

describe('parseWalHeader', () => {
  it('reads what encodeWalHeader wrote, in both byte orders', () => {
    fc.assert(
      fc.property(anyHeader, fc.nat(7), (fields, shift) => {
        const bytes = new Uint8Array(50);
        const header = encodeWalHeader(fields, bytes.subarray(shift));
        expect(parseWalHeader(bytes.subarray(shift))).toEqual(header);
        expect(header).toMatchObject(fields);
        expect(walStart(header)).toEqual({ frame: 0, s0: header.checksum1, s1: header.checksum2 });
      }),
    );
  });

  it('finds no header where a bit is wrong or a byte is missing', () => {
    fc.assert(
      fc.property(anyHeader, fc.nat(255), (fields, bit) => {
        const bytes = encoded(fields);
        expect(parseWalHeader(bytes.subarray(0, 31))).toBeUndefined();
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(parseWalHeader(bytes)).toBeUndefined();
      }),
    );
  });

  it('finds none of another version, page size or magic, though the checksum is right', () => {
    const changes = [
      [0, 0x377f_0684],
      [4, 3_007_001],
      [8, 0],
      [8, 256],
      [8, 513],
      [8, 131_072],
    ] as const;
    fc.assert(
      fc.property(anyHeader, fc.constantFrom(...changes), (fields, [at, value]) => {
        const bytes = encoded(fields);
        const view = new DataView(bytes.buffer);
        view.setUint32(at, value);
        const checksum = new WalChecksum();
        checksum.update(bytes, 0, 24, (view.getUint32(0) & 1) === 1);
        view.setUint32(24, checksum.s0);
        view.setUint32(28, checksum.s1);
        expect(parseWalHeader(bytes)).toBeUndefined();
      }),
    );
  });

  it('finds none in any bytes, nor with a page size that cannot be', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(parseWalHeader(bytes)).toBeUndefined();
      }),
    );
    expect(parseWalHeader(new Uint8Array(32))).toBeUndefined();
    const fields = { checkpointSequence: 0, salt1: 1, salt2: 2, isBigEndianChecksum: false };
    expect(() => encoded({ ...fields, pageSize: 1000 })).toThrow('page size');
    expect(() => encodeWalHeader({ ...fields, pageSize: 512 }, new Uint8Array(31))).toThrow('room');
  });
});
