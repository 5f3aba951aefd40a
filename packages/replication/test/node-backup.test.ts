import { randomBytes } from 'node:crypto';
import { closeSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@tandem/storage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseBackup, restoreDatabase, type LogConsumer } from '../src/index.ts';
import { sweepLog } from '../src/retention-sweep.ts';
import { BackupWorld, type BackupNode } from './backup-node.ts';
import { TestCluster, until, type TestNode } from './cluster.ts';
import { MemoryLeases } from './memory-lease.ts';
import { inStep, insert, TestApps } from './test-apps.ts';

describe('a node with a backup', () => {
  let cluster: TestCluster;
  let leases: MemoryLeases;
  let apps: TestApps;
  beforeEach(() => {
    cluster = new TestCluster();
    leases = new MemoryLeases();
    apps = new TestApps();
  });
  afterEach(async () => {
    apps.close();
    await cluster.close();
    leases.close();
  });

  /** A node that leads, with a database in it that is backed up. */
  async function backedUp(): Promise<{
    readonly a: TestNode;
    readonly backup: DatabaseBackup;
    readonly restored: (name: string) => Promise<unknown[]>;
  }> {
    const a = await cluster.start('a', (self) => leases.store(self));
    await until(() => a.node.isPrimaryNow(), 'a leads');
    insert(apps.create(a), 'first');
    a.node.capture();
    const source = a.node.databases.get('app.db');
    if (source === undefined) throw new Error('there is no database');
    const store = openStore(cluster.folderOf('store'));
    const scratchFolder = cluster.folderOf('scratch');
    const backup = new DatabaseBackup({ source, store, databasePrefix: 'app.db', scratchFolder });
    await backup.upload();
    return {
      a,
      backup,
      restored: async (name) => {
        const outputPath = join(a.folder, name);
        const target = { kind: 'latest' } as const;
        await restoreDatabase({ store, databasePrefix: 'app.db', target, outputPath });
        return apps.texts(a, name);
      },
    };
  }

  function drop(node: TestNode): void {
    apps.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(node.folder, `app.db${suffix}`));
  }

  test('backs up what was committed last before a database was dropped', async () => {
    const { a, backup, restored } = await backedUp();
    const left: Promise<void>[] = [];
    a.node.logConsumer = {
      neededFrom: () => undefined,
      leave: () => {
        left.push(backup.upload());
        return left[0];
      },
    };
    insert(apps.open(a), 'last');
    drop(a);
    a.node.capture();
    expect(a.node.databases.get('app.db')).toBeUndefined();
    await Promise.all(left);
    expect(left).toHaveLength(1);
    expect(await restored('restored.sqlite')).toEqual(['first', 'last']);
  });

  test('confirms nothing in a new database of that name before the backup of the old one has ended', async () => {
    const { a } = await backedUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    const consumer: LogConsumer = { neededFrom: () => undefined, leave: () => promise };
    a.node.logConsumer = consumer;
    drop(a);
    insert(apps.create(a), 'new');
    const policy = { mode: 'one', timeoutMs: 5000, onTimeout: 'block' } as const;
    await expect(a.node.confirm(policy)).rejects.toMatchObject({ code: 'database_locked' });
    resolve();
    await until(() => a.node.databases.get('app.db') !== undefined, 'the new one is open');
    const b = await cluster.start('b', (self) => leases.store(self));
    await until(() => inStep(a, b), 'in step');
    expect(await a.node.confirm(policy)).toBe(true);
    expect(apps.texts(b)).toEqual(['new']);
  });

  test('opens a database that was renamed when the backup of its old name has ended', async () => {
    const { a } = await backedUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    a.node.logConsumer = { neededFrom: () => undefined, leave: () => promise };
    apps.close();
    renameSync(join(a.folder, 'app.db'), join(a.folder, 'renamed.db'));
    for (const suffix of ['-wal', '-shm']) {
      renameSync(join(a.folder, `app.db${suffix}`), join(a.folder, `renamed.db${suffix}`));
    }
    a.node.capture();
    expect(a.node.databases.get('renamed.db')).toBeUndefined();
    resolve();
    await until(() => a.node.databases.get('renamed.db') !== undefined, 'it is open');
    expect(apps.texts(a, 'renamed.db')).toEqual(['first']);
  });

  test('complains when a dropped database cannot be closed after its backup, and goes on', async () => {
    const { a } = await backedUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    a.node.logConsumer = { neededFrom: () => undefined, leave: () => promise };
    drop(a);
    a.node.capture();
    closeUnder(join(a.folder, '../state/databases'));
    resolve();
    const complaint = 'cannot close app.db, which was dropped';
    await until(() => a.logged.some((line) => line.includes(complaint)), 'it is said');
    expect(a.node.isPrimaryNow()).toBe(true);
    insert(apps.create(a), 'new');
    await until(() => a.node.databases.get('app.db') !== undefined, 'the next of its name is open');
  });

  test('that stops does not wait for it', async () => {
    const { a } = await backedUp();
    a.node.logConsumer = { neededFrom: () => undefined, leave: () => new Promise(() => {}) };
    drop(a);
    a.node.capture();
    await a.stop();
    expect(a.node.role).toBe('none');
  });
});

/** Closes the files below a folder that this process has open, so that who opened them cannot. */
function closeUnder(folder: string): void {
  for (const descriptor of readdirSync('/proc/self/fd')) {
    if (pathOf(descriptor)?.startsWith(folder) === true) closeSync(Number(descriptor));
  }
}

function pathOf(descriptor: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined;
  }
}

describe('the log of transactions', () => {
  const rules = { ageMaxMs: 1000, bytesMax: 1 << 20, replicaFromTxid: undefined };

  /** Writes so much that the database itself holds all of it. */
  function writeSynced(node: BackupNode): number {
    for (let count = 0; count < 10; count += 1) node.write(randomBytes(50_000).toString('hex'));
    const txid = node.write(randomBytes(50_000).toString('hex'));
    expect(node.database.syncedTxid).toBe(txid);
    return txid;
  }

  test('keeps what is not backed up yet, however old', async () => {
    using world = new BackupWorld();
    const node = world.node();
    const { database } = node;
    database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    writeSynced(node);
    world.clock.advance(60_000);
    const sweep = { ...rules, bytesMax: 1 << 30, nowMs: world.clock.nowMs() };
    const { keepFromTxid: backupFromTxid } = backup;
    expect(backupFromTxid).toBe(2);
    expect(sweepLog(database, { ...sweep, backupFromTxid })).toBeUndefined();
    expect(database.log?.firstTxid).toBe(2);
    await backup.upload();
    const { keepFromTxid } = backup;
    expect(sweepLog(database, { ...sweep, backupFromTxid: keepFromTxid })).toBeUndefined();
    // The newest stays always.
    expect(database.log?.firstTxid).toBe(database.position().txid);
  });

  test('has a size beyond which it goes all the same, and that is told of', async () => {
    using world = new BackupWorld();
    const node = world.node();
    const { database } = node;
    database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    const txid = writeSynced(node);
    const sweep = { ...rules, nowMs: world.clock.nowMs(), bytesMax: 100_000 };
    const { keepFromTxid: backupFromTxid } = backup;
    const lost = sweepLog(database, { ...sweep, backupFromTxid });
    const firstTxid = database.log?.firstTxid ?? 0;
    expect(lost).toEqual({ minTxid: 2, maxTxid: firstTxid - 1 });
    expect(firstTxid).toBeLessThan(txid);
    expect(database.log?.sizeBytes).toBeLessThanOrEqual(400_000);
    await backup.upload();
    expect((await world.latest()).equals(node.copy())).toBe(true);
  });
});
