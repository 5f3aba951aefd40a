import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '@tandem/base';
import { afterEach, describe, expect, test } from 'vitest';
import { DatabaseSet, type DatabaseSetOptions } from '../src/database-set.ts';
import { Quarantine } from '../src/quarantine.ts';
import { ForeignProgram, needProgram } from './foreign-program.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function openSet(options: Partial<DatabaseSetOptions> = {}): { set: DatabaseSet; folder: string } {
  const home = mkdtempSync(join(tmpdir(), 'tandem-folder-'));
  cleanups.push(() => rmSync(home, { recursive: true, force: true }));
  const folder = join(home, 'databases');
  const set = new DatabaseSet({
    folder,
    stateFolder: join(home, 'state'),
    quarantine: new Quarantine(join(home, 'quarantine')),
    clock: systemClock,
    isMeant: () => true,
    journalMode: 'switch',
    busyTimeoutMs: 100,
    sync: 'none',
    checkpointFrames: 100,
    framesMax: 1000,
    ...options,
  });
  cleanups.push(() => set.close());
  return { set, folder };
}

async function startProgram(): Promise<ForeignProgram> {
  const program = new ForeignProgram();
  cleanups.push(() => program.kill());
  return program;
}

async function make(program: ForeignProgram, path: string, mode = 'wal'): Promise<void> {
  await program.open(path);
  await program.run(`PRAGMA journal_mode=${mode}`);
  await program.run('CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT, pad BLOB)');
}

function countIn(path: string): unknown {
  const reader = new DatabaseSync(path, { readOnly: true });
  const [row] = reader.prepare('SELECT count(*) AS n FROM item').all();
  reader.close();
  return row?.['n'];
}

describe('the databases of a folder, made by a Python program', () => {
  test('several at once are each captured', async (context) => {
    needProgram(context, 'python3');
    const { set, folder } = openSet();
    mkdirSync(join(folder, 'tenants/eu'), { recursive: true });
    const names = ['one.db', 'tenants/eu/two.sqlite', 'tenants/three'];
    const programs = await Promise.all(
      names.map(async (name) => {
        const program = await startProgram();
        await make(program, join(folder, name));
        return program;
      }),
    );
    writeFileSync(join(folder, 'notes.txt'), 'no database');
    expect(set.look().opened.map(({ name }) => name)).toEqual(names);
    for (const database of set) database.becomePrimary(1);
    await Promise.all(programs.map((each, index) => each.fill('item', { rows: 50 * (index + 1) })));
    expect([...set].map((database) => database.capture())).toEqual([50, 100, 150]);
    expect([...set].map((database) => database.verify())).toEqual([0, 0, 0]);
  });

  test('one in another journal mode is switched, or refused with what to do', async (context) => {
    needProgram(context, 'python3');
    for (const mode of ['delete', 'truncate', 'persist']) {
      const refusing = openSet({ journalMode: 'refuse' });
      const program = await startProgram();
      await make(program, join(refusing.folder, 'app.db'), mode);
      expect(refusing.set.look().refused).toMatchObject([
        {
          name: 'app.db',
          error: { code: 'not_wal', hint: expect.stringContaining('journal_mode=WAL') },
        },
      ]);
      await program.close();
      const { set, folder } = openSet();
      renameSync(join(refusing.folder, 'app.db'), join(folder, 'app.db'));
      const [database] = set.look().opened;
      database?.becomePrimary(1);
      await program.open(join(folder, 'app.db'));
      expect(await program.run('PRAGMA journal_mode')).toEqual([['wal']]);
      await program.fill('item', { rows: 3 });
      expect(database?.capture()).toBe(3);
    }
  });

  test('one that a program holds for itself is refused, ever more rarely tried, and taken later', async (context) => {
    needProgram(context, 'python3');
    const { set, folder } = openSet();
    const program = await startProgram();
    await make(program, join(folder, 'app.db'));
    await program.close();
    await program.open(join(folder, 'app.db'));
    await program.run('PRAGMA locking_mode=exclusive');
    await program.run(`INSERT INTO item (text) VALUES ('mine')`);
    const looks = Array.from({ length: 20 }, () => set.look().refused);
    expect(looks[0]).toMatchObject([
      { error: { code: 'database_locked', hint: expect.stringContaining('EXCLUSIVE') } },
    ]);
    expect(looks.filter(({ length }) => length > 0).length).toBeLessThan(6);
    await program.close();
    let opened = 0;
    for (let look = 0; look < 40; look += 1) opened += set.look().opened.length;
    expect(opened).toBe(1);
  });

  test('one that is deleted and made anew keeps what its program has written since', async (context) => {
    needProgram(context, 'python3');
    const { set, folder } = openSet();
    const path = join(folder, 'app.db');
    const program = await startProgram();
    await make(program, path);
    set.look().opened[0]?.becomePrimary(1);
    await program.fill('item', { rows: 10 });
    await program.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix);
    await make(program, path);
    await program.fill('item', { rows: 7 });
    expect(existsSync(`${path}-wal`)).toBe(true);
    const change = set.look();
    expect([change.dropped.length, change.opened.length]).toEqual([1, 1]);
    expect(existsSync(`${path}-wal`)).toBe(true);
    const [database] = change.opened;
    database?.becomePrimary(2);
    await program.fill('item', { rows: 1 });
    expect(countIn(path)).toBe(8);
    expect(database?.capture()).toBe(1);
    expect(database?.verify()).toBe(0);
  });

  test('one with two names is replicated under the first', async (context) => {
    needProgram(context, 'python3');
    const { set, folder } = openSet();
    const program = await startProgram();
    await make(program, join(folder, 'app.db'));
    await program.close();
    linkSync(join(folder, 'app.db'), join(folder, 'second.db'));
    const { opened, refused } = set.look();
    expect(opened.map(({ name }) => name)).toEqual(['app.db']);
    expect(refused).toMatchObject([
      { name: 'second.db', error: { hint: expect.stringContaining('hard links') } },
    ]);
  });

  test('R1: looking for databases does not take the locks of code in this process', async (context) => {
    needProgram(context, 'python3');
    const { set, folder } = openSet({ isSharedInProcess: true, journalMode: 'refuse' });
    const path = join(folder, 'own.db');
    const own = new DatabaseSync(path);
    cleanups.push(() => own.close());
    own.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT, pad BLOB); BEGIN IMMEDIATE');
    expect(set.look().refused).toMatchObject([{ name: 'own.db', error: { code: 'not_wal' } }]);
    const program = await startProgram();
    await program.open(path, 'main', 0.1);
    await expect(program.run(`INSERT INTO item (text) VALUES ('no')`)).rejects.toThrow(/locked/);
  });
});
