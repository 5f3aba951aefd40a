import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WalScanner, frameOffset, parseWalHeader, walStart } from '../src/index.ts';
import { handAppend, type PageChange } from './hand-append.ts';
import { LiveDatabase } from './live-database.ts';

const READ_DATABASE = fileURLToPath(new URL('read-database.ts', import.meta.url));
const COUNT = 'SELECT count(*) AS n, total(length(x)) AS bytes FROM a';

/** What a process of its own reads from the database. */
function readElsewhere(live: LiveDatabase): unknown {
  const text = execFileSync(process.execPath, [READ_DATABASE, live.path], { encoding: 'utf8' });
  return JSON.parse(text);
}

/** The transactions in the WAL of a database. */
function changesOf(live: LiveDatabase): PageChange[] {
  const wal = live.read('-wal');
  const header = parseWalHeader(wal);
  if (header === undefined) return [];
  const { transactions, end } = new WalScanner(header, walStart(header)).push(wal.subarray(32), 1);
  expect(end).toBe('input');
  return transactions.map(({ pages, pageCount }) => ({
    pageCount,
    pages: new Map(
      [...pages].map(([pgno, frame]) => {
        const at = frameOffset(frame, header.pageSize) + 24;
        return [pgno, wal.subarray(at, at + header.pageSize)];
      }),
    ),
  }));
}

describe('a transaction that is appended by hand', () => {
  it.each([512, 4096, 65_536])('is read by every other, pages of %i bytes', (pageSize) => {
    using source = new LiveDatabase(pageSize);
    using target = new LiveDatabase(pageSize);
    source.sql.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x)');
    for (let round = 0; round < 12; round += 1) {
      source.sql.exec(`INSERT INTO a (x) VALUES (randomblob(${round * 300})), (randomblob(9))`);
    }
    source.sql.exec('DELETE FROM a WHERE id % 4 = 1');
    const reader = target.connect();
    reader.exec('SELECT count(*) FROM sqlite_schema');
    for (const [index, change] of changesOf(source).entries()) {
      handAppend(target, change);
      const { n } = reader.prepare('SELECT count(*) AS n FROM a').get() ?? {};
      if (index < 13) expect(n).toBe(index * 2);
    }
    const expected = {
      ...source.sql.prepare(COUNT).get(),
      integrity_check: 'ok',
      page_count: source.integer('page_count'),
    };
    expect(readElsewhere(target)).toEqual(expected);
    expect(reader.prepare(COUNT).get()).toEqual(source.sql.prepare(COUNT).get());

    // The next SQLite that writes goes on behind it, and what it wrote is followed by more of ours.
    reader.exec("INSERT INTO a (x) VALUES ('another')");
    source.sql.exec("INSERT INTO a (x) VALUES ('another'); INSERT INTO a (x) VALUES ('last')");
    handAppend(target, changesOf(source).at(-1) ?? { pages: new Map(), pageCount: 0 });
    expect(readElsewhere(target)).toMatchObject({ n: 20 });
  });

  it('goes on over blocks and truncations, to the same bytes in the database', () => {
    using source = new LiveDatabase(512);
    using target = new LiveDatabase(512);
    const reader = target.connect();
    source.sql.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x)');
    for (let round = 0; round < 3; round += 1) {
      source.sql.exec(
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) ' +
          'INSERT INTO a (x) SELECT randomblob(400) FROM n',
      );
      const update = source.sql.prepare('UPDATE a SET x = randomblob(400) WHERE id % ? = 0');
      for (let step = 2; step < 40; step += 1) update.run(step + 1);
      for (const change of changesOf(source)) handAppend(target, change);
      expect(reader.prepare(COUNT).get()).toEqual(source.sql.prepare(COUNT).get());
      expect(target.size('-wal')).toBeGreaterThan(8158 * 536);
      expect(readElsewhere(target)).toMatchObject({ n: 3000 * (round + 1), integrity_check: 'ok' });
      source.checkpoint('TRUNCATE');
      expect(target.checkpoint('TRUNCATE')).toEqual({ busy: 0, log: 0, checkpointed: 0 });
      expect(Buffer.compare(target.read(''), source.read(''))).toBe(0);
    }
  });

  it('takes the place of what a rolled back transaction had spilled', () => {
    using source = new LiveDatabase(512);
    using target = new LiveDatabase(512);
    source.sql.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x); INSERT INTO a VALUES (1, 2)');
    const [create, insert] = changesOf(source);
    if (create === undefined || insert === undefined) throw new Error('there are two changes');
    handAppend(target, create);
    const writer = target.connect();
    writer.exec('PRAGMA cache_size = 5; BEGIN; INSERT INTO a VALUES (1, randomblob(60000))');
    expect(target.size('-wal')).toBeGreaterThan(50 * 536);
    expect(() => handAppend(target, insert)).toThrow('locked');
    writer.exec('ROLLBACK');
    handAppend(target, insert);
    expect(readElsewhere(target)).toEqual({
      n: 1,
      bytes: 1,
      integrity_check: 'ok',
      page_count: 2,
    });
  });
});
