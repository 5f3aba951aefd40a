import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveDatabase } from '../test/live-database.ts';
import { frameOffset, parseFrameHeader } from './wal-frame.ts';
import { WalIndexBlock, blockOfFrame, firstFrameOfBlock } from './wal-index-block.ts';
import { parseWalIndexHeader } from './wal-index-header.ts';

const BLOCK_BYTES = 32_768;

/** The page numbers of the first frames of a WAL; that of frame 1 at 0. */
function pgnosOf(wal: Uint8Array, pageSize: number, frameCount: number): number[] {
  return Array.from(
    { length: frameCount },
    (_, index) => parseFrameHeader(wal, frameOffset(index + 1, pageSize)).pgno,
  );
}

function blocksOf(shm: Uint8Array): WalIndexBlock[] {
  return Array.from(
    { length: shm.length / BLOCK_BYTES },
    (_, block) =>
      new WalIndexBlock(block, shm.slice(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)),
  );
}

/** Blocks made by appending, on top of bytes that mean nothing. */
function built(pgnos: readonly number[]): WalIndexBlock[] {
  const blocks: WalIndexBlock[] = [];
  for (const [index, pgno] of pgnos.entries()) {
    const number = blockOfFrame(index + 1);
    blocks[number] ??= new WalIndexBlock(number, new Uint8Array(BLOCK_BYTES).fill(0xa5));
    expect(blocks[number]?.append(index + 1, pgno)).toBeDefined();
  }
  return blocks;
}

function findIn(blocks: readonly WalIndexBlock[], pgno: number, maxFrame: number): number {
  for (let block = blockOfFrame(maxFrame); block >= 0; block -= 1) {
    const found = blocks[block]?.find(pgno, maxFrame) ?? 0;
    if (found > 0) return found;
  }
  return 0;
}

describe('the arithmetic of blocks', () => {
  it('puts 4062 frames in the first block and 4096 in each other', () => {
    const cases = [
      [1, 0],
      [4062, 0],
      [4063, 1],
      [8158, 1],
      [8159, 2],
      [12_254, 2],
      [12_255, 3],
    ] as const;
    for (const [frame, block] of cases) expect(blockOfFrame(frame)).toBe(block);
    expect([0, 1, 2, 3].map((block) => firstFrameOfBlock(block))).toEqual([1, 4063, 8159, 12_255]);
    expect(() => blockOfFrame(0)).toThrow('from 1');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (frame) => {
        const block = blockOfFrame(frame);
        expect(firstFrameOfBlock(block)).toBeLessThanOrEqual(frame);
        expect(firstFrameOfBlock(block + 1)).toBeGreaterThan(frame);
      }),
    );
  });
});

describe('a wal-index of SQLite with three blocks', () => {
  const pageSize = 512;

  function filled(): LiveDatabase {
    const live = new LiveDatabase(pageSize);
    live.sql.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x)');
    live.sql.exec(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)' +
        'INSERT INTO a SELECT i, randomblob(400) FROM n',
    );
    const update = live.sql.prepare('UPDATE a SET x = randomblob(400) WHERE id % ? = 0');
    for (let step = 2; step < 40; step += 1) update.run(step);
    return live;
  }

  it('is made again byte by byte, and finds what a scan of the frames finds', () => {
    using live = filled();
    const shm = live.read('-shm');
    const wal = live.read('-wal');
    const { mxFrame } = parseWalIndexHeader(shm) ?? { mxFrame: 0 };
    expect(mxFrame).toBeGreaterThan(8158);
    const pgnos = pgnosOf(wal, pageSize, mxFrame);
    const blocks = built(pgnos);
    const real = blocksOf(shm);
    expect(blocks.length).toBe(blockOfFrame(mxFrame) + 1);
    for (const [number, block] of blocks.entries()) {
      const actual = real[number];
      expect(Buffer.compare(block.contents.bytes, actual?.contents.bytes ?? Buffer.of())).toBe(0);
      expect(block.contents.offset).toBe(number === 0 ? 136 : number * BLOCK_BYTES);
    }
    expect(real[0]?.bytes.subarray(0, 136)).toEqual(shm.subarray(0, 136));
    for (const maxFrame of [1, 100, 4062, 4063, 5000, 8158, 8159, mxFrame]) {
      const lastOf = new Map(pgnos.slice(0, maxFrame).map((pgno, index) => [pgno, index + 1]));
      for (let pgno = 1; pgno <= 3200; pgno += 1) {
        if (findIn(real, pgno, maxFrame) === (lastOf.get(pgno) ?? 0)) continue;
        expect([pgno, findIn(real, pgno, maxFrame)]).toEqual([pgno, lastOf.get(pgno) ?? 0]);
      }
    }
    expect(real[1]?.pgnoOf(4063)).toBe(pgnos[4062]);
  });

  it('is made again as SQLite recovers it from the WAL alone', () => {
    using live = filled();
    using copy = new LiveDatabase();
    copy.sql.close();
    copyFileSync(live.path, join(copy.folder, 'live.db'));
    const wal = live.read('-wal');
    writeFileSync(`${copy.path}-wal`, wal);
    const recovered = copy.connect();
    expect(recovered.prepare('SELECT count(*) AS n FROM a').get()?.n).toBe(3000);
    const shm = copy.read('-shm');
    const { mxFrame } = parseWalIndexHeader(shm) ?? { mxFrame: 0 };
    const blocks = built(pgnosOf(wal, pageSize, mxFrame));
    for (const [number, block] of blocks.entries()) {
      const actual = blocksOf(shm)[number]?.contents.bytes ?? Buffer.of();
      expect(Buffer.compare(block.contents.bytes, actual)).toBe(0);
    }
  });
});

describe('WalIndexBlock', () => {
  it('removes what a writer left behind who died, as soon as its place is taken', () => {
    using live = new LiveDatabase(512);
    live.sql.exec('PRAGMA cache_size = 5; CREATE TABLE a (x)');
    const committed = parseWalIndexHeader(live.read('-shm'))?.mxFrame ?? 0;
    live.sql.exec('BEGIN; INSERT INTO a VALUES (randomblob(60000))');
    const spilled = live.read('-shm', 0, BLOCK_BYTES);
    const left = new WalIndexBlock(0, spilled);
    const spilledPgno = left.pgnoOf(committed + 50);
    expect(spilledPgno).toBeGreaterThan(0);
    expect(left.find(spilledPgno, committed + 100)).toBe(committed + 50);
    live.sql.exec('ROLLBACK');

    const pgnos = Array.from({ length: committed }, (_, index) => left.pgnoOf(index + 1));
    const change = left.append(committed + 1, 7);
    expect(change?.isReset).toBe(true);
    expect(left.find(spilledPgno, committed + 100)).toBe(0);
    expect(left.append(committed + 2, 8)?.isReset).toBe(false);
    const [fresh] = built([...pgnos, 7, 8]);
    expect(Buffer.compare(left.contents.bytes, fresh?.contents.bytes ?? Buffer.of())).toBe(0);
  });

  it('clears a block of an older generation at its first entry, but not the header', () => {
    for (const number of [0, 1, 7]) {
      const block = new WalIndexBlock(number, new Uint8Array(BLOCK_BYTES).fill(0x11));
      const first = firstFrameOfBlock(number);
      expect(block.append(first, 9)?.isReset).toBe(true);
      expect(block.find(9, first)).toBe(first);
      expect(block.bytes.reduce((sum, byte) => sum + byte, 0)).toBe(
        9 + 1 + (number === 0 ? 136 * 0x11 : 0),
      );
    }
  });

  it('names the only bytes that an entry changes', () => {
    const pgno = fc.integer({ min: 1, max: 0xffff_ffff });
    fc.assert(
      fc.property(fc.array(pgno, { minLength: 1, maxLength: 40 }), fc.nat(3), (pgnos, number) => {
        const block = new WalIndexBlock(number, new Uint8Array(BLOCK_BYTES));
        const file = new Uint8Array(BLOCK_BYTES * (number + 1));
        for (const [index, pgno] of pgnos.entries()) {
          const change = block.append(firstFrameOfBlock(number) + index, pgno);
          if (change === undefined) throw new Error('the block is sound');
          const { pgnoOffset, hashOffset, isReset } = change;
          expect(isReset).toBe(index === 0);
          const at = (offset: number): number => offset - block.offset;
          file.set(block.bytes.subarray(at(pgnoOffset), at(pgnoOffset) + 4), pgnoOffset);
          file.set(block.bytes.subarray(at(hashOffset), at(hashOffset) + 2), hashOffset);
          expect(Buffer.compare(file.subarray(block.offset), block.bytes)).toBe(0);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('finds the last frame of each page up to any frame, however the slots collide', () => {
    // Pages that differ by 8192 have the same hash.
    const pgno = fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(6))
      .map(([low, high]) => low + 8192 * high);
    fc.assert(
      fc.property(fc.array(pgno, { minLength: 1, maxLength: 200 }), fc.nat(), (pgnos, pick) => {
        const [block] = built(pgnos);
        const maxFrame = (pick % pgnos.length) + 1;
        for (const wanted of new Set(pgnos)) {
          const expected = pgnos.slice(0, maxFrame).lastIndexOf(wanted) + 1;
          expect(block?.find(wanted, maxFrame)).toBe(expected);
        }
      }),
    );
  });

  it('holds a full block of one page, and of hashes that run over the end of the table', () => {
    const same = built(Array.from({ length: 4062 }, () => 5))[0];
    expect(same?.find(5, 4062)).toBe(4062);
    expect(same?.find(5, 17)).toBe(17);
    expect(same?.find(6, 4062)).toBe(0);
    // 383 × 385 is 8191 modulo 8192: the last slot.
    expect((383 * 385) % 8192).toBe(8191);
    const last = built(Array.from({ length: 300 }, (_, index) => 385 + 8192 * index))[0];
    expect(last?.find(385 + 8192 * 299, 300)).toBe(300);
  });

  it('enters a page behind as many taken slots as entries, and not behind more', () => {
    for (const taken of [1, 2, 3, 4]) {
      const [block] = built([5, 5]);
      if (block === undefined) throw new Error('there is a block');
      // Slots right behind the hash of page 5, two of which are its own.
      const first = 16_384 + 2 * (5 * 383);
      for (let slot = 0; slot < taken; slot += 1) block.bytes[first + 2 * slot] ||= 9;
      const change = block.append(3, 5);
      expect(change?.hashOffset).toBe(taken > 3 ? undefined : first + 2 * Math.max(2, taken));
    }
  });

  it('goes on with any bytes, entering nothing in a table without room', () => {
    const full = new WalIndexBlock(0, new Uint8Array(BLOCK_BYTES).fill(1).fill(0, 136, 16_384));
    const before = Uint8Array.from(full.bytes);
    expect(full.append(5, 3)).toBeUndefined();
    expect(full.bytes).toEqual(before);
    expect(full.find(3, 5)).toBe(0);
    const anyBlock = fc.tuple(fc.array(fc.nat(255), { minLength: 1, maxLength: 64 }), fc.nat(4095));
    fc.assert(
      fc.property(anyBlock, fc.integer({ min: 1, max: 0xffff_ffff }), ([pattern, at], pgno) => {
        const bytes = Uint8Array.from({ length: BLOCK_BYTES }, (_, index) => {
          return pattern[index % pattern.length] ?? 0;
        });
        const block = new WalIndexBlock(1, bytes);
        const frame = 4063 + at;
        const found = block.find(pgno, frame);
        expect(found === 0 || block.pgnoOf(found) === pgno).toBe(true);
        if (block.append(frame, pgno) !== undefined) expect(block.find(pgno, frame)).toBe(frame);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses frames of other blocks, page 0 and blocks of another size', () => {
    expect(() => new WalIndexBlock(0, new Uint8Array(10))).toThrow('32 KiB');
    const block = new WalIndexBlock(0, new Uint8Array(BLOCK_BYTES));
    expect(() => block.append(4063, 1)).toThrow('lists the frame');
    expect(() => block.append(1, 0)).toThrow('from 1');
  });
});
