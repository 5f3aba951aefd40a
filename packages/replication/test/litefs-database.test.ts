import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { StaticLease } from '@tandem/lease';
import { afterEach, describe, expect, test } from 'vitest';
import { TestCluster, until, type MakeStore, type TestNode } from './cluster.ts';
import type { ReplicationNodeOptions } from '../src/index.ts';

/** What LiteFS tests of its store, its file system and single nodes, with titles in its words. */

let cluster = new TestCluster();
const apps: DatabaseSync[] = [];
afterEach(async () => {
  closeAll();
  await cluster.close();
  cluster = new TestCluster();
});

function closeAll(): void {
  for (const app of apps.splice(0)) if (app.isOpen) app.close();
}

let primaryUrl = '';
const store: MakeStore = (self) => {
  if (self.name === 'one') primaryUrl = self.advertiseUrl;
  return new StaticLease({ self, primary: { kind: 'name', name: 'one' }, primaryUrl });
};

async function primary(options: Partial<ReplicationNodeOptions> = {}): Promise<TestNode> {
  const one = await cluster.start('one', store, options);
  await until(() => one.node.role === 'primary', 'one is primary');
  return one;
}

/** Before a node starts, files may lie in its folder. */
function folderOf(name: string): string {
  const folder = join(cluster.folderOf(name), 'databases');
  spawnSync('mkdir', ['-p', folder]);
  return folder;
}

function open(folder: string, name = 'app.db', options = {}): DatabaseSync {
  const app = new DatabaseSync(join(folder, name), { timeout: 2000, ...options });
  apps.push(app);
  return app;
}

function create(folder: string, name = 'app.db', pragmas = ''): DatabaseSync {
  const app = open(folder, name);
  app.exec(`${pragmas}; PRAGMA journal_mode=wal; CREATE TABLE item (id INTEGER PRIMARY KEY, text)`);
  return app;
}

function texts(app: DatabaseSync): unknown[] {
  const rows = app.prepare('SELECT text FROM item ORDER BY id').all();
  return rows.map(({ text }) => text);
}

function txidOf({ node }: TestNode, name = 'app.db'): number {
  node.capture();
  return node.databases.get(name)?.position().txid ?? 0;
}

/** Resolves when the second node has what the first one has of that database. */
async function untilInStep(one: TestNode, two: TestNode, name = 'app.db'): Promise<void> {
  await until(() => {
    one.node.capture();
    const [a, b] = [one, two].map(({ node }) => node.databases.get(name));
    return a?.isPresent === true && b?.isPresent === true && a.digest() === b.digest();
  }, `${name} is in step`);
}

/** A process of its own that begins to change a database in a rollback journal, and dies. */
function dieInTransaction(path: string, rows: number): void {
  const script = `
    const { DatabaseSync } = require('node:sqlite');
    const app = new DatabaseSync(${JSON.stringify(path)});
    app.exec('PRAGMA cache_size = 2; BEGIN');
    const change = app.prepare("UPDATE item SET text = 'lost' || hex(randomblob(900)) WHERE id = ?");
    for (let id = 1; id <= ${rows}; id += 1) change.run(id);
    process.kill(process.pid, 'SIGKILL');
  `;
  expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
}

function createInJournalMode(folder: string, rows: number): void {
  const app = open(folder);
  app.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, text); BEGIN');
  for (let id = 1; id <= rows; id += 1) {
    app.prepare('INSERT INTO item (text) VALUES (?)').run(`kept ${id} ${'x'.repeat(900)}`);
  }
  app.exec('COMMIT');
  app.close();
}

describe('the store', () => {
  test('create an empty database', async () => {
    const one = await primary();
    const two = await cluster.start('two', store);
    open(one.folder).exec('PRAGMA journal_mode=wal');
    await untilInStep(one, two);
    expect(two.node.databases.get('app.db')?.pageCount()).toBe(1);
    expect(open(two.folder).prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']).toBe(
      0,
    );
  });

  test('open an existing empty database', async () => {
    const folder = folderOf('one');
    writeFileSync(join(folder, 'app.db'), '');
    const one = await primary();
    const two = await cluster.start('two', store);
    expect(one.node.databases.get('app.db')).toBeUndefined();
    create(folder).exec(`INSERT INTO item (text) VALUES ('first')`);
    await untilInStep(one, two);
    expect(texts(open(two.folder))).toEqual(['first']);
  });

  test('a file with an invalid header is left as it is, and nobody minds', async () => {
    const folder = folderOf('one');
    const text = 'not a database'.repeat(1000);
    writeFileSync(join(folder, 'other.db'), text);
    create(folder);
    const one = await primary();
    expect([...one.node.databases].map(({ name }) => name)).toEqual(['app.db']);
    expect(readFileSync(join(folder, 'other.db'), 'utf8')).toBe(text);
  });

  test('a short file, a partial database, does not prevent opening the others', async () => {
    const folder = folderOf('one');
    create(folder).close();
    const bytes = readFileSync(join(folder, 'app.db'));
    writeFileSync(join(folder, 'short.db'), bytes.subarray(0, 50));
    writeFileSync(join(folder, 'partial.db'), bytes.subarray(0, 100));
    const one = await primary();
    expect(one.node.databases.get('app.db')?.isPresent).toBe(true);
    expect(one.node.databases.get('short.db')).toBeUndefined();
    expect(one.node.databases.get('partial.db')).toBeUndefined();
  });

  test('open, then write a snapshot', async () => {
    const folder = folderOf('one');
    create(folder).exec(`INSERT INTO item (text) VALUES ('a')`);
    closeAll();
    const one = await primary();
    const view = one.node.databases.get('app.db')?.openView();
    const file = readFileSync(join(folder, 'app.db'));
    expect(view?.pageCount).toBe(file.length / 4096);
    const page = new Uint8Array(4096);
    for (let pgno = 1; pgno <= file.length / 4096; pgno += 1) {
      view?.readPage(pgno, page);
      expect(Buffer.from(page).equals(file.subarray((pgno - 1) * 4096, pgno * 4096))).toBe(true);
    }
    view?.close();
  });
});

describe('transactions', () => {
  test('create, insert, roll back: only what was committed is replicated', async () => {
    const one = await primary();
    const two = await cluster.start('two', store);
    const app = create(one.folder);
    app.exec(`INSERT INTO item (text) VALUES ('a')`);
    const before = txidOf(one);
    app.exec(`BEGIN; INSERT INTO item (text) VALUES ('undone'); ROLLBACK`);
    expect(txidOf(one)).toBe(before);
    app.exec(`INSERT INTO item (text) VALUES ('b')`);
    await untilInStep(one, two);
    expect([txidOf(one), texts(open(two.folder))]).toEqual([before + 1, ['a', 'b']]);
  });

  test('BEGIN IMMEDIATE and rollback, and a transaction without a write, leave no LTX', async () => {
    const one = await primary();
    const app = create(one.folder);
    const before = txidOf(one);
    const files = one.node.databases.get('app.db')?.log?.fileCount;
    app.exec('BEGIN IMMEDIATE; ROLLBACK');
    app.exec('BEGIN IMMEDIATE; COMMIT');
    app.exec('BEGIN; SELECT count(*) FROM item; COMMIT');
    app.exec(`UPDATE item SET text = 'none' WHERE id = -1`);
    expect(txidOf(one)).toBe(before);
    expect(one.node.databases.get('app.db')?.log?.fileCount).toBe(files);
  });

  test('a journal left from a crash is rolled back at the start', async () => {
    const folder = folderOf('one');
    createInJournalMode(folder, 40);
    const kept = texts(open(folder));
    closeAll();
    dieInTransaction(join(folder, 'app.db'), 40);
    expect(statSync(join(folder, 'app.db-journal')).size).toBeGreaterThan(512);
    const one = await primary();
    const two = await cluster.start('two', store);
    await untilInStep(one, two);
    expect(texts(open(two.folder))).toEqual(kept);
  });

  test('a journal with several segments is rolled back as well', async () => {
    const folder = folderOf('one');
    createInJournalMode(folder, 2000);
    const kept = texts(open(folder));
    closeAll();
    dieInTransaction(join(folder, 'app.db'), 2000);
    const journal = readFileSync(join(folder, 'app.db-journal'));
    const magic = Buffer.from('d9d505f920a163d7', 'hex');
    expect(journal.indexOf(magic, journal.indexOf(magic) + 1)).toBeGreaterThan(0);
    const one = await primary();
    const two = await cluster.start('two', store);
    await untilInStep(one, two);
    expect(texts(open(two.folder))).toEqual(kept);
  });

  test('the initial create may be rolled back', async () => {
    const one = await primary();
    const app = open(one.folder);
    app.exec('BEGIN; CREATE TABLE item (text); ROLLBACK');
    one.node.capture();
    expect(one.node.databases.get('app.db')).toBeUndefined();
    app.exec(`CREATE TABLE item (id INTEGER PRIMARY KEY, text); INSERT INTO item VALUES (1, 'a')`);
    app.close();
    const two = await cluster.start('two', store);
    await untilInStep(one, two);
    expect(texts(open(two.folder))).toEqual(['a']);
  });

  test('VACUUM shrinks the database on the replica too', async () => {
    const one = await primary();
    const two = await cluster.start('two', store);
    const app = create(one.folder);
    const insert = app.prepare('INSERT INTO item (text) VALUES (?)');
    for (let count = 0; count < 300; count += 1) insert.run('x'.repeat(1000));
    await untilInStep(one, two);
    const large = two.node.databases.get('app.db')?.pageCount() ?? 0;
    app.exec('DELETE FROM item WHERE id > 3; VACUUM');
    await untilInStep(one, two);
    expect(two.node.databases.get('app.db')?.pageCount()).toBeLessThan(large / 5);
    expect(texts(open(two.folder))).toHaveLength(3);
  });

  test.each(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'])(
    'a checkpoint of an application in mode %s loses nothing',
    async (mode) => {
      const one = await primary();
      const two = await cluster.start('two', store);
      const app = create(one.folder);
      // It shares the thread of the node, whose reader cannot move on while it waits.
      app.exec('PRAGMA busy_timeout = 20');
      for (let count = 0; count < 20; count += 1) {
        app.prepare('INSERT INTO item (text) VALUES (?)').run(`row ${count}`);
        one.node.capture();
        app.exec(`PRAGMA wal_checkpoint(${mode})`);
      }
      await untilInStep(one, two);
      expect(texts(open(two.folder))).toHaveLength(20);
    },
  );

  test.each([512, 1024, 65_536])('an odd page size of %i bytes is replicated', async (pageSize) => {
    const one = await primary();
    const two = await cluster.start('two', store);
    create(one.folder, 'app.db', `PRAGMA page_size=${pageSize}`).exec(
      `INSERT INTO item (text) VALUES (hex(randomblob(70000)))`,
    );
    await untilInStep(one, two);
    expect(two.node.databases.get('app.db')?.pageSize()).toBe(pageSize);
    expect(texts(open(two.folder))).toHaveLength(1);
  });
});

describe('files around a database', () => {
  test('a read-only open sees what is replicated, while it goes on', async () => {
    const one = await primary();
    const two = await cluster.start('two', store);
    const app = create(one.folder);
    app.exec(`INSERT INTO item (text) VALUES ('a')`);
    await untilInStep(one, two);
    const reader = open(two.folder, 'app.db', { readOnly: true });
    expect(texts(reader)).toEqual(['a']);
    app.exec(`INSERT INTO item (text) VALUES ('b')`);
    await untilInStep(one, two);
    expect(texts(reader)).toEqual(['a', 'b']);
  });

  test('drop a database, then restart: it stays away on all nodes', async () => {
    const one = await primary();
    const two = await cluster.start('two', store);
    create(one.folder, 'kept.db');
    create(one.folder, 'gone.db').close();
    await untilInStep(one, two, 'kept.db');
    await untilInStep(one, two, 'gone.db');
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(join(one.folder, `gone.db${suffix}`), { force: true });
    }
    const names = ({ node }: TestNode): string =>
      [...node.databases].map(({ name }) => name).join();
    await until(() => names(one) === 'kept.db' && names(two) === 'kept.db', 'dropped on both');
    closeAll();
    await one.stop();
    await two.stop();
    const again = await primary();
    const follower = await cluster.start('two', store);
    await untilInStep(again, follower, 'kept.db');
    expect([names(again), names(follower)]).toEqual(['kept.db', 'kept.db']);
  });

  test('import overwrites a database while it is open', async () => {
    const one = await primary();
    const two = await cluster.start('two', store);
    const app = create(one.folder);
    app.exec(`INSERT INTO item (text) VALUES ('old')`);
    await untilInStep(one, two);
    const reader = open(two.folder);
    expect(texts(reader)).toEqual(['old']);
    const file = join(cluster.folderOf('one'), 'import.db');
    const source = new DatabaseSync(file);
    source.exec(`CREATE TABLE item (id INTEGER PRIMARY KEY, text, more)`);
    source.exec(`INSERT INTO item (text) VALUES ('new'), ('newer')`);
    source.close();
    await one.node.importDatabase('app.db', file);
    expect(texts(app)).toEqual(['new', 'newer']);
    await untilInStep(one, two);
    expect(texts(reader)).toEqual(['new', 'newer']);
  });

  test('import waits for a transaction to end, and holds nothing else up', async () => {
    const one = await primary({ busyTimeoutMs: 20_000 });
    const app = create(one.folder);
    one.node.capture();
    const file = join(cluster.folderOf('one'), 'import.db');
    const source = new DatabaseSync(file);
    source.exec(`CREATE TABLE item (id INTEGER PRIMARY KEY, text)`);
    source.exec(`INSERT INTO item (text) VALUES ('imported')`);
    source.close();
    app.exec(`BEGIN IMMEDIATE; INSERT INTO item (text) VALUES ('long')`);
    let isOver = false;
    const importing = one.node.importDatabase('app.db', file).finally(() => {
      isOver = true;
    });
    // A program in this process gets to end its transaction only while nothing stands still.
    await setImmediate();
    expect(isOver).toBe(false);
    app.exec('COMMIT');
    expect(await importing).toEqual(one.node.databases.get('app.db')?.position());
    expect(texts(app)).toEqual(['imported']);
  });

  test('import gives up on a transaction that does not end within the time-out', async () => {
    const one = await primary({ busyTimeoutMs: 100 });
    const app = create(one.folder);
    one.node.capture();
    const file = join(cluster.folderOf('one'), 'import.db');
    const source = new DatabaseSync(file);
    source.exec('CREATE TABLE item (id)');
    source.close();
    app.exec('BEGIN IMMEDIATE');
    const importing = one.node.importDatabase('app.db', file);
    await expect(importing).rejects.toMatchObject({ code: 'database_locked' });
    app.exec('ROLLBACK');
    expect(texts(app)).toEqual([]);
  });

  test('a database filter decides what of the primary is replicated', async () => {
    const one = await primary({ isMeant: (name) => name === 'wanted.db' });
    create(one.folder, 'wanted.db');
    create(one.folder, 'other.db');
    const two = await cluster.start('two', store);
    await untilInStep(one, two, 'wanted.db');
    await until(() => two.node.isReady, 'ready');
    expect([...two.node.databases].map(({ name }) => name)).toEqual(['wanted.db']);
  });

  test('what a later primary’s filter leaves out is set aside on its replicas, and kept there', async () => {
    const one = await primary();
    for (const name of ['wanted.db', 'other.db']) create(one.folder, name);
    const two = await cluster.start('two', store, { isMeant: (name) => name === 'wanted.db' });
    // A replica's own filter does not decide.
    await untilInStep(one, two, 'other.db');
    await untilInStep(one, two, 'wanted.db');
    await two.stop();
    closeAll();
    await one.stop();
    const again = await primary({ isMeant: (name) => name === 'wanted.db' });
    const follower = await cluster.start('two', store);
    await until(() => follower.node.quarantine.counts.dropped === 1, 'it is set aside');
    await untilInStep(again, follower, 'wanted.db');
    const [aside] = follower.node.quarantine.list();
    expect(aside).toMatchObject({ kind: 'dropped', database: 'other.db' });
    expect(existsSync(join(aside?.folder ?? '', 'other.db'))).toBe(true);
    expect(existsSync(join(again.folder, 'other.db'))).toBe(true);
  });
});
