import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compactLtx, compactLtxStreams } from './compact-ltx.ts';
import { LtxDecoder, decodeLtx, type DecodedLtx } from './ltx-decoder.ts';
import { encodeLtx } from './ltx-encoder.ts';
import { LtxError } from './ltx-error.ts';
import type { LtxHeader } from './ltx-header.ts';
import { pageChecksum } from './page-checksum.ts';
import type { LtxPage } from './page-sequence.ts';
import { RollingChecksum } from './rolling-checksum.ts';

const PAGE_SIZE = 512;
/** A database by its pages from 1 on, each filled with one byte. */
type Database = readonly number[];

/** A transaction: the size after it and what it writes, by page number. */
interface Change {
  readonly commit: number;
  readonly writes: ReadonlyMap<number, number>;
}

const change: fc.Arbitrary<Change> = fc
  .record({
    commit: fc.nat(12),
    writes: fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 255 })), {
      maxLength: 6,
    }),
  })
  .map(({ commit, writes }) => ({
    commit,
    writes: new Map(writes.filter(([pgno]) => pgno <= commit)),
  }));

/** What a file system makes of it: cut off or made longer with zeros, then written to. */
function apply(database: Database, { commit, writes }: Change): Database {
  return Array.from({ length: commit }, (_, at) => writes.get(at + 1) ?? database[at] ?? 0);
}

function page(pgno: number, byte: number): LtxPage {
  return { pgno, data: new Uint8Array(PAGE_SIZE).fill(byte) };
}

function checksumOf(database: Database): bigint {
  const rolling = new RollingChecksum();
  const sum = new Uint32Array(2);
  for (const [at, byte] of database.entries()) {
    pageChecksum(at + 1, page(at + 1, byte).data, sum);
    rolling.toggle(sum[0] ?? 0, sum[1] ?? 0);
  }
  return rolling.toBigInt();
}

function headerOf(txid: number, commit: number, pre: bigint): LtxHeader {
  return {
    pageSize: PAGE_SIZE,
    commit,
    minTxid: txid,
    maxTxid: txid,
    timestampMs: txid * 1000,
    preApplyChecksum: txid === 1 ? 0n : pre,
    walOffsetBytes: 32,
    walSizeBytes: 536,
    walSalt1: txid,
    walSalt2: 2,
    nodeId: 3n,
    isChecksummed: true,
  };
}

/** One file for each change, from transaction `firstTxid` on. */
function filesOf(start: Database, changes: readonly Change[], firstTxid: number): Uint8Array[] {
  let before = start;
  return changes.map((each, at) => {
    const after = apply(before, each);
    const txid = firstTxid + at;
    const pages =
      txid === 1
        ? after.map((byte, index) => page(index + 1, byte))
        : [...each.writes].toSorted(([a], [b]) => a - b).map(([pgno, byte]) => page(pgno, byte));
    const bytes = encodeLtx(
      headerOf(txid, each.commit, checksumOf(before)),
      pages,
      checksumOf(after),
    );
    before = after;
    return bytes;
  });
}

function applyFile(database: Database, file: DecodedLtx): Database {
  const writes = new Map(file.pages.map(({ pgno, data }) => [pgno, data[0] ?? 0]));
  return apply(database, { commit: file.header.commit, writes });
}

function compact(files: readonly Uint8Array[]): DecodedLtx {
  const chunks: Uint8Array[] = [];
  const { header, trailer, sizeBytes } = compactLtx(
    files.map((file) => decodeLtx(file)),
    (chunk) => chunks.push(chunk),
  );
  const bytes = Buffer.concat(chunks);
  const decoded = decodeLtx(bytes);
  expect([decoded.header, decoded.trailer, bytes.length]).toEqual([header, trailer, sizeBytes]);
  return decoded;
}

function repeated(step: Change, times: number): readonly Change[] {
  return Array.from({ length: times }, () => step);
}

const start = fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 12 });
const changes = fc.array(change, { minLength: 1, maxLength: 8 });

it('does what applying the files one after the other does', () => {
  fc.assert(
    fc.property(start, changes, (database, steps) => {
      const expected = steps.reduce(apply, database);
      const compacted = compact(filesOf(database, steps, 7));
      expect(applyFile(database, compacted)).toEqual(expected);
      expect(compacted.trailer.postApplyChecksum).toBe(checksumOf(expected));
    }),
    { numRuns: 300 },
  );
});

it('a snapshot with what follows it makes a snapshot', () => {
  fc.assert(
    fc.property(changes, (steps) => {
      const expected = steps.reduce(apply, [] as Database);
      const compacted = compact(filesOf([], steps, 1));
      expect(compacted.header.minTxid).toBe(1);
      expect(compacted.pages).toEqual(expected.map((byte, at) => page(at + 1, byte)));
    }),
    { numRuns: 300 },
  );
});

it('compacting in steps makes the same as compacting at once', () => {
  fc.assert(
    fc.property(changes, changes, (first, second) => {
      const files = filesOf([], [...first, ...second], 1);
      const encode = ({ header, pages, trailer }: DecodedLtx): Uint8Array =>
        encodeLtx(header, pages, trailer.postApplyChecksum);
      const halves = [files.slice(0, first.length), files.slice(first.length)].map((half) =>
        encode(compact(half)),
      );
      expect(compact(halves)).toEqual(compact(files));
    }),
  );
});

it('the header spans the files and names no WAL and no node', () => {
  const files = filesOf(
    [1, 2, 3],
    [
      { commit: 3, writes: new Map([[2, 9]]) },
      { commit: 2, writes: new Map([[1, 8]]) },
    ],
    7,
  );
  expect(compact(files).header).toEqual({
    pageSize: PAGE_SIZE,
    commit: 2,
    minTxid: 7,
    maxTxid: 8,
    timestampMs: 8000,
    preApplyChecksum: checksumOf([1, 2, 3]),
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed: true,
  });
});

it('a page that was cut off does not come back when the database grows again', () => {
  const files = filesOf(
    [1, 2, 3],
    [
      { commit: 3, writes: new Map([[3, 33]]) },
      { commit: 2, writes: new Map() },
      { commit: 4, writes: new Map([[4, 44]]) },
    ],
    7,
  );
  expect(compact(files).pages).toEqual([page(3, 0), page(4, 44)]);
});

it('files that are read while they are merged give the same', async () => {
  const steps = Array.from({ length: 5 }, (_, at) => ({
    commit: 9,
    writes: new Map([
      [at + 1, at + 10],
      [9, at],
    ]),
  }));
  const files = filesOf([1, 2, 3, 4, 5, 6, 7, 8, 9], steps, 7);
  const sources = files.map((file) => {
    const decoder = new LtxDecoder();
    const batches = async function* (): AsyncGenerator<readonly LtxPage[]> {
      for (let at = 0; at < file.length; at += 10) {
        yield await Promise.resolve(decoder.push(file.subarray(at, at + 10)));
      }
    };
    return {
      header: decodeLtx(file).header,
      batches: batches(),
      trailer: () => decoder.finish(),
    };
  });
  const chunks: Uint8Array[] = [];
  await compactLtxStreams(sources, async (chunk) => {
    chunks.push(await Promise.resolve(chunk));
  });
  expect(decodeLtx(Buffer.concat(chunks))).toEqual(compact(files));
});

it('sources are closed when the compaction fails', () => {
  const closed: string[] = [];
  const files = filesOf([1], repeated({ commit: 1, writes: new Map([[1, 5]]) }, 2), 7);
  const sources = files.map((file, at) => {
    const decoded = decodeLtx(file);
    const pages = function* (): Generator<LtxPage> {
      try {
        yield { pgno: 1, data: new Uint8Array(at === 1 ? 1 : PAGE_SIZE) };
        yield { pgno: 2, data: new Uint8Array(PAGE_SIZE) };
      } finally {
        closed.push(`source ${at}`);
      }
    };
    return { ...decoded, pages: pages() };
  });
  expect(() => compactLtx(sources, () => undefined)).toThrow(/has 1 bytes/);
  expect(closed.toSorted()).toEqual(['source 0', 'source 1']);
});

it('pages of a source out of order are refused', () => {
  const [file = new Uint8Array(0)] = filesOf([1], [{ commit: 3, writes: new Map() }], 7);
  const pages = [page(2, 1), page(1, 1)];
  const source = { ...decodeLtx(file), pages };
  const batches = (async function* () {
    yield await Promise.resolve(pages);
  })();
  expect(() => compactLtx([source], () => undefined)).toThrow(LtxError);
  const stream = { header: source.header, batches, trailer: () => source.trailer };
  return expect(compactLtxStreams([stream], () => Promise.resolve())).rejects.toThrow(
    'Page 1 comes after page 2',
  );
});

it.each([
  ['with a gap', { minTxid: 9, maxTxid: 9 }, /does not follow/],
  ['that overlap', { minTxid: 7, maxTxid: 9 }, /does not follow/],
  ['of another page size', { pageSize: 1024 }, /instead of 512/],
  ['of another history', { preApplyChecksum: 2n ** 63n + 1n }, /does not begin with the database/],
])('files %s are not compacted', (_, changed, message) => {
  const [a, b] = filesOf([1], repeated({ commit: 1, writes: new Map() }, 2), 7).map(decodeLtx);
  if (a === undefined || b === undefined) throw new Error('there are two files');
  const sources = [a, { ...b, header: { ...b.header, ...changed } }];
  expect(() => compactLtx(sources, () => undefined)).toThrow(message);
});

it('the result has checksums when both of its ends have', () => {
  const files = filesOf([1], repeated({ commit: 1, writes: new Map([[1, 4]]) }, 3), 7);
  const decoded = files.map(decodeLtx);
  const uncheck = (file: DecodedLtx): DecodedLtx => ({
    ...file,
    header: { ...file.header, isChecksummed: false, preApplyChecksum: 0n },
    trailer: { ...file.trailer, postApplyChecksum: 0n },
  });
  const flags = [0, 1, 2].map((unchecked) => {
    const sources = decoded.map((file, at) => (at === unchecked ? uncheck(file) : file));
    return compactLtx(sources, () => undefined).header.isChecksummed;
  });
  expect(flags).toEqual([false, true, false]);
});
