import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { OpenDatabase } from './open-database.ts';
import { StandingReader } from './standing-reader.ts';
import { WalAppender } from './wal-appender.ts';
import { WalCapture } from './wal-capture.ts';
import { cursorOf } from './wal-cursor.ts';
import { WriteLock } from './write-lock.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

function pair(pageSize: number) {
  const folder = mkdtempSync(join(tmpdir(), 'appender-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const primaryPath = join(folder, 'primary.db');
  const replicaPath = join(folder, 'replica.db');
  const app = new DatabaseSync(primaryPath);
  cleanups.push(() => app.close());
  app.exec(`PRAGMA page_size=${pageSize}; PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0`);
  app.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT)');
  app.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  cpSync(primaryPath, replicaPath);
  const primary = OpenDatabase.open(primaryPath, { busyTimeoutMs: 1000 });
  const replica = OpenDatabase.open(replicaPath, { busyTimeoutMs: 1000 });
  cleanups.push(
    () => primary.close(),
    () => replica.close(),
  );
  const reader = new StandingReader(primary);
  const capture = new WalCapture(primary, cursorOf(primary.readWalIndexHeader()));
  const appender = new WalAppender(replica, pageSize, WriteLock.take(replica));
  const ship = () => {
    const change = capture.read();
    if (change === undefined) return 0;
    expect(appender.refence()).toBe(true);
    for (const [pgno, frame] of change.frames) appender.write(pgno, capture.page(frame));
    appender.commit(change.pageCount, false);
    capture.accept(change);
    return change.transactions;
  };
  return { app, primary, replica, primaryPath, replicaPath, reader, capture, appender, ship };
}

describe.each([512, 4096, 65_536])('with pages of %i bytes', (pageSize) => {
  test('what is committed on one side is read by others on the other', () => {
    const { app, replicaPath, ship } = pair(pageSize);
    const other = new DatabaseSync(replicaPath);
    cleanups.push(() => other.close());
    const insert = app.prepare('INSERT INTO item (text) VALUES (?)');
    for (let round = 1; round <= 300; round += 1) {
      insert.run('x'.repeat((round * 37) % 3000));
      if (round % 7 === 0) app.exec('DELETE FROM item WHERE id % 5 = 0');
      expect(ship()).toBeGreaterThan(0);
      expect(other.prepare('SELECT count(*) AS n, sum(length(text)) AS s FROM item').get()).toEqual(
        app.prepare('SELECT count(*) AS n, sum(length(text)) AS s FROM item').get(),
      );
    }
    expect(other.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    app.exec('VACUUM');
    ship();
    expect(other.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });
});

test('a program of another SQLite cannot write while the fence is up, and reads', () => {
  const { app, replicaPath, ship } = pair(4096);
  app.exec(`INSERT INTO item (text) VALUES ('one')`);
  ship();
  const read = execFileSync('python3', [
    '-c',
    `import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute('select text from item').fetchall())`,
    replicaPath,
  ]);
  expect(read.toString().trim()).toBe(`[('one',)]`);
  const write = spawnSync('python3', [
    '-c',
    `import sqlite3,sys; sqlite3.connect(sys.argv[1], timeout=0.2).execute("insert into item(text) values('x')")`,
    replicaPath,
  ]);
  expect(write.stderr.toString()).toContain('database is locked');
});

test('after a checkpoint of both sides the files are equal byte by byte', () => {
  const { app, primaryPath, replicaPath, reader, ship, appender } = pair(4096);
  const insert = app.prepare('INSERT INTO item (text) VALUES (?)');
  for (let round = 0; round < 600; round += 1) insert.run(`row ${round}`);
  ship();
  expect(appender.frames).toBeGreaterThan(4);
  expect(appender.checkpoint()).toBe('emptied');
  for (let round = 0; round < 100; round += 1) {
    insert.run(`row ${round}`);
    ship();
  }
  expect(appender.checkpoint()).toBe('emptied');
  reader.advance();
  app.exec('PRAGMA wal_checkpoint(PASSIVE)');
  expect(readFileSync(replicaPath).equals(readFileSync(primaryPath))).toBe(true);
});
