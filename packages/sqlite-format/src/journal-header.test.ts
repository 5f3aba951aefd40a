import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveDatabase } from '../test/live-database.ts';
import {
  journalPageChecksum,
  journalRecordCount,
  parseJournalHeader,
  type JournalHeader,
} from './journal-header.ts';

const PAGE_SIZES = [512, 4096, 65_536];

/** The journal of a transaction under way, which has changed every page of a small database. */
function journalUnderWay(pageSize: number, synchronous: 'OFF' | 'FULL') {
  using live = new LiveDatabase(pageSize);
  live.sql.exec(`PRAGMA journal_mode = DELETE; PRAGMA synchronous = ${synchronous}`);
  live.sql.exec(`CREATE TABLE a (x); INSERT INTO a VALUES (randomblob(${pageSize * 60}))`);
  const before = live.read('');
  // Little memory makes the transaction sync its journal and write to the database before its end.
  live.sql.exec('PRAGMA cache_size = 3; BEGIN; UPDATE a SET x = randomblob(length(x))');
  const journal = live.read('-journal');
  live.sql.exec('ROLLBACK');
  return { before, journal };
}

/** Checks the records of the first segment against the pages before; returns their number. */
function checkRecords(header: JournalHeader, journal: Uint8Array, before: Uint8Array): number {
  const { pageSize, sectorSize, nonce } = header;
  const count = journalRecordCount(header, journal.length);
  const view = new DataView(journal.buffer, journal.byteOffset);
  for (let record = 0; record < count; record += 1) {
    const at = sectorSize + record * (pageSize + 8);
    const page = journal.subarray(at + 4, at + 4 + pageSize);
    const pgno = view.getUint32(at);
    expect(Buffer.compare(page, before.subarray((pgno - 1) * pageSize, pgno * pageSize))).toBe(0);
    expect(view.getUint32(at + 4 + pageSize)).toBe(journalPageChecksum(nonce, page));
  }
  return count;
}

describe('a rollback journal of SQLite', () => {
  it.each(PAGE_SIZES)('holds the pages before, of %i bytes, with their checksums', (pageSize) => {
    for (const synchronous of ['OFF', 'FULL'] as const) {
      const { before, journal } = journalUnderWay(pageSize, synchronous);
      const header = parseJournalHeader(journal);
      if (header === undefined) throw new Error('the journal has a header');
      expect(header).toMatchObject({ pageSize, pageCount: before.length / pageSize });
      expect(header.recordCount === undefined).toBe(synchronous === 'OFF');
      expect(checkRecords(header, journal, before)).toBeGreaterThan(1);
    }
  });

  it('has no header any more when its transaction has zeroed it', () => {
    using live = new LiveDatabase();
    live.sql.exec('PRAGMA journal_mode = PERSIST; CREATE TABLE a (x); INSERT INTO a VALUES (1)');
    expect(live.size('-journal')).toBeGreaterThan(512);
    expect(parseJournalHeader(live.read('-journal'))).toBeUndefined();
  });
});

describe('parseJournalHeader', () => {
  const words = [0xd9d5_05f9, 0x20a1_63d7, 3, 7, 9, 512, 4096];

  function bytesOf(values: readonly number[]): Uint8Array {
    const bytes = new Uint8Array(4 * values.length);
    const view = new DataView(bytes.buffer);
    for (const [index, value] of values.entries()) view.setUint32(4 * index, value);
    return bytes;
  }

  it('takes the words as they stand, and says what the count means', () => {
    const header = parseJournalHeader(bytesOf(words));
    expect(header).toEqual({
      recordCount: 3,
      nonce: 7,
      pageCount: 9,
      sectorSize: 512,
      pageSize: 4096,
    });
    const unsynced = parseJournalHeader(bytesOf(words.with(2, 0)));
    expect(unsynced && journalRecordCount(unsynced, 1_000_000)).toBe(0);
    const unsized = parseJournalHeader(bytesOf(words.with(2, 0xffff_ffff)));
    expect(unsized?.recordCount).toBeUndefined();
    const counts = [0, 512, 512 + 4103, 512 + 4104, 512 + 5 * 4104 + 1].map(
      (bytes) => unsized && journalRecordCount(unsized, bytes),
    );
    expect(counts).toEqual([0, 0, 0, 1, 5]);
  });

  it('finds none with another magic, sizes that cannot be, or fewer bytes', () => {
    const changes = [
      [0, 0],
      [1, 0],
      [5, 0],
      [5, 31],
      [5, 48],
      [5, 131_072],
      [6, 0],
      [6, 1],
      [6, 4095],
    ] as const;
    for (const [at, value] of changes) {
      expect(parseJournalHeader(bytesOf(words.with(at, value)))).toBeUndefined();
    }
    expect(parseJournalHeader(bytesOf(words).subarray(0, 27))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(parseJournalHeader(bytes)).toBeUndefined();
      }),
    );
  });
});
