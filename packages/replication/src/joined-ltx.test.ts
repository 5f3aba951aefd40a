import { decodeLtx, encodeLtx, pageChecksum, RollingChecksum } from '@tandem/ltx';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutLtx, joinLtx } from './joined-ltx.ts';

const PAGE_BYTES = 512;
type Pages = readonly Uint8Array[];

/** One transaction: the pages it writes, by what they are filled with, and how many there are then. */
interface Step {
  readonly writes: ReadonlyMap<number, number>;
  readonly pageCount: number;
}

const STEPS = fc.array(
  fc.record({
    writes: fc
      .array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 255 })))
      .map((writes) => new Map(writes)),
    pageCount: fc.integer({ min: 1, max: 12 }),
  }),
  { minLength: 8, maxLength: 14 },
);

function checksumOf(pages: Pages): bigint {
  const rolling = new RollingChecksum();
  const words = new Uint32Array(2);
  for (const [index, page] of pages.entries()) {
    pageChecksum(index + 1, page, words);
    rolling.toggle(words[0] ?? 0, words[1] ?? 0);
  }
  return rolling.toBigInt();
}

function step(before: Pages, { writes, pageCount }: Step): Pages {
  return Array.from({ length: pageCount }, (_, index) => {
    const byte = writes.get(index + 1);
    if (byte === undefined) return before[index] ?? new Uint8Array(PAGE_BYTES);
    return new Uint8Array(PAGE_BYTES).fill(byte);
  });
}

/** The file of a transaction has all pages that are new, as captured ones have. */
function fileOf(txid: number, before: Pages, after: Pages): Uint8Array {
  const pages = after
    .map((data, index) => ({ pgno: index + 1, data }))
    .filter(({ pgno, data }) => data !== before[pgno - 1]);
  const header = {
    pageSize: PAGE_BYTES,
    commit: after.length,
    minTxid: txid,
    maxTxid: txid,
    timestampMs: txid,
    preApplyChecksum: checksumOf(before),
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed: true,
  };
  return encodeLtx(header, pages, checksumOf(after));
}

function applied(before: Pages, file: Uint8Array): Pages {
  const { header, pages, trailer } = decodeLtx(file);
  expect(header.preApplyChecksum).toBe(checksumOf(before));
  const written = new Map(pages.map(({ pgno, data }) => [pgno, data]));
  const after = Array.from(
    { length: header.commit },
    (_, index) => written.get(index + 1) ?? before[index] ?? new Uint8Array(),
  );
  expect(checksumOf(after)).toBe(trailer.postApplyChecksum);
  return after;
}

/** All states from the first on, and the files between them, which begin with transaction 2. */
function historyOf(steps: readonly Step[]): { states: Pages[]; files: Uint8Array[] } {
  let last: Pages = [new Uint8Array(PAGE_BYTES)];
  const states = [last];
  const files = steps.map((each, index) => {
    const before = last;
    last = step(before, each);
    states.push(last);
    return fileOf(index + 2, before, last);
  });
  return { states, files };
}

test('joined files do what they do one after the other', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const { states, files } = historyOf(steps);
      const joined = joinLtx(files);
      expect(joined.length).toBe(1);
      const [file = new Uint8Array()] = joined;
      expect(decodeLtx(file).header).toMatchObject({ minTxid: 2, maxTxid: files.length + 1 });
      expect(applied(states[0] ?? [], file)).toEqual(states.at(-1));
    }),
    { numRuns: 50 },
  );
});

test('a joined file can be cut for whoever has a part of it', () => {
  fc.assert(
    fc.property(STEPS, fc.nat(), (steps, seed) => {
      const { states, files } = historyOf(steps);
      const held = seed % files.length;
      const [file = new Uint8Array()] = joinLtx(files);
      const before = states[held] ?? [];
      const preApplyChecksum = checksumOf(before);
      const cut = cutLtx(file, { minTxid: held + 2, preApplyChecksum });
      expect(decodeLtx(cut).header).toMatchObject({ minTxid: held + 2, maxTxid: files.length + 1 });
      expect(applied(before, cut)).toEqual(states.at(-1));
    }),
    { numRuns: 50 },
  );
});

test('few files, damaged ones, and those that do not follow stay as they are', () => {
  const steps = Array.from({ length: 10 }, (_, index) => {
    return { writes: new Map([[1, index + 1]]), pageCount: 1 };
  });
  const { files } = historyOf(steps);
  const few = files.slice(0, 7);
  expect(joinLtx(few)).toBe(few);
  const gap = files.toSpliced(4, 1);
  expect(joinLtx(gap)).toBe(gap);
  const damaged = files.with(
    3,
    Uint8Array.from(files[3] ?? [], (byte, at) => byte ^ +(at === 130)),
  );
  expect(joinLtx(damaged)).toBe(damaged);
});
