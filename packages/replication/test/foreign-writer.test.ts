import { existsSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lockPage } from '@tandem/sqlite-format';
import { follow, pathIn, problemOf, repair } from './engine-nodes.ts';
import { LARGE_PAGE_SIZE, makeLargeDatabase } from './foreign-large.ts';
import { ForeignPair } from './foreign-pair.ts';
import { needProgram, runShell } from './foreign-program.ts';

const OTHER_MODES = ['delete', 'persist', 'truncate', 'memory', 'off'];

describe('R2, R9: a primary whose application is a Python program', () => {
  test('a storm of small transactions of two programs arrives whole', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair();
    await pair.begin();
    const other = pair.program();
    await other.open(pair.path);
    await other.run('CREATE TABLE other (id INTEGER PRIMARY KEY, text TEXT, pad BLOB)');
    pair.watch();
    const storms = Promise.all([
      pair.app.fill('item', { rows: 1500 }),
      other.fill('other', { rows: 1500 }),
    ]);
    const state = { isOver: false };
    void storms.then(() => (state.isOver = true));
    while (!state.isOver) {
      expect(await follow(pair.primary, pair.replica)).toBe('followed');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await storms;
    expect(await pair.problems()).toEqual([]);
    for (const table of ['item', 'other']) {
      expect(pair.ask(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: 1500 }]);
    }
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test.each([512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536])(
    'with pages of %i bytes every kind of change arrives',
    async (pageSize) => {
      await using pair = new ForeignPair();
      const { app } = pair;
      await pair.begin(`PRAGMA page_size=${pageSize};PRAGMA auto_vacuum=incremental`);
      for (const sql of [
        'CREATE TABLE more (id INTEGER PRIMARY KEY, text TEXT, pad BLOB)',
        'CREATE INDEX item_by_text ON item (text)',
        'PRAGMA cache_size=10',
        'BEGIN',
      ]) {
        await app.run(sql);
      }
      await app.fill('more', { rows: 800, bytesMax: 3000 });
      await app.run('COMMIT');
      expect(await pair.problems()).toEqual([]);
      await app.run('BEGIN');
      await app.fill('item', { rows: 800, bytesMax: 3000 });
      await app.run('ROLLBACK');
      await app.fill('item', { rows: 20 });
      expect(await pair.problems()).toEqual([]);
      expect(pair.ask('SELECT count(*) AS n FROM item')).toEqual([{ n: 20 }]);
      await app.run('DELETE FROM more WHERE id % 3 > 0');
      await app.run('PRAGMA incremental_vacuum(40)');
      expect(await pair.problems()).toEqual([]);
      await app.run('DROP INDEX item_by_text');
      await app.run('DROP TABLE more');
      await app.run('VACUUM');
      expect(await pair.problems()).toEqual([]);
      await app.run('PRAGMA user_version=7');
      await app.run('ALTER TABLE item ADD COLUMN extra TEXT DEFAULT x');
      expect(await pair.problemsAtEnd()).toEqual([]);
      expect(pair.ask('PRAGMA user_version', pathIn(pair.homes[1]))).toEqual([{ user_version: 7 }]);
    },
  );

  test('a database that shrinks by itself and grows again arrives', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair();
    const { app } = pair;
    await pair.begin('PRAGMA auto_vacuum=full');
    for (let round = 0; round < 6; round += 1) {
      await app.run('BEGIN');
      await app.fill('item', { rows: 300, bytesMax: 2000 });
      await app.run('COMMIT');
      if (round % 2 === 0) expect(await pair.problems()).toEqual([]);
      await app.run('DELETE FROM item');
      if (round % 3 === 0) await app.run('PRAGMA wal_checkpoint(PASSIVE)');
      pair.primary.capture();
      pair.primary.checkpointIfDue();
    }
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('checkpoints of its own do it no harm, and are not held up', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair({ checkpointFrames: 10_000, framesMax: 100_000 });
    const { app } = pair;
    await pair.begin();
    pair.watch();
    for (const mode of ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE', 'TRUNCATE', 'PASSIVE']) {
      await app.fill('item', { rows: 30 });
      const [result] = await app.run(`PRAGMA wal_checkpoint(${mode})`);
      // Passive ones may find frames that are still to be captured.
      if (mode !== 'PASSIVE') expect([mode, result?.[0]]).toEqual([mode, 0]);
    }
    await app.run('PRAGMA wal_autocheckpoint=5');
    await app.fill('item', { rows: 300 });
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('the log does not grow for ever while it writes without a pause', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair({ checkpointFrames: 50, framesMax: 200 });
    await pair.begin();
    await pair.app.run('PRAGMA wal_autocheckpoint=0');
    pair.watch();
    // What is done for the first time in a process takes many times as long.
    await pair.app.fill('item', { rows: 500, bytesMax: 100 });
    expect(await pair.problems()).toEqual([]);
    await pair.app.fill('item', { rows: 10_000, bytesMax: 100 });
    expect(await pair.problems()).toEqual([]);
    // 10,000 transactions of at least one frame each are 40 MB.
    expect(statSync(`${pair.path}-wal`).size).toBeLessThan(20 << 20);
  });

  test('its last connection may close and come back', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair();
    await pair.begin();
    for (let round = 0; round < 5; round += 1) {
      await pair.app.fill('item', { rows: 10 });
      await pair.app.close();
      expect(existsSync(`${pair.path}-wal`)).toBe(true);
      await pair.app.open(pair.path);
    }
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('it cannot leave WAL mode or take the database for itself', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair();
    await pair.begin();
    const other = pair.program();
    await other.open(pair.path, 'main', 0.1);
    for (const mode of OTHER_MODES) {
      await expect(other.run(`PRAGMA journal_mode=${mode}`)).rejects.toThrow(/locked/);
      expect(await other.run('PRAGMA journal_mode')).toEqual([['wal']]);
    }
    await other.close();
    await other.open(pair.path, 'exclusive', 0.1);
    await other.run('PRAGMA locking_mode=exclusive', 'exclusive');
    await expect(other.run('SELECT * FROM item', 'exclusive')).rejects.toThrow(/locked/);
    await other.close('exclusive');
    await pair.app.fill('item', { rows: 3 });
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('killed in the middle of writing, again and again, it leaves nothing half', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair();
    await pair.begin();
    pair.watch();
    // SQLite's lock has no queue: beside a program that never pauses, its turn may be long in coming.
    await pair.app.open(pair.path, 'patient', 90);
    for (let round = 0; round < 6; round += 1) {
      const program = pair.program();
      await program.open(pair.path);
      await program.run('PRAGMA cache_size=5');
      await program.run('BEGIN');
      await program.fill('item', { rows: 200, bytesMax: 4000 });
      if (round % 2 === 0) {
        await program.run('COMMIT');
        void program.fill('item', { rows: 100_000 });
        await pair.app.fill('item', { rows: 5, name: 'patient' });
      }
      await program.kill();
      expect(await pair.problems()).toEqual([]);
    }
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('a long reader holds up the checkpoint, and nothing else', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair({ checkpointFrames: 20, framesMax: 60 });
    await pair.begin();
    const reader = pair.program();
    await reader.open(pair.path);
    await reader.run('BEGIN');
    await reader.run('SELECT count(*) FROM item');
    pair.watch();
    await pair.app.fill('item', { rows: 300 });
    expect(await pair.problems()).toEqual([]);
    expect(await reader.run('SELECT count(*) FROM item')).toEqual([[0]]);
    const before = pair.primary.syncedTxid;
    await reader.run('COMMIT');
    await pair.app.fill('item', { rows: 30 });
    pair.primary.capture();
    pair.primary.checkpointIfDue();
    expect(pair.primary.syncedTxid).toBeGreaterThan(before);
    expect(await pair.problemsAtEnd()).toEqual([]);
  });
});

describe('R8: a primary that is to stop its applications', () => {
  test('gets between two transactions of programs that write without a pause', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair();
    await pair.begin();
    const storms = [pair.program(), pair.program()].map(async (program) => {
      await program.open(pair.path, 'main', 1);
      await program.run('PRAGMA synchronous=FULL');
      await expect(program.fill('item', { rows: 1_000_000 })).rejects.toThrow(/locked/);
    });
    for (let term = 0; term < 5; term += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      pair.primary.becomeReplica();
      pair.primary.becomePrimary(2 + term);
    }
    pair.primary.becomeReplica();
    await Promise.all(storms);
    expect(await pair.problemsAtEnd()).toEqual([]);
  });
});

// Moves some gigabytes: for the soak.
if (process.env['TANDEM_LARGE'] === '1') {
  test('a database that grows past 1 GiB leaves out the lock page', async () => {
    await using pair = new ForeignPair();
    makeLargeDatabase(pair.path);
    await pair.begin();
    expect(pair.primary.pageCount()).toBeLessThan(lockPage(LARGE_PAGE_SIZE));
    await pair.app.run('BEGIN');
    await pair.app.fill('item', { rows: 400, bytesMax: 200_000 });
    await pair.app.run('COMMIT');
    pair.primary.capture();
    expect(pair.primary.pageCount()).toBeGreaterThan(lockPage(LARGE_PAGE_SIZE));
    expect(await follow(pair.primary, pair.replica)).toBe('followed');
    expect(pair.replica.digest()).toBe(pair.primary.digest());
    expect([pair.primary.verify(), pair.replica.verify()]).toEqual([0, 0]);
    expect(await repair(pair.primary, pair.replica)).toBe('repaired');
    await pair.app.run('DELETE FROM item WHERE id > 200');
    await pair.app.run('VACUUM');
    pair.primary.capture();
    expect(await follow(pair.primary, pair.replica)).toBe('followed');
    expect(await pair.problemsAtEnd()).toEqual([]);
  }, 600_000);
}

describe('a primary whose application is the sqlite3 shell', () => {
  test('each of its runs is captured, and imports and dumps work', async (context) => {
    needProgram(context, 'python3');
    needProgram(context, 'sqlite3');
    await using pair = new ForeignPair();
    await pair.begin();
    await pair.app.close();
    for (let run = 0; run < 5; run += 1) {
      runShell(
        pair.path,
        `INSERT INTO item (text) VALUES ('run ${run}'); DELETE FROM item WHERE id < ${run};`,
      );
      expect(await pair.problems()).toEqual([]);
    }
    runShell(pair.path, 'CREATE TABLE copy AS SELECT * FROM item; VACUUM; REINDEX; ANALYZE;');
    expect(runShell(pair.path, 'PRAGMA wal_checkpoint(TRUNCATE);')).toMatch(/^[01]\|/);
    expect(await pair.problems()).toEqual([]);
    expect(runShell(pair.replicaPath, '.dump')).toBe(runShell(pair.path, '.dump'));
    expect(await pair.problemsAtEnd()).toEqual([]);
  });
});

describe('a wal-index whose writer died between the two copies of its header', () => {
  test('is recovered by the capture that finds it', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair();
    await pair.begin();
    await pair.app.fill('item', { rows: 20 });
    // The first copy is still that of before: byte 8 begins the counter of changes.
    writeFileSync(`${pair.path}-shm`, Buffer.from([1, 2, 3, 4]), { flag: 'r+' });
    expect(await pair.problems()).toEqual([]);
    await pair.app.fill('item', { rows: 20 });
    expect(await pair.problemsAtEnd()).toEqual([]);
    expect(problemOf(pair.replica)).toBe('');
  });
});
