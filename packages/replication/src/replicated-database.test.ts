import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '@tandem/base';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { joinLtx } from './joined-ltx.ts';
import { Quarantine } from './quarantine.ts';
import { ReplicatedDatabase } from './replicated-database.ts';
import type { ArrivedFile } from './stream-source.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

interface Node {
  readonly database: ReplicatedDatabase;
  readonly path: string;
  readonly reopen: () => Node;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'replicated-'));
  cleanups.push(() => rmSync(path, { recursive: true }));
  return path;
}

function node(home: string): Node {
  const path = join(home, 'app.db');
  const database = new ReplicatedDatabase({
    name: 'app.db',
    path,
    stateFolder: join(home, 'state'),
    quarantine: new Quarantine(join(home, 'quarantine')),
    clock: systemClock,
    busyTimeoutMs: 1000,
    sync: 'none',
    checkpointFrames: 50,
    framesMax: 200,
  });
  cleanups.push(() => database.close());
  return { database, path, reopen: () => node(home) };
}

function create(path: string, pageSize = 4096): DatabaseSync {
  const app = new DatabaseSync(path);
  cleanups.push(() => app.isOpen && app.close());
  app.exec(`PRAGMA page_size=${pageSize}; PRAGMA journal_mode=wal; PRAGMA synchronous=NORMAL`);
  app.exec('CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, text TEXT)');
  return app;
}

/** Brings the replica to the primary's state as a stream would. */
async function follow(primary: ReplicatedDatabase, replica: ReplicatedDatabase): Promise<string> {
  const own = replica.position().txid;
  const shared = primary.history().lastShared(replica.history(), own, primary.position().txid);
  if (own > shared) replica.quarantineAfter(shared);
  else if (shared > 0) {
    for (let txid = shared + 1; txid <= primary.position().txid;) {
      const file = primary.readFrom(txid);
      if (file === undefined) return repair(primary, replica);
      const epoch = primary.history().epochOf(file.maxTxid);
      replica.apply([{ ...file, epoch, history: primary.history() }]);
      txid = file.maxTxid + 1;
    }
    replica.adoptHistory(primary.history());
    return 'followed';
  }
  return repair(primary, replica);
}

async function repair(primary: ReplicatedDatabase, replica: ReplicatedDatabase): Promise<string> {
  const view = primary.openView();
  const writer = replica.beginRepair(view);
  const page = new Uint8Array(view.pageSize);
  let pages = 0;
  for (let group = 0; group * 1024 < view.pageCount; group += 1) {
    const [wanted, held] = [view.pageDigests(group), replica.pageDigests(group)];
    for (let at = 0; at < wanted.length; at += 16) {
      if (Buffer.compare(wanted.subarray(at, at + 16), held.subarray(at, at + 16)) === 0) continue;
      const pgno = group * 1024 + at / 16 + 1;
      view.readPage(pgno, page);
      await writer.writePages(pgno, page);
      pages += 1;
    }
  }
  await writer.commit(view.digest);
  view.close();
  return `repaired ${pages}`;
}

function rows(path: string): unknown {
  const reader = new DatabaseSync(path, { readOnly: true });
  try {
    expect(reader.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    return reader.prepare('SELECT * FROM item ORDER BY id').all();
  } finally {
    reader.close();
  }
}

describe('a primary and its replica', () => {
  test('a new replica gets all pages, then transactions', async () => {
    const [home, other] = [folder(), folder()];
    const app = create(join(home, 'app.db'));
    app.exec(`INSERT INTO item (text) VALUES ('one')`);
    const primary = node(home);
    const replica = node(other);
    primary.database.becomePrimary(1);
    expect(primary.database.position()).toEqual({ epoch: 1, txid: 1 });
    expect(await follow(primary.database, replica.database)).toMatch(/^repaired/);
    for (let count = 0; count < 500; count += 1) {
      app.prepare('INSERT INTO item (text) VALUES (?)').run('x'.repeat(count * 7));
      primary.database.capture();
      primary.database.checkpointIfDue();
    }
    expect(await follow(primary.database, replica.database)).toBe('followed');
    expect(replica.database.position()).toEqual(primary.database.position());
    expect(replica.database.digest()).toBe(primary.database.digest());
    expect(rows(replica.path)).toEqual(app.prepare('SELECT * FROM item ORDER BY id').all());
    expect(replica.database.verify()).toBe(0);
    expect(primary.database.verify()).toBe(0);
  });

  test('what is captured for a checkpoint or a view is told of by the next capture', async () => {
    const home = folder();
    const app = create(join(home, 'app.db'));
    const { database } = node(home);
    database.becomePrimary(1);
    app.exec(`INSERT INTO item (text) VALUES ('one'); INSERT INTO item (text) VALUES ('two')`);
    database.checkpointIfDue();
    expect(database.position().txid).toBe(3);
    app.exec(`INSERT INTO item (text) VALUES ('three')`);
    database.openView().close();
    expect(database.position().txid).toBe(4);
    expect(database.capture()).toBe(3);
    expect(database.capture()).toBe(0);
    app.close();
  });

  test('roles change places and each goes on from the other', async () => {
    const [home, other] = [folder(), folder()];
    create(join(home, 'app.db')).close();
    const a = node(home);
    const b = node(other);
    let [primary, replica] = [a, b];
    primary.database.becomePrimary(1);
    await follow(primary.database, replica.database);
    for (let epoch = 2; epoch < 8; epoch += 1) {
      const app = create(primary.path);
      app.prepare('INSERT INTO item (text) VALUES (?)').run(`epoch ${epoch}`);
      primary.database.becomeReplica();
      expect(() => app.exec(`INSERT INTO item (text) VALUES ('late')`)).toThrow(/locked/);
      app.close();
      expect(await follow(primary.database, replica.database)).toBe('followed');
      replica.database.becomePrimary(epoch);
      [primary, replica] = [replica, primary];
    }
    expect(await follow(primary.database, replica.database)).toBe('followed');
    expect(rows(a.path)).toEqual(rows(b.path));
    expect(rows(a.path)).toHaveLength(6);
  });

  test('files that arrived together become one, which another replica can begin in the middle of', async () => {
    const app = create(join(folder(), 'app.db'));
    const first = node(dirname(app.location() ?? ''));
    const [heir, late] = [node(folder()), node(folder())];
    first.database.becomePrimary(1);
    for (const { database } of [heir, late]) await follow(first.database, database);
    const files: ArrivedFile[] = [];
    for (let count = 0; count < 40; count += 1) {
      app.prepare('INSERT INTO item (text) VALUES (?)').run('x'.repeat(count * 7));
      first.database.capture();
      const file = first.database.readFrom(first.database.position().txid);
      if (file !== undefined) files.push({ ...file, epoch: 1, history: first.database.history() });
    }
    heir.database.apply(files);
    expect(heir.database.log?.entries()).toMatchObject([{ minTxid: 2, maxTxid: 41 }]);
    expect(heir.database.digest()).toBe(first.database.digest());
    expect(rows(heir.path)).toEqual(app.prepare('SELECT * FROM item ORDER BY id').all());
    late.database.apply(files.slice(0, 5));
    expect(late.database.log?.fileCount).toBe(5);
    first.database.close();
    heir.database.becomePrimary(2);
    const held = heir.database.readHolding(7);
    expect(held).toMatchObject({ minTxid: 2, maxTxid: 41 });
    expect(heir.database.readFrom(7)).toBeUndefined();
    late.database.apply(
      held === undefined ? [] : [{ ...held, epoch: 1, history: heir.database.history() }],
    );
    expect(late.database.log?.entries().at(-1)).toMatchObject({ minTxid: 7, maxTxid: 41 });
    expect(late.database.position()).toEqual(heir.database.position());
    expect(late.database.digest()).toBe(heir.database.digest());
    expect(rows(late.path)).toEqual(rows(heir.path));
  });

  test('a file that begins before this state and led to another one is refused', async () => {
    const [app, strange] = [create(join(folder(), 'app.db')), create(join(folder(), 'app.db'))];
    const first = node(dirname(app.location() ?? ''));
    const other = node(dirname(strange.location() ?? ''));
    for (const [at, { database }] of [first, other].entries()) {
      database.becomePrimary(1);
      // A table, and so a page, that nothing writes any more.
      [app, strange][at]?.exec(`CREATE TABLE kept AS SELECT ${at} AS value`);
      database.capture();
    }
    for (let count = 0; count < 10; count += 1) {
      app.prepare('INSERT INTO item (text) VALUES (?)').run('x'.repeat(3000));
      first.database.capture();
    }
    strange.prepare('INSERT INTO item (text) VALUES (?)').run('x'.repeat(900));
    other.database.becomeReplica();
    expect(other.database.position().txid).toBe(3);
    const files = Array.from({ length: 10 }, (_, index) => first.database.readFrom(index + 3));
    const [joined = new Uint8Array()] = joinLtx(files.flatMap((file) => file?.bytes ?? []));
    const history = first.database.history();
    const file = { minTxid: 3, maxTxid: 12, bytes: joined, epoch: 1, timestampMs: 0, history };
    expect(() => other.database.apply([file])).toThrow(/differs from the primary/);
    expect(other.database.position().txid).toBe(0);
    expect(await repair(first.database, other.database)).toMatch(/^repaired/);
    expect(rows(other.path)).toEqual(rows(first.path));
  });

  test('what an old primary wrote alone is set aside and its pages are fetched', async () => {
    const [home, other] = [folder(), folder()];
    const app = create(join(home, 'app.db'));
    const old = node(home);
    const next = node(other);
    old.database.becomePrimary(1);
    await follow(old.database, next.database);
    app.exec(`INSERT INTO item (text) VALUES ('never replicated')`);
    old.database.becomeReplica();
    next.database.becomePrimary(2);
    const nextApp = create(next.path);
    nextApp.exec(`INSERT INTO item (text) VALUES ('the new truth')`);
    next.database.capture();
    expect(await follow(next.database, old.database)).toBe('repaired 1');
    expect(rows(old.path)).toEqual([{ id: 1, text: 'the new truth' }]);
    expect(old.database.position()).toEqual({ epoch: 2, txid: 2 });
    expect(new Quarantine(join(home, 'quarantine')).list()).toMatchObject([
      { database: 'app.db', epoch: 1, minTxid: 2, maxTxid: 2 },
    ]);
  });
});

describe('what was there at the last stop', () => {
  test('a database that was closed is opened as it was', async () => {
    const home = folder();
    const app = create(join(home, 'app.db'));
    const first = node(home);
    first.database.becomePrimary(1);
    app.exec(`INSERT INTO item (text) VALUES ('one')`);
    app.close();
    first.database.close();
    expect(existsSync(`${first.path}-wal`)).toBe(false);
    const second = first.reopen();
    expect(second.database.position()).toEqual({ epoch: 1, txid: 2 });
    expect(second.database.settlement).toMatchObject({ gapPages: 0, appliedAgain: 0 });
  });

  test('what was written without us is found and becomes a transaction', () => {
    const home = folder();
    create(join(home, 'app.db')).close();
    const first = node(home);
    first.database.becomePrimary(1);
    first.database.close();
    const app = create(join(home, 'app.db'));
    app.exec(`INSERT INTO item (text) VALUES ('unseen')`);
    app.close();
    const second = first.reopen();
    expect(second.database.settlement?.gapPages).toBeGreaterThan(0);
    expect(second.database.position().txid).toBe(2);
    expect(second.database.verify()).toBe(0);
  });

  test('a backup put in its place is found as well', () => {
    const home = folder();
    const path = join(home, 'app.db');
    const app = create(path);
    app.exec(`INSERT INTO item (text) VALUES ('old')`);
    app.close();
    copyFileSync(path, `${path}.backup`);
    const first = node(home);
    first.database.becomePrimary(1);
    const again = create(path);
    again.exec(`INSERT INTO item (text) VALUES ('new')`);
    again.close();
    first.database.close();
    copyFileSync(`${path}.backup`, path);
    const second = first.reopen();
    expect(second.database.verify()).toBe(0);
    expect(second.database.position().txid).toBe(3);
    expect(rows(path)).toHaveLength(1);
    expect(readFileSync(path).equals(readFileSync(`${path}.backup`))).toBe(true);
  });
});

test('any order of writes, checkpoints, VACUUM and changes of role leaves both equal', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('write' as const), size: fc.nat(20_000) }),
    },
    fc.record({ kind: fc.constantFrom('delete', 'vacuum', 'checkpoint', 'swap', 'follow') }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(512, 4096, 16_384),
      fc.array(step, { minLength: 5, maxLength: 40 }),
      async (pageSize, steps) => {
        const [home, other] = [folder(), folder()];
        let app = create(join(home, 'app.db'), pageSize);
        let [primary, replica] = [node(home).database, node(other).database];
        let epoch = 1;
        primary.becomePrimary(epoch);
        await follow(primary, replica);
        for (const { kind, ...rest } of steps) {
          if (kind === 'write') {
            const text = 'x'.repeat('size' in rest ? rest.size : 0);
            app.prepare('INSERT INTO item (text) VALUES (?)').run(text);
          }
          if (kind === 'delete') app.exec('DELETE FROM item WHERE id % 3 = 0');
          if (kind === 'vacuum') app.exec('VACUUM');
          if (kind === 'checkpoint') app.exec('PRAGMA wal_checkpoint(TRUNCATE)');
          primary.capture();
          primary.checkpointIfDue();
          if (kind === 'follow') expect(await follow(primary, replica)).toBe('followed');
          if (kind !== 'swap') continue;
          primary.becomeReplica();
          app.close();
          expect(await follow(primary, replica)).toBe('followed');
          epoch += 1;
          replica.becomePrimary(epoch);
          [primary, replica] = [replica, primary];
          app = create(primary.path, pageSize);
        }
        primary.capture();
        expect(await follow(primary, replica)).toBe('followed');
        expect(replica.digest()).toBe(primary.digest());
        expect([primary.verify(), replica.verify()]).toEqual([0, 0]);
        expect(rows(replica.path)).toEqual(app.prepare('SELECT * FROM item ORDER BY id').all());
        for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

test('the version of SQLite that wrote the first page is known, from the file and from each capture', () => {
  const home = folder();
  const path = join(home, 'app.db');
  create(path).close();
  const bytes = readFileSync(path);
  bytes.writeUInt32BE(3_045_001, 96);
  writeFileSync(path, bytes);
  const { database } = node(home);
  expect(database.libraryVersion).toBe(3_045_001);
  database.becomePrimary(1);
  const app = create(path);
  app.exec('CREATE TABLE more (a)');
  expect(database.capture()).toBe(1);
  const [major = 0, minor = 0, patch = 0] =
    process.versions['sqlite']?.split('.').map(Number) ?? [];
  expect(database.libraryVersion).toBe(major * 1_000_000 + minor * 1000 + patch);
  expect(database.capturedCount).toBe(1);
});
