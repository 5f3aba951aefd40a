import { encodeLtx } from '@tandem/ltx';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArrivingFile, type WholeFile } from './arriving-file.ts';
import type { StreamMessageOf } from './stream-message.ts';

const BYTES_MAX = 1 << 20;
const HEADER = {
  pageSize: 512,
  commit: 40,
  minTxid: 5,
  maxTxid: 7,
  timestampMs: 1,
  preApplyChecksum: 0n,
  walOffsetBytes: 0,
  walSizeBytes: 0,
  walSalt1: 0,
  walSalt2: 0,
  nodeId: 0n,
  isChecksummed: false,
};
const PAGES = Array.from({ length: 30 }, (_, index) => {
  const data = Uint8Array.from({ length: 512 }, (__, at) => (index * 37 + at * at) % 256);
  return { pgno: index + 1, data };
});
const FILE = encodeLtx(HEADER, PAGES, 0n);
const WHOLE = { name: 'a.db', minTxid: 5, maxTxid: 7, timestampMs: 9 };

function startOf(bytes: Uint8Array, totalBytes = FILE.length): StreamMessageOf<'ltx'> {
  return { kind: 'ltx', epoch: 1, ...WHOLE, totalBytes, bytes };
}

test('a file is put together from parts of any size, whose memory is used again', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }), (sizes) => {
      const arriving = new ArrivingFile();
      const room = new Uint8Array(3000);
      for (let round = 0; round < 2; round += 1) {
        let whole: WholeFile | undefined;
        for (let at = 0, part = 0; at < FILE.length; part += 1) {
          expect(whole).toBeUndefined();
          const piece = FILE.subarray(at, at + (sizes[part % sizes.length] ?? 1));
          room.set(piece);
          const bytes = room.subarray(0, piece.length);
          whole = at === 0 ? arriving.begin(startOf(bytes), BYTES_MAX) : arriving.add(bytes);
          if (piece.length < FILE.length) room.fill(0);
          at += piece.length;
        }
        expect(whole).toEqual({ ...WHOLE, bytes: Buffer.from(FILE) });
      }
    }),
  );
});

test('what comes in one message is not copied', () => {
  expect(new ArrivingFile().begin(startOf(FILE), BYTES_MAX)?.bytes).toBe(FILE);
});

test.each([
  ['a part before a file', (file: ArrivingFile) => file.add(FILE)],
  [
    'a file during another',
    (file: ArrivingFile) => {
      file.begin(startOf(FILE.subarray(0, 9)), BYTES_MAX);
      file.begin(startOf(FILE), BYTES_MAX);
    },
  ],
  [
    'an empty part',
    (file: ArrivingFile) => {
      file.begin(startOf(FILE.subarray(0, 9)), BYTES_MAX);
      file.add(new Uint8Array());
    },
  ],
  ['an empty beginning', (file: ArrivingFile) => file.begin(startOf(new Uint8Array()), BYTES_MAX)],
  [
    'more than was announced',
    (file: ArrivingFile) => {
      file.begin(startOf(FILE.subarray(0, 9)), BYTES_MAX);
      file.add(FILE);
    },
  ],
  [
    'more than announced at once',
    (file: ArrivingFile) => file.begin(startOf(FILE, 200), BYTES_MAX),
  ],
  ['a file beyond the limit', (file: ArrivingFile) => file.begin(startOf(FILE), FILE.length - 1)],
  [
    'transactions that end before they begin',
    (file: ArrivingFile) => file.begin({ ...startOf(FILE), minTxid: 8 }, BYTES_MAX),
  ],
])('%s is out of place', (_, act) => {
  expect(() => act(new ArrivingFile())).toThrow('is out of place');
});

test('what is no such file is refused', () => {
  const announced = { ...startOf(FILE), maxTxid: 6 };
  expect(() => new ArrivingFile().begin(announced, BYTES_MAX)).toThrow('holds 5 to 7');
  const noise = new Uint8Array(FILE.length).fill(7);
  expect(() => new ArrivingFile().begin(startOf(noise), BYTES_MAX)).toThrow('is no LTX file');
});
