import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { decodeLtx } from '@tandem/ltx';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { follow, pathIn, quarantineIn } from './engine-nodes.ts';
import { ForeignPair } from './foreign-pair.ts';
import { needProgram, runShell } from './foreign-program.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Does something at the moment at which a replica has let its fence down to checkpoint. */
function atNextGap(action: () => void): void {
  const spy = vi.spyOn(DatabaseSync.prototype, 'prepare');
  spy.mockImplementation(function (this: DatabaseSync, sql: string) {
    spy.mockRestore();
    const isGap = sql.includes('wal_checkpoint(TRUNCATE)');
    if (isGap) action();
    const statement = this.prepare(sql);
    if (!isGap) atNextGap(action);
    return statement;
  });
}

/** Goes on until the replica's log has been emptied, or something is thrown. */
async function followThroughCheckpoint(pair: ForeignPair): Promise<void> {
  for (let round = 0; round < 60; round += 1) {
    await pair.app.fill('item', { rows: 1 });
    pair.primary.capture();
    await follow(pair.primary, pair.replica);
  }
}

describe('a replica with programs of another language around it', () => {
  test('reads of a long transaction see one state; applying and, later, the log go on', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair({ checkpointFrames: 20 });
    await pair.begin();
    const reader = pair.program();
    await reader.open(pair.replicaPath);
    await followThroughCheckpoint(pair);
    const emptied = statSync(`${pair.replicaPath}-wal`).size;
    await reader.run('BEGIN');
    const before = await reader.run('SELECT count(*), sum(length(pad)) FROM item');
    for (let round = 0; round < 3; round += 1) {
      await followThroughCheckpoint(pair);
      expect(await reader.run('SELECT count(*), sum(length(pad)) FROM item')).toEqual(before);
    }
    expect(pair.ask('SELECT count(*) AS n FROM item')).toEqual([{ n: 240 }]);
    const grown = statSync(`${pair.replicaPath}-wal`).size;
    expect(grown).toBeGreaterThan(emptied + 180 * 4096);
    await reader.run('COMMIT');
    await followThroughCheckpoint(pair);
    expect(statSync(`${pair.replicaPath}-wal`).size).toBeLessThan(grown / 2);
    expect(await reader.run('SELECT count(*) FROM item')).toEqual([[300]]);
    await reader.close();
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('R3, R4: readers that never stop see only whole transactions', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair({ checkpointFrames: 30 });
    await pair.begin();
    await pair.app.run('CREATE TABLE account (id INTEGER PRIMARY KEY, cents INTEGER)');
    await pair.app.run(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500) INSERT INTO account SELECT i, 100 FROM n',
    );
    expect(await pair.problems()).toEqual([]);
    const reader = pair.program();
    await reader.open(pair.replicaPath);
    const state = { isOver: false };
    const reading = (async (): Promise<number> => {
      let reads = 0;
      for (; !state.isOver; reads += 1) {
        expect(await reader.run('SELECT sum(cents) FROM account')).toEqual([[50_000]]);
        if (reads % 20 === 0) expect(await reader.run('PRAGMA quick_check')).toEqual([['ok']]);
      }
      return reads;
    })();
    for (let round = 0; round < 150; round += 1) {
      const move = `cents + CASE WHEN id % 2 = 0 THEN ${round} ELSE -${round} END`;
      await pair.app.run(`UPDATE account SET cents = ${move}`);
      pair.primary.capture();
      await follow(pair.primary, pair.replica);
    }
    state.isOver = true;
    expect(await reading).toBeGreaterThan(10);
    await reader.close();
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('a program that wants to write is told that the database is locked', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair({ checkpointFrames: 20 });
    await pair.begin();
    const writer = pair.program();
    await writer.open(pair.replicaPath, 'main', 0.1);
    for (const sql of [`INSERT INTO item (text) VALUES ('no')`, 'BEGIN IMMEDIATE', 'VACUUM']) {
      await expect(writer.run(sql)).rejects.toThrow(/locked/);
    }
    await expect(writer.run('PRAGMA journal_mode=delete')).rejects.toThrow(/locked/);
    expect((await writer.run('PRAGMA wal_checkpoint(TRUNCATE)'))[0]?.[0]).toBe(1);
    await followThroughCheckpoint(pair);
    await writer.close();
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('R5: what gets in while the fence is down is kept, and the pages are fetched anew', async (context) => {
    needProgram(context, 'python3');
    needProgram(context, 'sqlite3');
    await using pair = new ForeignPair({ checkpointFrames: 20 });
    await pair.begin();
    atNextGap(() => void runShell(pair.replicaPath, `INSERT INTO item (text) VALUES ('foreign');`));
    await expect(followThroughCheckpoint(pair)).rejects.toMatchObject({
      code: 'foreign_write',
      hint: expect.stringContaining('proxy'),
    });
    const [aside, ...others] = quarantineIn(pair.homes[1]).list();
    expect(others).toEqual([]);
    const names = readdirSync(aside?.folder ?? '');
    const name = names.find((each) => each.endsWith('.ltx')) ?? '';
    const { pages } = decodeLtx(readFileSync(join(aside?.folder ?? '', name)));
    expect(pages.some(({ data }) => Buffer.from(data).includes('foreign'))).toBe(true);
    expect(pair.replica.position()).toEqual({ epoch: 0, txid: 0 });
    expect(await follow(pair.primary, pair.replica)).toBe('repaired');
    expect(pair.ask(`SELECT * FROM item WHERE text = 'foreign'`)).toEqual([]);
    await followThroughCheckpoint(pair);
    expect(await pair.problemsAtEnd()).toEqual([]);
    expect(quarantineIn(pair.homes[1]).list()).toHaveLength(1);
  });

  test('R5: a checkpoint of another program in that moment is no write', async (context) => {
    needProgram(context, 'python3');
    needProgram(context, 'sqlite3');
    await using pair = new ForeignPair({ checkpointFrames: 20 });
    await pair.begin();
    atNextGap(() => void runShell(pair.replicaPath, 'PRAGMA wal_checkpoint(RESTART);'));
    await followThroughCheckpoint(pair);
    expect(await pair.problemsAtEnd()).toEqual([]);
    expect(quarantineIn(pair.homes[1]).list()).toEqual([]);
  });

  test('R5: a transaction that begins in that moment holds up the replica, then is found out', async (context) => {
    needProgram(context, 'python3');
    await using pair = new ForeignPair({ checkpointFrames: 20, busyTimeoutMs: 100 });
    await pair.begin();
    for (const end of ['rollback', 'commit'] as const) {
      const other = new DatabaseSync(pair.replicaPath);
      atNextGap(() => {
        other.exec(`BEGIN IMMEDIATE; INSERT INTO item (text) VALUES ('${end}')`);
      });
      await expect(followThroughCheckpoint(pair)).rejects.toMatchObject({
        code: 'database_locked',
      });
      await expect(follow(pair.primary, pair.replica)).rejects.toMatchObject({
        code: 'database_locked',
      });
      other.exec(end);
      other.close();
      if (end === 'rollback') expect(await follow(pair.primary, pair.replica)).toBe('followed');
    }
    await expect(follow(pair.primary, pair.replica)).rejects.toMatchObject({
      code: 'foreign_write',
    });
    expect(await follow(pair.primary, pair.replica)).toBe('repaired');
    expect(await pair.problemsAtEnd()).toEqual([]);
  });

  test('R7, R11: what it writes while the replica is not running is set aside at the next start', async (context) => {
    needProgram(context, 'python3');
    needProgram(context, 'sqlite3');
    await using pair = new ForeignPair();
    await pair.begin();
    await pair.app.fill('item', { rows: 20 });
    expect(await pair.problems()).toEqual([]);
    pair.stopReplica();
    runShell(pair.replicaPath, `INSERT INTO item (text) VALUES ('foreign');`);
    pair.startReplica();
    expect(pair.replica.settlement?.foreignPages.length).toBeGreaterThan(0);
    expect(pair.replica.position()).toEqual({ epoch: 0, txid: 0 });
    expect(quarantineIn(pair.homes[1]).list()).toHaveLength(1);
    expect(await follow(pair.primary, pair.replica)).toBe('repaired');
    expect(await pair.problemsAtEnd()).toEqual([]);
    expect(pair.ask('SELECT count(*) AS n FROM item', pathIn(pair.homes[1]))).toEqual([{ n: 20 }]);
  });
});
