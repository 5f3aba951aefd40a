import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveDatabase } from '../test/live-database.ts';
import { WalChecksum } from './wal-checksum.ts';
import { frameOffset, parseFrameHeader } from './wal-frame.ts';
import { parseWalHeader } from './wal-header.ts';
import {
  READ_MARK_UNUSED,
  encodeWalIndexHeader,
  parseWalIndexHeader,
  type WalIndexFields,
} from './wal-index-header.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const anyFields: fc.Arbitrary<WalIndexFields> = fc.record({
  changeCounter: word,
  isBigEndianChecksum: fc.boolean(),
  pageSize: fc.constantFrom(...PAGE_SIZES),
  mxFrame: word,
  pageCount: word,
  frameChecksum1: word,
  frameChecksum2: word,
  salt1: word,
  salt2: word,
});

function anyOne(): WalIndexFields {
  const [fields] = fc.sample(anyFields, 1);
  if (fields === undefined) throw new Error('there is a sample');
  return fields;
}

/** A whole header: two copies, and zeros behind them. */
function encoded(fields: WalIndexFields): Uint8Array {
  const bytes = new Uint8Array(136);
  encodeWalIndexHeader(fields, bytes);
  bytes.copyWithin(48, 0, 48);
  return bytes;
}

describe('a wal-index of SQLite', () => {
  it.each(PAGE_SIZES)('with pages of %i bytes says what SQLite and the WAL say', (pageSize) => {
    using live = new LiveDatabase(pageSize);
    live.sql.exec('CREATE TABLE a (x)');
    let changesBefore: number | undefined;
    for (let round = 0; round < 5; round += 1) {
      live.sql.exec('INSERT INTO a VALUES (randomblob(3000))');
      const bytes = live.read('-shm', 0, 136);
      const index = parseWalIndexHeader(bytes);
      const wal = live.read('-wal');
      const header = parseWalHeader(wal);
      if (index === undefined || header === undefined) throw new Error('there are both headers');
      const last = parseFrameHeader(wal, frameOffset(index.mxFrame, pageSize));
      expect(index).toMatchObject({
        version: 3_007_000,
        pageSize,
        isBigEndianChecksum: header.isBigEndianChecksum,
        mxFrame: (wal.length - 32) / (24 + pageSize),
        pageCount: live.integer('page_count'),
        salt1: header.salt1,
        salt2: header.salt2,
        frameChecksum1: last.checksum1,
        frameChecksum2: last.checksum2,
        backfilledFrames: 0,
        backfillAttemptedFrames: 0,
      });
      expect(last.commit).toBe(index.pageCount);
      if (changesBefore !== undefined) expect(index.changeCounter).toBe(changesBefore + 1);
      changesBefore = index.changeCounter;
      const again = new Uint8Array(48);
      encodeWalIndexHeader(index, again);
      expect(again).toEqual(bytes.subarray(0, 48));
      expect(again).toEqual(bytes.subarray(48, 96));
    }
  });

  it('says how far checkpoints have come and where readers are', () => {
    using live = new LiveDatabase();
    const index = () => parseWalIndexHeader(live.read('-shm', 0, 136));
    live.sql.exec('CREATE TABLE a (x); INSERT INTO a VALUES (1)');
    const reader = live.connect();
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM a').get();
    const seen = index()?.mxFrame ?? 0;
    live.sql.exec('INSERT INTO a VALUES (2); INSERT INTO a VALUES (3)');
    expect(index()?.readMarks).toHaveLength(5);
    expect(index()?.readMarks[0]).toBe(0);
    expect(index()?.readMarks).toContain(seen);
    expect(index()?.readMarks).toContain(READ_MARK_UNUSED);
    const { log, checkpointed } = live.checkpoint('PASSIVE');
    expect(checkpointed).toBe(seen);
    expect(index()).toMatchObject({
      mxFrame: log,
      backfilledFrames: checkpointed,
      backfillAttemptedFrames: checkpointed,
    });
    reader.exec('ROLLBACK');
    expect(live.checkpoint('PASSIVE').checkpointed).toBe(log);
    expect(index()).toMatchObject({ mxFrame: log, backfilledFrames: log });
  });

  it('has neither page size nor salts nor pages before the first frame', () => {
    using live = new LiveDatabase();
    live.sql.exec('SELECT count(*) FROM sqlite_schema');
    const bytes = live.read('-shm', 0, 136);
    const index = parseWalIndexHeader(bytes);
    const none = { mxFrame: 0, pageSize: 0, pageCount: 0, salt1: 0, salt2: 0 };
    expect(index).toMatchObject(none);
    const again = new Uint8Array(48);
    if (index !== undefined) encodeWalIndexHeader(index, again);
    expect(again).toEqual(bytes.subarray(0, 48));
    expect(() => encodeWalIndexHeader({ ...anyOne(), pageSize: 0, mxFrame: 1 }, again)).toThrow(
      'page size',
    );
  });

  it('has new salts and no frames after a restart, before the WAL has them', () => {
    using live = new LiveDatabase();
    live.sql.exec('CREATE TABLE a (x)');
    const before = parseWalIndexHeader(live.read('-shm', 0, 136));
    live.checkpoint('TRUNCATE');
    expect(live.size('-wal')).toBe(0);
    const after = parseWalIndexHeader(live.read('-shm', 0, 136));
    expect(after).toMatchObject({ mxFrame: 0, backfilledFrames: 0 });
    expect(after?.salt1).toBe(((before?.salt1 ?? 0) + 1) >>> 0);
    live.sql.exec('INSERT INTO a VALUES (1)');
    expect(parseWalHeader(live.read('-wal', 0, 32))).toMatchObject({
      salt1: after?.salt1,
      salt2: after?.salt2,
    });
  });
});

describe('parseWalIndexHeader', () => {
  it('reads what encodeWalIndexHeader wrote', () => {
    fc.assert(
      fc.property(anyFields, fc.nat(7), (fields, shift) => {
        const placed = new Uint8Array(200).fill(0);
        placed.set(encoded(fields), shift);
        expect(parseWalIndexHeader(placed.subarray(shift))).toEqual({
          ...fields,
          version: 3_007_000,
          backfilledFrames: 0,
          backfillAttemptedFrames: 0,
          readMarks: [0, 0, 0, 0, 0],
        });
      }),
    );
  });

  it('finds none while the copies differ, nor where both have the same wrong bit', () => {
    fc.assert(
      fc.property(anyFields, fc.nat(48 * 8 - 1), (fields, bit) => {
        const bytes = encoded(fields);
        const flip = (start: number): void => {
          const at = start + (bit >> 3);
          bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
        };
        flip(48);
        expect(parseWalIndexHeader(bytes)).toBeUndefined();
        flip(0);
        expect(parseWalIndexHeader(bytes)).toBeUndefined();
      }),
    );
  });

  it('finds none that is not made, of another version or page size, though all else is right', () => {
    const bigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
    const changes = [
      { at: 0, value: 1 },
      { at: 12, value: 0 },
      { at: 14, value: 3 },
      { at: 15, value: 3 },
    ];
    fc.assert(
      fc.property(anyFields, fc.constantFrom(...changes), (fields, { at, value }) => {
        const bytes = encoded(fields);
        bytes[at] = value;
        const checksum = new WalChecksum();
        checksum.update(bytes, 0, 40, bigEndian);
        new Uint32Array(bytes.buffer, 40, 2).set([checksum.s0, checksum.s1]);
        bytes.copyWithin(48, 0, 48);
        expect(parseWalIndexHeader(bytes)).toBeUndefined();
      }),
    );
    const unset = encoded({ ...anyOne(), pageSize: 0, mxFrame: 0 });
    expect(parseWalIndexHeader(unset)?.pageSize).toBe(0);
    const words = new Uint32Array(unset.buffer);
    words[4] = 1;
    const checksum = new WalChecksum();
    checksum.update(unset, 0, 40, bigEndian);
    words.set([checksum.s0, checksum.s1], 10);
    unset.copyWithin(48, 0, 48);
    expect(parseWalIndexHeader(unset)).toBeUndefined();
  });

  it('finds none in a new file, in fewer bytes, or in any bytes', () => {
    expect(parseWalIndexHeader(new Uint8Array(136))).toBeUndefined();
    expect(parseWalIndexHeader(encoded(anyOne()).subarray(0, 135))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(parseWalIndexHeader(bytes)).toBeUndefined();
      }),
    );
  });
});
