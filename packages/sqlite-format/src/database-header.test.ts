import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveDatabase } from '../test/live-database.ts';
import { isDatabaseHeader, parseDatabaseHeader } from './database-header.ts';
import { formatLibraryVersion } from './library-version.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

function headerOf(sql: string, pageSize = 4096): Uint8Array {
  using database = new DatabaseSync(':memory:');
  database.exec(`PRAGMA page_size = ${pageSize}; ${sql}`);
  return database.serialize().subarray(0, 100);
}

describe('parseDatabaseHeader', () => {
  it.each(PAGE_SIZES)('says of a database with pages of %i bytes what SQLite says', (pageSize) => {
    using live = new LiveDatabase(pageSize);
    live.sql.exec(`CREATE TABLE a (x); CREATE TABLE b (x)`);
    live.sql.exec(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) ' +
        'INSERT INTO a SELECT randomblob(100) FROM n',
    );
    live.checkpoint('TRUNCATE');
    const header = parseDatabaseHeader(live.read(''));
    expect(header).toMatchObject({
      pageSize,
      writeVersion: 2,
      readVersion: 2,
      journalMode: 'wal',
      reservedBytes: 0,
      pageCount: live.integer('page_count'),
      isPageCountTrusted: true,
      schemaCookie: live.integer('schema_version'),
    });
    expect(live.size('')).toBe(pageSize * live.integer('page_count'));
    expect(header?.versionValidFor).toBe(header?.changeCounter);
    expect(formatLibraryVersion(header?.libraryVersion ?? 0)).toBe(
      live.sql.prepare('SELECT sqlite_version() AS version').get()?.version,
    );
  });

  it('counts the changes of a database with a rollback journal', () => {
    using live = new LiveDatabase();
    live.sql.exec('PRAGMA journal_mode = DELETE; CREATE TABLE a (x)');
    const before = parseDatabaseHeader(live.read('', 0, 100));
    live.sql.exec('INSERT INTO a VALUES (1)');
    const after = parseDatabaseHeader(live.read('', 0, 100));
    expect(after).toMatchObject({ writeVersion: 1, readVersion: 1, journalMode: 'rollback' });
    expect(after?.changeCounter).toBe((before?.changeCounter ?? 0) + 1);
  });

  it('does not trust the page count that a SQLite before 3.7.0 has left behind', () => {
    const bytes = headerOf('CREATE TABLE a (x)');
    expect(parseDatabaseHeader(bytes)).toMatchObject({ isPageCountTrusted: true, pageCount: 2 });
    const older = Uint8Array.from(bytes);
    older[27] = (older[27] ?? 0) + 1;
    expect(parseDatabaseHeader(older)?.isPageCountTrusted).toBe(false);
    const none = Uint8Array.from(bytes).fill(0, 28, 32);
    expect(parseDatabaseHeader(none)?.isPageCountTrusted).toBe(false);
  });

  it('reads from a part of a larger buffer', () => {
    const bytes = headerOf('CREATE TABLE a (x)', 1024);
    const padded = new Uint8Array(300);
    padded.set(bytes, 77);
    expect(parseDatabaseHeader(padded.subarray(77))).toEqual(parseDatabaseHeader(bytes));
  });

  it('finds no header in fewer bytes, other bytes, or a format to come', () => {
    const bytes = headerOf('CREATE TABLE a (x)');
    expect(isDatabaseHeader(bytes)).toBe(true);
    expect(isDatabaseHeader(bytes.subarray(0, 99))).toBe(false);
    expect(isDatabaseHeader(new Uint8Array(100))).toBe(false);
    const changes = [
      [0, 0x73], // 'sQLite…'
      [15, 0x20],
      [16, 3],
      [17, 2],
      [19, 3],
      [21, 65],
      [23, 0],
    ] as const;
    for (const [at, value] of changes) {
      expect(isDatabaseHeader(Uint8Array.from(bytes).fill(value, at, at + 1))).toBe(false);
    }
    expect(isDatabaseHeader(headerOf('CREATE TABLE a (x)', 512).fill(33, 20, 21))).toBe(false);
    expect(isDatabaseHeader(headerOf('CREATE TABLE a (x)', 512).fill(32, 20, 21))).toBe(true);
  });

  it('finds a header exactly where SQLite opens a database, whatever bits are turned', () => {
    const whole = (() => {
      using database = new DatabaseSync(':memory:');
      database.exec('PRAGMA page_size = 512; CREATE TABLE a (x)');
      return database.serialize();
    })();
    const turned = fc.record({ at: fc.integer({ min: 0, max: 23 }), to: fc.nat(255) });
    fc.assert(
      fc.property(turned, ({ at, to }) => {
        const bytes = Uint8Array.from(whole);
        bytes[at] = to;
        using database = new DatabaseSync(':memory:');
        let opened: boolean;
        try {
          database.deserialize(bytes);
          database.exec('SELECT count(*) FROM sqlite_schema');
          opened = true;
        } catch (error) {
          opened = !/not a database/.test(String(error));
        }
        expect(isDatabaseHeader(bytes)).toBe(opened);
      }),
      { numRuns: 600 },
    );
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(parseDatabaseHeader(bytes)).toBeUndefined();
      }),
    );
  });
});
