import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeLtx } from './ltx-encoder.ts';
import { LtxError } from './ltx-error.ts';
import type { LtxHeader } from './ltx-header.ts';
import { decodePageFrame } from './page-frame.ts';
import { readPageIndex, type PageIndexEntry } from './page-index.ts';
import { UvarintReader, writeUvarint } from './uvarint.ts';

const HEADER: LtxHeader = {
  pageSize: 512,
  commit: 70_000,
  minTxid: 2,
  maxTxid: 2,
  timestampMs: 0,
  preApplyChecksum: 2n ** 63n,
  walOffsetBytes: 0,
  walSizeBytes: 0,
  walSalt1: 0,
  walSalt2: 0,
  nodeId: 0n,
  isChecksummed: true,
};
const FILE = encodeLtx(
  HEADER,
  [1, 300, 70_000].map((pgno) => ({ pgno, data: new Uint8Array(512).fill(pgno) })),
  2n ** 63n,
);

const WHOLE = readPageIndex(FILE, FILE.length);
const SOUND = WHOLE.kind === 'index' ? WHOLE.entries : [];

function placeOf({ offset, size }: PageIndexEntry): string {
  return `${offset} ${size}`;
}

it('the entries lie one after the other between header and index', () => {
  const index = readPageIndex(FILE, FILE.length);
  if (index.kind !== 'index') throw new Error('the whole file is enough');
  expect(index.version).toBe(3);
  expect(index.entries.map(({ pgno }) => pgno)).toEqual([1, 300, 70_000]);
  let end = 100;
  for (const { offset, size } of index.entries) {
    expect(offset).toBe(end);
    end += size;
  }
});

it('a tail that is too short is answered with how long it must be', () => {
  expect(readPageIndex(new Uint8Array(0), FILE.length)).toEqual({ kind: 'short', tailBytes: 24 });
  const short = readPageIndex(FILE.subarray(-24), FILE.length);
  if (short.kind !== 'short') throw new Error('24 bytes hold no index');
  expect(readPageIndex(FILE.subarray(-short.tailBytes + 1), FILE.length)).toEqual(short);
  expect(readPageIndex(FILE.subarray(-short.tailBytes), FILE.length).kind).toBe('index');
});

it('a wrong byte in an index is found, except in the number of a page and where it makes another version of it', () => {
  const short = readPageIndex(FILE.subarray(-24), FILE.length);
  if (short.kind !== 'short') throw new Error('24 bytes hold no index');
  const indexBytes = short.tailBytes - 24;
  fc.assert(
    fc.property(fc.nat(indexBytes + 7), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const bytes = FILE.slice();
      const damagedAt = FILE.length - short.tailBytes + at;
      bytes[damagedAt] = (bytes[damagedAt] ?? 0) ^ bits;
      try {
        const index = readPageIndex(bytes, FILE.length);
        if (index.kind === 'short') throw new Error('the whole file is enough');
        // The end mark of version 2 is two bytes shorter: a last frame that seems two bytes longer
        // fits it, and is then no frame of that version.
        if (index.version === 2) {
          const last = index.entries.at(-1);
          const end = (last?.offset ?? 0) + (last?.size ?? 0);
          const frame = FILE.subarray(last?.offset ?? 0, end);
          expect(() => decodePageFrame(frame, HEADER.pageSize, 2)).toThrow(LtxError);
          return;
        }
        expect(index.entries.map(placeOf)).toEqual(SOUND.map(placeOf));
        expect(index.entries).not.toEqual(SOUND);
      } catch (error) {
        if (!(error instanceof LtxError)) throw error;
        expect(error.code).toBe('ltx_bad_index');
      }
    }),
    { numRuns: 500 },
  );
});

it('an index that claims more than the file has is refused', () => {
  const tail = FILE.slice(-24);
  tail.fill(0x7f, 0, 8);
  expect(() => readPageIndex(tail, FILE.length)).toThrow(/cannot have/);
  tail.fill(0, 0, 8);
  expect(() => readPageIndex(tail, FILE.length)).toThrow(/cannot have 0 bytes/);
  expect(() => readPageIndex(FILE.subarray(0, 90), 90)).toThrow(/has no page index/);
});

it('an index of another file is refused', () => {
  expect(() => readPageIndex(FILE, FILE.length + 1)).toThrow(/do not end where it begins/);
});

it('the frame of a page is exactly one page', () => {
  const index = readPageIndex(FILE, FILE.length);
  if (index.kind !== 'index') throw new Error('the whole file is enough');
  const [{ offset, size } = { offset: 0, size: 0 }] = index.entries;
  const frame = FILE.slice(offset, offset + size);
  expect(decodePageFrame(frame, 512)).toEqual({ pgno: 1, data: new Uint8Array(512).fill(1) });
  expect(() => decodePageFrame(frame.subarray(0, -1), 512)).toThrow(/too short/);
  expect(() => decodePageFrame(Uint8Array.from([...frame, 0]), 512)).toThrow(/too long/);
  expect(() => decodePageFrame(frame, 1024)).toThrow(/instead of 1024/);
  expect(() => decodePageFrame(new Uint8Array(6), 512)).toThrow(/holds no page/);
  expect(() => decodePageFrame(frame.with(4, 0x80), 512)).toThrow(/unknown flags/);
});

it('a varint is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat()), (values) => {
      const bytes = new Uint8Array(8 * values.length);
      let end = 0;
      for (const value of values) end = writeUvarint(value, bytes, end);
      const reader = new UvarintReader(bytes.subarray(0, end));
      expect(values.map(() => reader.next())).toEqual(values);
      expect(reader.next()).toBeUndefined();
      expect(reader.offset).toBe(end);
    }),
  );
});

it('a varint that is cut off, padded or too large is none', () => {
  for (const bytes of [
    [0x80],
    [0x80, 0x00],
    Array(7).fill(0xff).concat(0x10),
    Array(9).fill(0xff),
  ]) {
    expect(new UvarintReader(Uint8Array.from(bytes)).next()).toBeUndefined();
  }
});
