import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc64 } from './crc64.ts';
import { LtxDecoder, decodeLtx } from './ltx-decoder.ts';
import { encodeLtx } from './ltx-encoder.ts';
import { LtxError } from './ltx-error.ts';
import { encodeHeader, type LtxHeader } from './ltx-header.ts';
import { pageChecksum } from './page-checksum.ts';
import { decodePageFrame } from './page-frame.ts';
import { readPageIndex } from './page-index.ts';
import type { LtxPage } from './page-sequence.ts';
import { RollingChecksum } from './rolling-checksum.ts';

interface Sample {
  readonly header: LtxHeader;
  readonly pages: readonly LtxPage[];
  readonly post: bigint;
}

const WITHOUT_WAL = { walOffsetBytes: 0, walSizeBytes: 0, walSalt1: 0, walSalt2: 0 };

function rollingOf(pages: readonly LtxPage[]): bigint {
  const rolling = new RollingChecksum();
  const sum = new Uint32Array(2);
  for (const { pgno, data } of pages) {
    pageChecksum(pgno, data, sum);
    rolling.toggle(sum[0] ?? 0, sum[1] ?? 0);
  }
  return rolling.toBigInt();
}

/** Page contents from noise to zeros, by a seed. */
function contentOf(pageSize: number, seed: number): Uint8Array {
  let state = seed;
  const noiseBytes = seed % 3 === 0 ? pageSize : (seed * 37) % pageSize;
  return new Uint8Array(pageSize).map((_, at) => {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    return at < noiseBytes ? state >>> 16 : seed;
  });
}

const checksum = fc.bigInt({ min: 2n ** 63n, max: 2n ** 64n - 1n });
const file: fc.Arbitrary<Sample> = fc
  .record({
    sizePower: fc.integer({ min: 9, max: 13 }),
    isSnapshot: fc.boolean(),
    isChecksummed: fc.boolean(),
    seeds: fc.uniqueArray(fc.integer({ min: 1, max: 255 }), { maxLength: 8 }),
    more: fc.nat(5),
    txid: fc.integer({ min: 2, max: 2 ** 50 }),
    timestampMs: fc.nat(),
    nodeId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    pre: checksum,
    post: checksum,
  })
  .map(({ sizePower, isSnapshot, isChecksummed, seeds, more, txid, pre, post, ...rest }) => {
    const pageSize = 2 ** sizePower;
    const pgnos = isSnapshot ? seeds.map((_, at) => at + 1) : seeds.toSorted((a, b) => a - b);
    const pages = pgnos.map((pgno, at) => ({
      pgno,
      data: contentOf(pageSize, seeds[at] ?? 0),
    }));
    const commit = (pgnos.at(-1) ?? 0) + (isSnapshot ? 0 : more);
    const header: LtxHeader = {
      ...WITHOUT_WAL,
      ...rest,
      pageSize,
      commit,
      minTxid: isSnapshot ? 1 : txid,
      maxTxid: txid + more,
      preApplyChecksum: isSnapshot || !isChecksummed ? 0n : pre,
      isChecksummed,
    };
    if (!isChecksummed) return { header, pages, post: 0n };
    return { header, pages, post: isSnapshot || commit === 0 ? rollingOf(pages) : post };
  });

it('what is written is read back', () => {
  fc.assert(
    fc.property(file, ({ header, pages, post }) => {
      const decoded = decodeLtx(encodeLtx(header, pages, post));
      expect(decoded).toMatchObject({ header, pages, version: 3 });
      expect(decoded.trailer.postApplyChecksum).toBe(post);
    }),
  );
});

it('chunks may be cut anywhere and reused', () => {
  fc.assert(
    fc.property(file, fc.infiniteStream(fc.integer({ min: 1, max: 3000 })), (sample, lengths) => {
      const bytes = encodeLtx(sample.header, sample.pages, sample.post);
      const decoder = new LtxDecoder();
      const pages: LtxPage[] = [];
      const buffer = new Uint8Array(3000);
      for (let at = 0; at < bytes.length;) {
        const length = Math.min(lengths.next().value ?? 1, bytes.length - at);
        buffer.set(bytes.subarray(at, at + length));
        expect(decoder.isComplete).toBe(false);
        pages.push(...decoder.push(buffer.subarray(0, length)));
        buffer.fill(0xaa);
        at += length;
      }
      expect(pages).toEqual(sample.pages);
      expect(decoder.finish()).toEqual(decodeLtx(bytes).trailer);
      expect(decoder.header).toEqual(sample.header);
    }),
  );
});

it('the index finds each page, from the end of the file alone', () => {
  fc.assert(
    fc.property(file, ({ header, pages, post }) => {
      const bytes = encodeLtx(header, pages, post);
      const first = readPageIndex(bytes.subarray(-24), bytes.length);
      if (first.kind !== 'short') throw new Error('24 bytes hold no index');
      const index = readPageIndex(bytes.subarray(-first.tailBytes), bytes.length);
      if (index.kind !== 'index') throw new Error('the index fits into what it asked for');
      const found = index.entries.map(({ offset, size }) =>
        decodePageFrame(bytes.subarray(offset, offset + size), header.pageSize),
      );
      expect(found).toEqual(pages);
      expect(index.trailer.postApplyChecksum).toBe(post);
    }),
  );
});

it('a file that is cut short is refused', () => {
  fc.assert(
    fc.property(file, fc.nat(), ({ header, pages, post }, at) => {
      const bytes = encodeLtx(header, pages, post);
      const cut = bytes.subarray(0, at % bytes.length);
      expect(() => decodeLtx(cut)).toThrow(LtxError);
      const decoder = new LtxDecoder();
      expect(() => {
        decoder.push(cut);
        decoder.finish();
      }).toThrow(LtxError);
    }),
  );
});

it('a file with more after its end is refused', () => {
  fc.assert(
    fc.property(file, fc.uint8Array({ minLength: 1, maxLength: 9 }), (sample, more) => {
      const bytes = encodeLtx(sample.header, sample.pages, sample.post);
      expect(() => decodeLtx(Uint8Array.from([...bytes, ...more]))).toThrow(LtxError);
      const decoder = new LtxDecoder();
      decoder.push(bytes);
      expect(() => decoder.push(more)).toThrow(/goes on after its trailer/);
      expect(() => decoder.finish()).toThrow(/goes on after its trailer/);
    }),
  );
});

it('wrong bits are found, unless what the file says is still the same', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(file, damage, ({ header, pages, post }, changes) => {
      const bytes = encodeLtx(header, pages, post);
      const sound = decodeLtx(bytes);
      for (const [at, bits] of changes)
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ bits;
      try {
        expect(decodeLtx(bytes)).toEqual(sound);
      } catch (error) {
        if (!(error instanceof LtxError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

it('every single wrong bit outside of compressed pages is found', () => {
  const data = contentOf(512, 5);
  const pages = [{ pgno: 1, data }];
  const header: LtxHeader = {
    ...WITHOUT_WAL,
    pageSize: 512,
    commit: 1,
    minTxid: 1,
    maxTxid: 1,
    timestampMs: 0,
    preApplyChecksum: 0n,
    nodeId: 0n,
    isChecksummed: true,
  };
  const bytes = encodeLtx(header, pages, rollingOf(pages));
  const frameEnd = bytes.length - 6 - 5 - 8 - 16;
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const at = bit >>> 3;
    if (at >= 110 && at < frameEnd) continue;
    const damaged = bytes.with(at, (bytes[at] ?? 0) ^ (1 << (bit & 7)));
    expect(() => decodeLtx(damaged), `bit ${bit}`).toThrow(LtxError);
  }
});

it('bytes that are no LTX file are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(() => decodeLtx(bytes)).toThrow(LtxError);
    }),
  );
  fc.assert(
    fc.property(file, fc.uint8Array({ minLength: 20, maxLength: 900 }), ({ header }, body) => {
      expect(() => decodeLtx(Uint8Array.from([...encodeHeader(header), ...body]))).toThrow(
        LtxError,
      );
    }),
  );
});

it('a decoder that failed goes on failing the same way', () => {
  const decoder = new LtxDecoder();
  expect(() => decoder.push(new Uint8Array(200))).toThrow(/does not begin with LTX1/);
  expect(() => decoder.push(new Uint8Array(1))).toThrow(/does not begin with LTX1/);
  expect(() => decoder.finish()).toThrow(/does not begin with LTX1/);
});

it('a page that claims to be huge is refused before it is waited for', () => {
  const bytes = encodeLtx(LONG_INCREMENT, [{ pgno: 2, data: new Uint8Array(512) }], 2n ** 63n);
  bytes.set([0xff, 0xff, 0xff, 0xff], 106);
  const decoder = new LtxDecoder({ version: 3 });
  expect(() => decoder.push(bytes.subarray(0, 200))).toThrow(/cannot take 4294967295 bytes/);
});

const LONG_INCREMENT: LtxHeader = {
  ...WITHOUT_WAL,
  pageSize: 512,
  commit: 0x20_0000,
  minTxid: 2,
  maxTxid: 2,
  timestampMs: 0,
  preApplyChecksum: 2n ** 63n,
  nodeId: 0n,
  isChecksummed: true,
};

/** A file of version 1, uncompressed. */
function encodeVersion1(header: LtxHeader, pages: readonly LtxPage[], post: bigint): Uint8Array {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const long = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return bytes;
  };
  const frames = pages.flatMap(({ pgno, data }) => [number(pgno), data]);
  const covered = Buffer.concat([encodeHeader(header), ...frames, number(0), long(post)]);
  return Buffer.concat([covered, long(crc64(covered) | (2n ** 63n))]);
}

it('a page of version 1 that looks like one of a later version is read as what it is', () => {
  const looks = [
    [0x00, 0x01, 0x00, 0x00, 0x00, 0x20],
    [0x00, 0x00, 0x04, 0x22, 0x4d, 0x18],
    [0x04, 0x22, 0x4d, 0x18],
  ];
  for (const [at, look] of looks.entries()) {
    const data = new Uint8Array(512).fill(9);
    data.set(look);
    const bytes = encodeVersion1(LONG_INCREMENT, [{ pgno: 2, data }], 2n ** 63n);
    const decoded = decodeLtx(bytes);
    expect([at, decoded.version]).toEqual([at, 1]);
    expect(decoded.pages).toEqual([{ pgno: 2, data }]);
    const told = new LtxDecoder({ version: 1 });
    expect(told.push(bytes)).toEqual(decoded.pages);
    expect(told.finish()).toEqual(decoded.trailer);
  }
});

it('an incomplete snapshot of another writer is refused', () => {
  const header = { ...LONG_INCREMENT, commit: 3, minTxid: 1, preApplyChecksum: 0n };
  const pages = [1, 2].map((pgno) => ({ pgno, data: contentOf(512, pgno) }));
  const bytes = encodeVersion1(header, pages, rollingOf(pages));
  expect(() => decodeLtx(bytes)).toThrow(/lacks page 3/);
  const whole = encodeVersion1({ ...header, commit: 2 }, pages, 2n ** 63n + 1n);
  expect(() => decodeLtx(whole)).toThrow(/do not have the database checksum/);
});

it('an index that does not describe the pages is refused, even with a right checksum', () => {
  const page = { pgno: 2, data: new Uint8Array(512) };
  const bytes = encodeLtx(LONG_INCREMENT, [page], 2n ** 63n);
  const indexAt = bytes.length - 16 - 8 - 4;
  const reseal = (changes: readonly (readonly [number, number])[]): Uint8Array => {
    const changed = Uint8Array.from(bytes);
    for (const [at, value] of changes) changed[indexAt + at] = value;
    const covered = [
      changed.subarray(0, 110),
      page.data,
      changed.subarray(indexAt - 6, changed.length - 8),
    ];
    const sum = crc64(Buffer.concat(covered)) | (2n ** 63n);
    new DataView(changed.buffer).setBigUint64(changed.length - 8, sum);
    return changed;
  };
  const frameBytes = bytes[indexAt + 2] ?? 0;
  expect([...bytes.subarray(indexAt, indexAt + 3)]).toEqual([2, 100, frameBytes]);
  expect(decodeLtx(reseal([])).pages).toEqual([page]);
  for (const [at, value] of [
    [0, 3],
    [1, 101],
    [2, frameBytes + 1],
    [3, 1],
    [11, 5],
  ] as const) {
    expect(() => decodeLtx(reseal([[at, value]])), `byte ${at}`).toThrow(/page index/);
  }
});

it('hands out each page with the chunk that completes it', () => {
  const decoder = new LtxDecoder();
  const pageCount = 3000;
  const data = contentOf(4096, 3);
  const pages = function* (): Generator<LtxPage> {
    for (let pgno = 1; pgno <= pageCount; pgno += 1) yield { pgno, data };
  };
  const bytes = encodeLtx({ ...LONG_INCREMENT, pageSize: 4096 }, pages(), 2n ** 63n);
  let count = 0;
  let batchMax = 0;
  for (let at = 0; at < bytes.length; at += 65_536) {
    const batch = decoder.push(bytes.subarray(at, at + 65_536));
    count += batch.length;
    batchMax = Math.max(batchMax, batch.length);
  }
  decoder.finish();
  expect(count).toBe(pageCount);
  expect(batchMax).toBeLessThanOrEqual(17);
});
