import { DatabaseSync } from 'node:sqlite';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LiveDatabase } from '../test/live-database.ts';
import { WalChecksum } from './wal-checksum.ts';
import { parseWalHeader, walStart, type WalHeader } from './wal-header.ts';
import type { WalPosition } from './wal-position.ts';
import { WalScanner, type WalTransaction } from './wal-scanner.ts';

const PAGE_SIZES = [512, 1024, 4096, 65_536];

function headerOf(wal: Uint8Array): WalHeader {
  const header = parseWalHeader(wal);
  if (header === undefined) throw new Error('the WAL has no header');
  return header;
}

function scanOf(wal: Uint8Array) {
  const header = headerOf(wal);
  return new WalScanner(header, walStart(header)).push(wal.subarray(32), 1);
}

/** The database that comes of applying transactions to a database file. */
function applied(base: Uint8Array, wal: Uint8Array, transactions: readonly WalTransaction[]) {
  const { pageSize } = headerOf(wal);
  let result = base;
  for (const { pages, pageCount } of transactions) {
    const next = new Uint8Array(pageCount * pageSize);
    next.set(result.subarray(0, next.length));
    for (const [pgno, frame] of pages) {
      const at = 32 + (frame - 1) * (pageSize + 24) + 24;
      next.set(wal.subarray(at, at + pageSize), (pgno - 1) * pageSize);
    }
    result = next;
  }
  return result;
}

describe('WalScanner', () => {
  it.each(PAGE_SIZES)('finds each transaction of SQLite, pages of %i bytes', (pageSize) => {
    using live = new LiveDatabase(pageSize);
    const pageCounts: number[] = [];
    const commits: number[] = [];
    const run = (sql: string): void => {
      live.sql.exec(sql);
      pageCounts.push(live.integer('page_count'));
      commits.push((live.size('-wal') - 32) / (24 + pageSize));
    };
    run('CREATE TABLE a (id INTEGER PRIMARY KEY, x)');
    for (let round = 0; round < 60; round += 1) {
      run(`INSERT INTO a (x) VALUES (randomblob(${round * 40})), (randomblob(20))`);
    }
    run('DELETE FROM a WHERE id % 3 > 0');
    run('VACUUM');
    const wal = live.read('-wal');
    const { transactions, end } = scanOf(wal);
    expect(end).toBe('input');
    expect(transactions.map(({ lastFrame }) => lastFrame)).toEqual(commits);
    expect(transactions.map(({ firstFrame }) => firstFrame)).toEqual([
      1,
      ...commits.slice(0, -1).map((frame) => frame + 1),
    ]);
    expect(transactions.map(({ pageCount }) => pageCount)).toEqual(pageCounts);
    const result = applied(live.read(''), wal, transactions);
    live.checkpoint('TRUNCATE');
    expect(Buffer.compare(result, live.read(''))).toBe(0);
  });

  it('goes on from a kept position, with any cut of the frames, to the same transactions', () => {
    using live = new LiveDatabase(512);
    live.sql.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x)');
    for (let round = 0; round < 40; round += 1) {
      live.sql.exec(`INSERT INTO a (x) VALUES (randomblob(${round * 30}))`);
    }
    const wal = live.read('-wal');
    const header = headerOf(wal);
    const { transactions } = scanOf(wal);
    const frameBytes = header.pageSize + 24;
    for (const framesAtOnce of [1, 2, 3, 7, 50]) {
      const found: WalTransaction[] = [];
      let scanner = new WalScanner(header, walStart(header));
      for (let at = 32; at < wal.length; at += framesAtOnce * frameBytes) {
        const part = wal.slice(at, at + framesAtOnce * frameBytes);
        const scan = scanner.push(part, scanner.nextFrame);
        expect(scan.end).toBe('input');
        found.push(...scan.transactions);
        const { committed } = scanner;
        expect(committed).toEqual(found.at(-1)?.end ?? walStart(header));
        if (committed.frame !== scanner.nextFrame - 1) continue;
        const kept: WalPosition = JSON.parse(JSON.stringify(committed));
        scanner = new WalScanner(header, kept);
      }
      expect(found).toEqual(transactions);
    }
  });

  it('holds transactions that lie in several parts', () => {
    using live = new LiveDatabase(512);
    live.sql.exec('CREATE TABLE a (x); INSERT INTO a VALUES (randomblob(90000))');
    const wal = live.read('-wal');
    const header = headerOf(wal);
    const scanner = new WalScanner(header, walStart(header));
    const found: WalTransaction[] = [];
    for (let at = 32; at < wal.length; at += 536) {
      found.push(...scanner.push(wal.slice(at, at + 536), scanner.nextFrame).transactions);
    }
    expect(found).toEqual(scanOf(wal).transactions);
    expect(found.at(-1)?.pages.size).toBeGreaterThan(170);
  });

  it('takes a part of a frame for the end, and goes on when the rest is there', () => {
    using live = new LiveDatabase(1024);
    live.sql.exec('CREATE TABLE a (x); INSERT INTO a VALUES (1)');
    const wal = live.read('-wal');
    const header = headerOf(wal);
    const all = scanOf(wal).transactions;
    for (const missing of [1, 500, 1023, 1024, 1040, 1047]) {
      const scanner = new WalScanner(header, walStart(header));
      const first = scanner.push(wal.subarray(32, wal.length - missing), 1);
      expect(first.end).toBe('partial');
      const at = 32 + (scanner.nextFrame - 1) * 1048;
      const second = scanner.push(wal.subarray(at), scanner.nextFrame);
      expect(second.end).toBe('input');
      expect([...first.transactions, ...second.transactions]).toEqual(all);
    }
  });

  it('goes on where a frame did not verify, once it does', () => {
    using live = new LiveDatabase(512);
    live.sql.exec('CREATE TABLE a (x); INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)');
    const wal = live.read('-wal');
    const header = headerOf(wal);
    const torn = Uint8Array.from(wal).fill(7, wal.length - 100);
    const scanner = new WalScanner(header, walStart(header));
    const first = scanner.push(torn.subarray(32), 1);
    expect(first.end).toBe('checksum');
    const second = scanner.push(
      wal.subarray(32 + 536 * (scanner.nextFrame - 1)),
      scanner.nextFrame,
    );
    expect(second.end).toBe('input');
    expect(second.transactions).toHaveLength(1);
    expect([...first.transactions, ...second.transactions]).toEqual(scanOf(wal).transactions);
  });

  it('takes a restarted WAL of unchanged size to end with its own generation', () => {
    using live = new LiveDatabase();
    live.sql.exec('CREATE TABLE a (x)');
    for (let round = 0; round < 10; round += 1) live.sql.exec('INSERT INTO a VALUES (1)');
    const before = live.read('-wal');
    live.checkpoint('RESTART');
    live.sql.exec('INSERT INTO a VALUES (2)');
    const after = live.read('-wal');
    expect(after.length).toBe(before.length);
    const old = headerOf(before);
    const scan = scanOf(after);
    expect(scan.end).toBe('salt');
    expect(scan.transactions).toMatchObject([{ firstFrame: 1, lastFrame: 1 }]);
    // Whoever followed the old generation still finds its frames after the overwritten one.
    const kept = scanOf(before).transactions[2]?.end;
    if (kept === undefined) throw new Error('there are three transactions');
    const follower = new WalScanner(old, kept);
    const rest = follower.push(after.subarray(32 + kept.frame * 4120), kept.frame + 1);
    expect(rest.end).toBe('input');
    expect(rest.transactions.at(-1)).toEqual(scanOf(before).transactions.at(-1));
    // From the beginning it finds that they are gone.
    expect(new WalScanner(old, walStart(old)).push(after.subarray(32), 1)).toEqual({
      transactions: [],
      end: 'salt',
    });
  });

  it('does not see what was spilled and rolled back, once rewound', () => {
    using live = new LiveDatabase(512);
    live.sql.exec(
      'PRAGMA cache_size = 5; CREATE TABLE a (id INTEGER PRIMARY KEY, x);' +
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) ' +
        'INSERT INTO a SELECT i, randomblob(400) FROM n',
    );
    const committed = scanOf(live.read('-wal')).transactions;
    live.sql.exec('BEGIN; UPDATE a SET x = randomblob(400)');
    const wal = live.read('-wal');
    const header = headerOf(wal);
    const scanner = new WalScanner(header, walStart(header));
    expect(scanner.push(wal.subarray(32), 1).transactions).toEqual(committed);
    expect(scanner.nextFrame).toBeGreaterThan((committed.at(-1)?.lastFrame ?? 0) + 1);
    live.sql.exec('ROLLBACK; UPDATE a SET x = 1 WHERE id = 1; UPDATE a SET x = 2 WHERE id = 2');
    const overwritten = live.read('-wal');
    const later = overwritten.subarray(32 + (scanner.nextFrame - 1) * 536);
    expect(scanner.push(later, scanner.nextFrame).transactions).toEqual([]);
    scanner.rewind();
    expect(scanner.nextFrame).toBe(scanner.committed.frame + 1);
    const next = overwritten.subarray(32 + (scanner.nextFrame - 1) * 536);
    const scan = scanner.push(next, scanner.nextFrame);
    expect(scan.transactions.map(({ pages }) => pages.size)).toEqual([1, 1]);
    expect(scan.end).toBe('checksum');
  });

  it('leaves out pages that a transaction spilled before it shrank the database', () => {
    using live = new LiveDatabase(512);
    live.sql.exec(
      'PRAGMA auto_vacuum = FULL; VACUUM; PRAGMA cache_size = 5; CREATE TABLE a (x);' +
        'INSERT INTO a VALUES (1)',
    );
    live.checkpoint('TRUNCATE');
    live.sql.exec(
      'BEGIN; INSERT INTO a VALUES (randomblob(60000)); DELETE FROM a WHERE x <> 1; COMMIT',
    );
    const wal = live.read('-wal');
    const { transactions } = scanOf(wal);
    expect(transactions).toHaveLength(1);
    const [transaction] = transactions;
    expect(transaction?.pageCount).toBe(live.integer('page_count'));
    expect(transaction?.lastFrame).toBeGreaterThan(100);
    expect(Math.max(...(transaction?.pages.keys() ?? []))).toBeLessThanOrEqual(
      transaction?.pageCount ?? 0,
    );
  });

  it('finds in a damaged WAL as many transactions as SQLite recovers', () => {
    using live = new LiveDatabase(512);
    live.sql.exec('CREATE TABLE a (x)');
    live.checkpoint('TRUNCATE');
    for (let round = 0; round < 12; round += 1) live.sql.exec(`INSERT INTO a VALUES (${round})`);
    const wal = live.read('-wal');
    const copy = join(live.folder, 'copy.db');
    const frameBytes = 536;
    for (let frame = 1; frame <= 12; frame += 1) {
      for (const at of [0, 4, 9, 13, 17, 21, 24, 300, 535]) {
        const damaged = Uint8Array.from(wal);
        const offset = 32 + (frame - 1) * frameBytes + at;
        damaged[offset] = (damaged[offset] ?? 0) ^ 0x10;
        expect(scanOf(damaged).transactions).toHaveLength(frame - 1);
        if (at !== 24) continue;
        copyFileSync(live.path, copy);
        writeFileSync(`${copy}-wal`, damaged);
        using recovered = new DatabaseSync(copy);
        expect(recovered.prepare('SELECT count(*) AS n FROM a').get()?.n).toBe(frame - 1);
      }
    }
  });

  it('takes page 0 for the end, whatever its checksum', () => {
    const generation = { pageSize: 512, salt1: 1, salt2: 2, isBigEndianChecksum: false };
    const frame = new Uint8Array(536);
    const view = new DataView(frame.buffer);
    for (const [index, word] of [0, 1, 1, 2].entries()) view.setUint32(4 * index, word);
    const checksum = new WalChecksum();
    checksum.update(frame, 0, 8, false);
    checksum.update(frame, 24, 536, false);
    view.setUint32(16, checksum.s0);
    view.setUint32(20, checksum.s1);
    const scanner = new WalScanner(generation, { frame: 0, s0: 0, s1: 0 });
    expect(scanner.push(frame, 1)).toEqual({ transactions: [], end: 'pgno' });
  });

  it('asks for the next frame and no other', () => {
    const generation = { pageSize: 512, salt1: 1, salt2: 2, isBigEndianChecksum: false };
    const scanner = new WalScanner(generation, { frame: 3, s0: 1, s1: 2 });
    expect(scanner.nextFrame).toBe(4);
    expect(() => scanner.push(new Uint8Array(0), 3)).toThrow('without gap');
    expect(scanner.push(new Uint8Array(0), 4)).toEqual({ transactions: [], end: 'input' });
  });
});
