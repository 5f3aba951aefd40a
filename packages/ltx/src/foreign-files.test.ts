import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LtxDecoder,
  LtxError,
  RollingChecksum,
  decodeLtx,
  decodePageFrame,
  pageChecksum,
  readPageIndex,
} from './index.ts';
import type { LtxHeader, LtxPage } from './index.ts';

/** Folders of `testdata` and the version that the files in them have. */
const WRITERS = [
  ['0.3.18', 1],
  ['0.3.18-compressed', 1],
  ['0.4.0', 2],
  ['0.5.1', 3],
  ['0.5.2', 3],
] as const;
const PAGE_SIZE = 512;

function readTestFile(writer: string, name: string): Uint8Array {
  return readFileSync(new URL(`../testdata/${writer}/${name}.ltx`, import.meta.url));
}

/** As `testdata/README.md` says. */
function testPage(pgno: number): LtxPage {
  const data = new Uint8Array(PAGE_SIZE);
  let seed = pgno;
  for (let at = 0; at < PAGE_SIZE; at += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    data[at] = pgno === 2 ? seed >>> 16 : pgno * 7 + Math.floor(at / 64);
  }
  return { pgno, data };
}

function rollingOf(pages: readonly LtxPage[]): bigint {
  const rolling = new RollingChecksum();
  const sum = new Uint32Array(2);
  for (const { pgno, data } of pages) {
    pageChecksum(pgno, data, sum);
    rolling.toggle(sum[0] ?? 0, sum[1] ?? 0);
  }
  return rolling.toBigInt();
}

const SNAPSHOT_PAGES = [1, 2, 3].map(testPage);
const HEADER: LtxHeader = {
  pageSize: PAGE_SIZE,
  commit: 3,
  minTxid: 1,
  maxTxid: 5,
  timestampMs: 1_700_000_000_000,
  preApplyChecksum: 0n,
  walOffsetBytes: 0,
  walSizeBytes: 0,
  walSalt1: 0,
  walSalt2: 0,
  nodeId: 7n,
  isChecksummed: true,
};

describe.each(WRITERS)('what version %s of the original writes is read', (writer, version) => {
  it('a snapshot', () => {
    const decoded = decodeLtx(readTestFile(writer, 'snapshot'));
    expect(decoded.version).toBe(version);
    expect(decoded.header).toEqual(HEADER);
    expect(decoded.pages).toEqual(SNAPSHOT_PAGES);
    expect(decoded.trailer.postApplyChecksum).toBe(rollingOf(SNAPSHOT_PAGES));
  });

  it('an increment', () => {
    const decoded = decodeLtx(readTestFile(writer, 'increment'));
    expect(decoded.version).toBe(version);
    expect(decoded.header).toEqual({
      pageSize: PAGE_SIZE,
      commit: 9,
      minTxid: 6,
      maxTxid: 6,
      timestampMs: 1_700_000_001_000,
      preApplyChecksum: rollingOf(SNAPSHOT_PAGES),
      walOffsetBytes: 4152,
      walSizeBytes: 1072,
      walSalt1: 0x1122_3344,
      walSalt2: 0x5566_7788,
      nodeId: 0xfedc_ba98_7654_3210n,
      isChecksummed: true,
    });
    expect(decoded.pages).toEqual([3, 9].map(testPage));
    expect(decoded.trailer.postApplyChecksum).toBe(0x8123_4567_89ab_cdefn);
  });

  it('a deletion', () => {
    const decoded = decodeLtx(readTestFile(writer, 'deletion'));
    expect(decoded.version).toBe(version);
    expect(decoded.pages).toEqual([]);
    expect(decoded.header.commit).toBe(0);
    expect(decoded.header.preApplyChecksum).toBe(0x8123_4567_89ab_cdefn);
    expect(decoded.trailer.postApplyChecksum).toBe(0x8000_0000_0000_0000n);
  });

  it('a snapshot without checksums', () => {
    const decoded = decodeLtx(readTestFile(writer, 'unchecked'));
    expect(decoded.version).toBe(version);
    expect(decoded.header).toEqual({
      ...HEADER,
      maxTxid: 1,
      timestampMs: 1,
      nodeId: 0n,
      isChecksummed: false,
    });
    expect(decoded.pages).toEqual(SNAPSHOT_PAGES);
    expect(decoded.trailer.postApplyChecksum).toBe(0n);
  });
});

const NAMES = ['snapshot', 'increment', 'deletion', 'unchecked'];
const FILES = WRITERS.flatMap(([writer]) => NAMES.map((name) => [writer, name] as const));

describe.each(FILES)('the file of version %s, %s,', (writer, name) => {
  it('is read alike however it is cut', () => {
    const bytes = readTestFile(writer, name);
    const whole = decodeLtx(bytes);
    for (const chunkBytes of [1, 7, 117, 600]) {
      const decoder = new LtxDecoder();
      const pages: LtxPage[] = [];
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        pages.push(...decoder.push(bytes.slice(at, at + chunkBytes)));
      }
      const { header, version } = decoder;
      expect({ header, pages, trailer: decoder.finish(), version }).toEqual(whole);
    }
  });

  it('is refused when it is cut short', () => {
    const bytes = readTestFile(writer, name);
    for (let length = 0; length < bytes.length; length += 13) {
      expect(() => decodeLtx(bytes.subarray(0, length)), `${length} bytes`).toThrow(LtxError);
    }
    expect(() => decodeLtx(bytes.subarray(0, -1))).toThrow(LtxError);
  });

  it('is refused, or says the same, with a wrong bit', () => {
    const bytes = readTestFile(writer, name);
    const whole = decodeLtx(bytes);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const damaged = Uint8Array.from(bytes);
        damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
        try {
          expect(decodeLtx(damaged)).toEqual(whole);
        } catch (error) {
          if (!(error instanceof LtxError)) throw error;
        }
      }),
    );
  });
});

describe.each(WRITERS.slice(2))('in what version %s of the original writes', (writer, version) => {
  it('single pages are found through the index', () => {
    const bytes = readTestFile(writer, 'snapshot');
    const index = readPageIndex(bytes.subarray(-100), bytes.length);
    if (index.kind !== 'index') throw new Error('100 bytes are enough');
    expect(index.version).toBe(version);
    const pages = index.entries.map(({ offset, size }) =>
      decodePageFrame(bytes.subarray(offset, offset + size), PAGE_SIZE, index.version),
    );
    expect(pages).toEqual(SNAPSHOT_PAGES);
  });
});
