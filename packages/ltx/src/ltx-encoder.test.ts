import { expect, it } from 'vitest';
import { decodeLtx } from './ltx-decoder.ts';
import { LtxEncoder, encodeLtx } from './ltx-encoder.ts';
import type { LtxErrorCode } from './ltx-error.ts';
import type { LtxHeader } from './ltx-header.ts';
import { lockPage } from './page-checksum.ts';

const POST = 0x8000_0000_0000_0005n;
const INCREMENT: LtxHeader = {
  pageSize: 512,
  commit: 9,
  minTxid: 2,
  maxTxid: 2,
  timestampMs: 0,
  preApplyChecksum: 0x8000_0000_0000_0001n,
  walOffsetBytes: 0,
  walSizeBytes: 0,
  walSalt1: 0,
  walSalt2: 0,
  nodeId: 0n,
  isChecksummed: true,
};
const UNCHECKED_SNAPSHOT: LtxHeader = {
  ...INCREMENT,
  minTxid: 1,
  preApplyChecksum: 0n,
  isChecksummed: false,
};
const PAGE = new Uint8Array(512).fill(7);

/** Writes a file with these pages, all alike. */
function write(header: LtxHeader, pgnos: readonly number[], post: bigint): Uint8Array {
  const data = header.pageSize === 512 ? PAGE : new Uint8Array(header.pageSize);
  return encodeLtx(
    header,
    pgnos.map((pgno) => ({ pgno, data })),
    post,
  );
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return undefined;
}

it.each<[string, readonly number[], LtxErrorCode]>([
  ['twice the same page', [3, 3], 'ltx_bad_page'],
  ['falling page numbers', [3, 2], 'ltx_bad_page'],
  ['a page beyond the end', [10], 'ltx_bad_page'],
  ['page 0', [0], 'ltx_bad_page'],
  ['half a page number', [1.5], 'ltx_bad_page'],
])('a file with %s is not written', (_, pgnos, code) => {
  expect(codeOf(() => write(INCREMENT, pgnos, POST))).toBe(code);
});

it('a page of another size is not written', () => {
  const encoder = new LtxEncoder(INCREMENT, () => undefined);
  expect(codeOf(() => encoder.page(1, new Uint8Array(511)))).toBe('ltx_bad_page');
  expect(codeOf(() => encoder.page(1, new Uint8Array(1024)))).toBe('ltx_bad_page');
});

it('the lock page is not written', () => {
  const header = { ...INCREMENT, pageSize: 65_536, commit: 20_000 };
  const lock = lockPage(65_536);
  expect(codeOf(() => write(header, [lock], POST))).toBe('ltx_bad_page');
  expect(decodeLtx(write(header, [lock - 1, lock + 1], POST)).pages.length).toBe(2);
});

it('a snapshot holds every page', () => {
  const short = { ...UNCHECKED_SNAPSHOT, commit: 3 };
  expect(decodeLtx(write(short, [1, 2, 3], 0n)).pages.length).toBe(3);
  for (const pgnos of [[], [1], [1, 2], [2, 3], [1, 3]]) {
    expect(codeOf(() => write(short, pgnos, 0n))).toBe('ltx_snapshot_incomplete');
  }
});

it('the checksum of a snapshot is compared with its pages', () => {
  const header = { ...UNCHECKED_SNAPSHOT, commit: 1, isChecksummed: true };
  expect(codeOf(() => write(header, [1], POST))).toBe('ltx_checksum_mismatch');
});

it('a dropped database has no pages and the checksum of none', () => {
  const header = { ...INCREMENT, commit: 0 };
  const bytes = write(header, [], 0x8000_0000_0000_0000n);
  expect(decodeLtx(bytes)).toMatchObject({ header, pages: [], version: 3 });
  expect(codeOf(() => write(header, [], POST))).toBe('ltx_bad_trailer');
  expect(codeOf(() => write(header, [1], 0x8000_0000_0000_0000n))).toBe('ltx_bad_page');
});

it('without checksums a database can be dropped as well', () => {
  const header = { ...INCREMENT, commit: 0, isChecksummed: false, preApplyChecksum: 0n };
  expect(decodeLtx(write(header, [], 0n)).header).toEqual(header);
});

it('a checksum of the database that is none is not written', () => {
  for (const post of [0n, 5n, 2n ** 64n]) {
    expect(codeOf(() => write(INCREMENT, [1], post))).toBe('ltx_bad_trailer');
  }
  expect(codeOf(() => write({ ...UNCHECKED_SNAPSHOT, commit: 0 }, [], POST))).toBe(
    'ltx_bad_trailer',
  );
});

it('after its end nothing is added', () => {
  const encoder = new LtxEncoder(INCREMENT, () => undefined);
  encoder.finish(POST);
  expect(() => encoder.page(1, PAGE)).toThrow(/no page comes after the end/);
  expect(() => encoder.finish(POST)).toThrow(/a file ends once/);
});

it('chunks stay as they are, and the size is theirs', () => {
  const chunks: Uint8Array[] = [];
  const copies: Uint8Array[] = [];
  const encoder = new LtxEncoder({ ...INCREMENT, pageSize: 65_536, commit: 200 }, (chunk) => {
    chunks.push(chunk);
    copies.push(chunk.slice());
  });
  const data = new Uint8Array(65_536);
  let seed = 1;
  for (let pgno = 1; pgno <= 40; pgno += 1) {
    for (let at = 0; at < data.length; at += 1) {
      seed = Math.imul(seed, 1_103_515_245) + 12_345;
      data[at] = seed >>> 16;
    }
    encoder.page(pgno, data);
  }
  encoder.finish(POST);
  expect(chunks.length).toBeGreaterThan(10);
  expect(chunks).toEqual(copies);
  const file = Buffer.concat(chunks);
  expect(file.length).toBe(encoder.sizeBytes);
  expect(decodeLtx(file).pages.length).toBe(40);
});
