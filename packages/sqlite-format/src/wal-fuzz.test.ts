import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveDatabase } from '../test/live-database.ts';
import { WalChecksum } from './wal-checksum.ts';
import { encodeFrame, frameOffset } from './wal-frame.ts';
import { encodeWalHeader, parseWalHeader, walStart, type WalHeader } from './wal-header.ts';
import { WalScanner, type WalTransaction } from './wal-scanner.ts';

const FRAME_BYTES = 512 + 24;

/** A WAL of SQLite with some transactions of several frames, behind which an older one shows. */
function sampleWal(): Uint8Array {
  using live = new LiveDatabase(512);
  live.sql.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x)');
  const insert = live.sql.prepare('INSERT INTO a (x) VALUES (randomblob(?))');
  for (let round = 0; round < 30; round += 1) insert.run(round * 100);
  live.checkpoint('RESTART');
  for (let round = 0; round < 12; round += 1) insert.run(round * 150);
  return live.read('-wal');
}

function transactionsOf(wal: Uint8Array): readonly WalTransaction[] {
  const header = parseWalHeader(wal);
  if (header === undefined) return [];
  return new WalScanner(header, walStart(header)).push(wal.subarray(32), 1).transactions;
}

const wal = sampleWal();
const header = parseWalHeader(wal);
const truth = transactionsOf(wal);
const endOfTruth = frameOffset((truth.at(-1)?.lastFrame ?? 0) + 1, 512);

/** All there is to a transaction, as text: texts compare much faster. */
function textOf(transaction: WalTransaction): string {
  return JSON.stringify({ ...transaction, pages: [...transaction.pages] });
}

const truthTexts = truth.map((transaction) => textOf(transaction));

function foundIn(bytes: Uint8Array): string[] {
  return transactionsOf(bytes).map((transaction) => textOf(transaction));
}

/** The transactions that lie before the first byte that is not as it was. */
function soundPartOf(damaged: Uint8Array): string[] {
  let soundBytes = 0;
  while (soundBytes < damaged.length && damaged[soundBytes] === wal[soundBytes]) soundBytes += 1;
  if (soundBytes < 32) return [];
  return truthTexts.filter((_, index) => {
    const lastFrame = truth[index]?.lastFrame ?? Infinity;
    return frameOffset(lastFrame + 1, 512) <= soundBytes;
  });
}

describe('a damaged WAL yields the transactions before the damage and no other', () => {
  it('is what it should be before', () => {
    expect(truth).toHaveLength(12);
    expect(endOfTruth).toBeLessThan(wal.length);
    expect(truth.some(({ pages }) => pages.size > 3)).toBe(true);
  });

  it('with some bits turned', () => {
    const bit = fc.nat(endOfTruth * 8 - 1);
    fc.assert(
      fc.property(fc.uniqueArray(bit, { minLength: 1, maxLength: 6 }), (bits) => {
        const damaged = Uint8Array.from(wal);
        for (const at of bits) damaged[at >> 3] = (damaged[at >> 3] ?? 0) ^ (1 << (at & 7));
        expect(foundIn(damaged)).toEqual(soundPartOf(damaged));
      }),
      { numRuns: 400 },
    );
  });

  it('cut anywhere', () => {
    fc.assert(
      fc.property(fc.nat(wal.length), (length) => {
        const cut = wal.slice(0, length);
        expect(foundIn(cut)).toEqual(soundPartOf(cut));
      }),
      { numRuns: 400 },
    );
  });

  it('with frames overwritten by others of its own', () => {
    const frameCount = Math.floor((wal.length - 32) / FRAME_BYTES);
    const frame = fc.integer({ min: 1, max: frameCount });
    fc.assert(
      fc.property(frame, frame, fc.integer({ min: 1, max: 5 }), (from, to, count) => {
        const damaged = Uint8Array.from(wal);
        damaged.copyWithin(
          frameOffset(to, 512),
          frameOffset(from, 512),
          frameOffset(from + count, 512),
        );
        expect(foundIn(damaged)).toEqual(soundPartOf(damaged));
      }),
      { numRuns: 400 },
    );
  });

  it('with a stretch of any bytes', () => {
    const stretch = fc.uint8Array({ minLength: 1, maxLength: 700 });
    fc.assert(
      fc.property(stretch, fc.nat(wal.length - 1), (bytes, at) => {
        const damaged = Uint8Array.from(wal);
        damaged.set(bytes.subarray(0, wal.length - at), at);
        expect(foundIn(damaged)).toEqual(soundPartOf(damaged));
      }),
      { numRuns: 400 },
    );
  });
});

it('finds nothing in any bytes', () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 });
  fc.assert(
    fc.property(pieces, (pieces) => {
      if (header === undefined) throw new Error('the sample has a header');
      const bytes = new Uint8Array(Buffer.concat(pieces));
      const scan = new WalScanner(header, walStart(header)).push(bytes, 1);
      expect(scan.transactions).toEqual([]);
      const shortEnd = bytes.length > 0 ? 'partial' : 'input';
      expect(scan.end).toBe(bytes.length >= FRAME_BYTES ? 'salt' : shortEnd);
    }),
  );
});

/** A made-up WAL: each list is a transaction, its numbers the pages it writes, in order. */
function madeWal(fields: Omit<WalHeader, 'checksum1' | 'checksum2'>, transactions: number[][]) {
  const frames = transactions.flatMap((pgnos) =>
    pgnos.map((pgno, index) => ({ pgno, commit: index === pgnos.length - 1 ? 40 : 0 })),
  );
  const bytes = new Uint8Array(frameOffset(frames.length + 1, fields.pageSize));
  const header = encodeWalHeader(fields, bytes);
  const checksum = new WalChecksum(header.checksum1, header.checksum2);
  for (const [index, frame] of frames.entries()) {
    const page = new Uint8Array(fields.pageSize).fill(index + 1);
    const offset = frameOffset(index + 1, fields.pageSize);
    encodeFrame(bytes, offset, { ...frame, page }, { generation: header, checksum });
  }
  return bytes;
}

it('finds what was encoded, in both byte orders', () => {
  const word = fc.integer({ min: 0, max: 0xffff_ffff });
  const fields = fc.record({
    pageSize: fc.constantFrom(512, 1024),
    checkpointSequence: word,
    salt1: word,
    salt2: word,
    isBigEndianChecksum: fc.boolean(),
  });
  const pgnos = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fields, fc.array(pgnos, { maxLength: 6 }), (fields, transactions) => {
      let lastFrame = 0;
      const expected = transactions.map((pgnos) => {
        const firstFrame = lastFrame + 1;
        lastFrame += pgnos.length;
        const frames = pgnos.map((pgno, index) => [pgno, firstFrame + index] as const);
        const pages = new Map(frames.filter(([pgno]) => pgno <= 40));
        return { firstFrame, lastFrame, pageCount: 40, pages };
      });
      expect(transactionsOf(madeWal(fields, transactions))).toMatchObject(expected);
    }),
  );
});
