import { mkdirSync } from 'node:fs';
import { DEFAULT_COMPACTION_POLICY, listLtxFiles, type RestoreTarget } from '@tandem/storage';
import { describe, expect, test } from 'vitest';
import { SILENT_MS } from '../src/backup-right.ts';
import type { BackupContext } from '../src/backup-session.ts';
import { takeOver } from '../src/backup-takeover.ts';
import { uploadNew } from '../src/backup-upload.ts';
import { BackupWorld, PREFIX, type BackupNode } from './backup-node.ts';

/** Two nodes in step, the first one primary with epoch 1 and a backup. */
async function pair(world: BackupWorld): Promise<[BackupNode, BackupNode]> {
  const first = world.node('first');
  first.database.becomePrimary(1);
  first.write();
  const second = world.node('second', { schema: false });
  await second.follow(first);
  return [first, second];
}

describe('when another node becomes primary', () => {
  test('it goes on where the last one was, in the same generation', async () => {
    using world = new BackupWorld();
    const [first, second] = await pair(world);
    const old = first.backup();
    await old.upload();
    const states = new Map<number, Buffer>();
    for (let count = 0; count < 3; count += 1) states.set(first.write(), first.copy());
    await old.upload();
    first.database.becomeReplica();
    await second.follow(first);
    second.database.becomePrimary(2);
    const backup = second.backup();
    await backup.upload();
    expect(backup.status).toMatchObject({ generation: 1, uploadedTxid: 5 });
    for (let count = 0; count < 3; count += 1) {
      states.set(second.write(), second.copy());
      await backup.upload();
    }
    await first.follow(second);
    first.database.becomePrimary(3);
    states.set(first.write(), first.copy());
    await old.upload();
    expect(old.status).toMatchObject({ generation: 1, uploadedTxid: 9 });
    const files = await listLtxFiles(world.store, PREFIX, { times: 'listed' });
    expect(files.filter(({ level }) => level === 9)).toHaveLength(1);
    for (const txid of [5, 6, 7, 8, 9]) {
      const { bytes } = await world.restore({ kind: 'txid', txid });
      expect(bytes.equals(states.get(txid) ?? Buffer.of())).toBe(true);
    }
  });

  test('the old one notices it and leaves the backup alone', async () => {
    using world = new BackupWorld();
    const [first, second] = await pair(world);
    const stale = first.backup();
    await stale.upload();
    second.database.becomePrimary(2);
    second.write('of the new primary');
    await second.backup().upload();
    const before = await world.keys();
    first.write('of the old primary');
    world.clock.advance(10_000);
    await expect(stale.upload()).rejects.toMatchObject({
      code: 'backup_superseded',
      message: expect.stringContaining('the primary of epoch 2 writes the backup') as unknown,
    });
    await expect(stale.upload()).rejects.toMatchObject({ code: 'backup_superseded' });
    expect(stale.status).toMatchObject({ state: 'superseded', failures: 2 });
    expect(await world.keys()).toEqual(before);
    expect((await world.latest()).equals(second.copy())).toBe(true);
  });

  test('the old one finds its place taken even if it has just looked', async () => {
    using world = new BackupWorld();
    const [first, second] = await pair(world);
    const stale = first.backup();
    await stale.upload();
    second.database.becomePrimary(2);
    second.write('of the new primary');
    await second.backup().upload();
    first.write('of the old primary');
    await expect(stale.upload()).rejects.toMatchObject({ code: 'backup_superseded' });
    expect((await world.latest()).equals(second.copy())).toBe(true);
  });

  test('transactions that only the old one had stay in a generation of their own', async () => {
    using world = new BackupWorld();
    const [first, second] = await pair(world);
    const old = first.backup();
    await old.upload();
    for (let count = 0; count < 2; count += 1) first.write('shared');
    await second.follow(first);
    const sharedBytes = second.copy();
    for (let count = 0; count < 3; count += 1) first.write('lost');
    await old.upload();
    const lostBytes = first.copy();
    const lostMs = world.clock.nowMs();
    world.clock.advance(1000);
    second.database.becomePrimary(2);
    const logged: unknown[] = [];
    const backup = second.backup({ log: (...line) => logged.push(line) });
    second.write('kept');
    await backup.upload();
    expect(backup.status).toMatchObject({ generation: 2, uploadedTxid: 5 });
    const reason = 'it holds transaction 7, and this database only 5';
    expect(logged).toEqual([
      [
        'warn',
        'backup begins a new generation',
        { name: 'app.db', generation: 2, epoch: 2, uploadedTxid: 0, reason },
      ],
    ]);
    for (let count = 0; count < 4; count += 1) {
      second.write('kept');
      await backup.upload();
    }
    const latest = await world.restore({ kind: 'latest' });
    expect(latest.report).toMatchObject({ generation: 2, txid: 9, isGivenUp: false });
    expect(latest.bytes.equals(second.copy())).toBe(true);
    await expect(world.restore({ kind: 'txid', txid: 4 })).rejects.toMatchObject({
      code: 'backup_inside_file',
    });
    const lost = await world.restore({ kind: 'latest' }, { generation: 1 });
    expect(lost.report).toMatchObject({ generation: 1, txid: 7, isGivenUp: true });
    expect(lost.bytes.equals(lostBytes)).toBe(true);
    const atMoment = await world.restore({ kind: 'time', timeMs: lostMs });
    expect(atMoment.report).toMatchObject({ generation: 1, isGivenUp: true });
    expect(sharedBytes.equals(lostBytes)).toBe(false);
  });

  test('a number that the given-up history also has is not restored by mistake', async () => {
    using world = new BackupWorld();
    const [first, second] = await pair(world);
    const old = first.backup({ limits: { bytesMax: 1, filesMax: 1 } });
    await old.upload();
    first.write();
    await old.upload();
    await second.follow(first);
    const sharedBytes = second.copy();
    for (let count = 0; count < 3; count += 1) first.write('lost');
    await old.upload();
    second.database.becomePrimary(2);
    for (let count = 0; count < 4; count += 1) second.write('kept');
    const backup = second.backup();
    await backup.upload();
    expect(backup.status).toMatchObject({ generation: 2, uploadedTxid: 7 });
    const shared = await world.restore({ kind: 'txid', txid: 3 });
    expect(shared.report).toMatchObject({ generation: 1, isGivenUp: false });
    expect(shared.bytes.equals(sharedBytes)).toBe(true);
    await expect(world.restore({ kind: 'txid', txid: 5 })).rejects.toMatchObject({
      code: 'backup_other_history',
      hint: 'To restore it all the same, ask for generation 1.',
    });
    const given = await world.restore({ kind: 'txid', txid: 5 }, { generation: 1 });
    expect(given.report).toMatchObject({ generation: 1, txid: 5, isGivenUp: true });
  });

  test('a database with the same numbers and other content begins a generation', async () => {
    using world = new BackupWorld();
    const first = world.node('first');
    first.database.becomePrimary(1);
    first.write('a');
    await first.backup().upload();
    const second = world.node('second');
    second.database.becomePrimary(2);
    second.write('b');
    second.write('c');
    const backup = second.backup();
    await backup.upload();
    expect(backup.status).toMatchObject({ generation: 2, uploadedTxid: 3 });
    expect((await world.latest()).equals(second.copy())).toBe(true);
    expect((await world.latest({ generation: 1 })).equals(first.copy())).toBe(true);
  });

  test('a file that the old one uploads late does not get into the new history', async () => {
    using world = new BackupWorld();
    const [first, second] = await pair(world);
    await first.backup().upload();
    second.database.becomePrimary(2);
    const backup = second.backup();
    second.write('kept');
    await backup.upload();
    first.write('lost');
    first.write('lost');
    const next = first.database.readFrom(4)?.bytes ?? Buffer.of();
    await world.store.putIfAbsent(`${PREFIX}/ltx/0/0000000000000004-0000000000000004.ltx`, next);
    await expect(world.latest()).rejects.toMatchObject({
      code: 'backup_diverged',
      hint: expect.stringContaining('Transaction 3 and those before it') as unknown,
    });
    second.write('kept');
    await expect(backup.upload()).rejects.toMatchObject({ code: 'backup_diverged' });
    await backup.upload();
    expect(backup.status).toMatchObject({ generation: 2, uploadedTxid: 4, state: 'running' });
    expect((await world.latest()).equals(second.copy())).toBe(true);
  });

  test('nothing is uploaded that does not begin where the backup ends', async () => {
    using world = new BackupWorld();
    const [first] = await pair(world);
    await first.backup().upload();
    const context: BackupContext = {
      source: first.database,
      store: world.store,
      databasePrefix: PREFIX,
      clusterId: undefined,
      adopt: false,
      policy: DEFAULT_COMPACTION_POLICY,
      limits: { bytesMax: 1_000_000, filesMax: 10 },
      scratchFolder: first.scratchFolder,
      clock: world.clock,
    };
    const { signal } = new AbortController();
    const session = await takeOver(context, signal);
    session.checksum = (session.checksum ?? 0n) ^ 1n;
    first.write();
    await expect(uploadNew(context, session, signal)).rejects.toMatchObject({
      code: 'backup_diverged',
      message: expect.stringContaining('Transaction 3 of app.db does not begin with') as unknown,
    });
  });

  test('a longer file that the old one uploads late is found by the next audit', async () => {
    using world = new BackupWorld();
    const [first, second] = await pair(world);
    const old = first.backup();
    await old.upload();
    second.database.becomePrimary(2);
    const backup = second.backup();
    second.write('kept');
    await backup.upload();
    const key = `${PREFIX}/ltx/0/0000000000000003-0000000000000005.ltx`;
    await world.store.putIfAbsent(key, first.database.readFrom(2)?.bytes ?? Buffer.of());
    await expect(world.latest()).rejects.toMatchObject({ code: 'backup_diverged' });
    world.clock.advance(1);
    await expect(backup.upkeep()).rejects.toMatchObject({
      code: 'backup_diverged',
      message: `Another primary has written ${key}`,
    });
    await backup.upload();
    expect(backup.status.generation).toBe(2);
    expect((await world.latest()).equals(second.copy())).toBe(true);
  });

  test('older generations go when the present one reaches back as far as retention', async () => {
    using world = new BackupWorld();
    const [first, second] = await pair(world);
    const old = first.backup();
    first.write('lost');
    await old.upload();
    second.database.becomePrimary(2);
    const backup = second.backup();
    second.write('kept');
    await backup.upload();
    second.write('kept');
    await backup.upload();
    for (let hour = 0; hour < 30; hour += 1) {
      const keys = await world.keys();
      const isThere = keys.some((key) => key.startsWith(`${PREFIX}/ltx/`));
      expect(isThere).toBe(hour < 24);
      world.clock.advance(3_600_000);
      second.write('kept');
      await backup.upload();
      await backup.upkeep();
    }
    expect((await world.latest()).equals(second.copy())).toBe(true);
    expect((await world.keys()).filter((key) => key.includes('/terms/'))).toHaveLength(1);
  });
});

describe('a backup of another cluster', () => {
  test('is left alone', async () => {
    using world = new BackupWorld();
    const first = world.node('first');
    first.database.becomePrimary(9);
    await first.backup({ clusterId: 'production' }).upload();
    const second = world.node('second');
    second.database.becomePrimary(10);
    const backup = second.backup({ clusterId: 'staging' });
    await expect(backup.upload()).rejects.toMatchObject({
      code: 'backup_of_other_cluster',
      message: expect.stringContaining('belongs to the cluster production') as unknown,
    });
    expect(backup.status.state).toBe('superseded');
  });

  /** A cluster of which there is a backup, and another that begins with what was restored from it. */
  async function rebuilt(
    world: BackupWorld,
    target: RestoreTarget = { kind: 'latest' },
  ): Promise<{ readonly first: BackupNode; readonly second: BackupNode }> {
    const first = world.node('first');
    first.database.becomePrimary(9);
    const backup = first.backup({ clusterId: 'before' });
    for (let count = 0; count < 3; count += 1) {
      first.write();
      await backup.upload();
    }
    mkdirSync(world.path('second'));
    await world.restore(target, { outputPath: world.path('second/app.db') });
    const second = world.node('second', { schema: false });
    second.database.becomePrimary(1);
    return { first, second };
  }

  test('is gone on with by one that adopts it, whatever its epoch', async () => {
    using world = new BackupWorld();
    const { second } = await rebuilt(world);
    second.write('after');
    const backup = second.backup({ clusterId: 'after', adopt: true });
    await backup.upload();
    expect(backup.status).toMatchObject({ state: 'running', generation: 2 });
    expect((await world.latest()).equals(second.copy())).toBe(true);
    const again = second.backup({ clusterId: 'after' });
    second.write('again');
    await again.upload();
    expect(again.status).toMatchObject({ generation: 2, uploadedTxid: 3 });
  });

  test.each([
    ['the last state', { kind: 'latest' }],
    ['an earlier state', { kind: 'txid', txid: 2 }],
  ] as const)(
    'is gone on with by the cluster that was restored from %s, when the other is silent',
    async (_, target) => {
      using world = new BackupWorld();
      const { first, second } = await rebuilt(world, target);
      for (let count = 0; count < 3; count += 1) second.write('after');
      const backup = second.backup({ clusterId: 'after' });
      await expect(backup.upload()).rejects.toMatchObject({ code: 'backup_of_other_cluster' });
      world.clock.advance(SILENT_MS);
      await backup.upload();
      expect(backup.status).toMatchObject({ state: 'running', generation: 2 });
      expect((await world.latest()).equals(second.copy())).toBe(true);
      expect((await world.latest({ generation: 1 })).equals(first.copy())).toBe(true);
    },
  );

  test('is gone on with by a cluster of the same name whose epochs began anew', async () => {
    using world = new BackupWorld();
    const { second } = await rebuilt(world);
    second.write('after');
    const backup = second.backup({ clusterId: 'before' });
    await expect(backup.upload()).rejects.toMatchObject({ code: 'backup_superseded' });
    world.clock.advance(SILENT_MS);
    await backup.upload();
    expect(backup.status).toMatchObject({ state: 'running', generation: 2 });
    expect((await world.latest()).equals(second.copy())).toBe(true);
  });

  test('is left alone by one that was restored from it while the other goes on', async () => {
    using world = new BackupWorld();
    const { first, second } = await rebuilt(world);
    const theirs = first.backup({ clusterId: 'before' });
    const ours = second.backup({ clusterId: 'after' });
    for (let count = 0; count < 3; count += 1) {
      world.clock.advance(SILENT_MS);
      first.write();
      await theirs.upload();
      await expect(ours.upload()).rejects.toMatchObject({ code: 'backup_of_other_cluster' });
    }
    expect((await world.latest()).equals(first.copy())).toBe(true);
  });

  test('is left alone by one that was not restored from it, however long the other is silent', async () => {
    using world = new BackupWorld();
    const { first } = await rebuilt(world);
    const third = world.node('third');
    third.database.becomePrimary(1);
    third.write('of its own');
    const backup = third.backup({ clusterId: 'after' });
    world.clock.advance(100 * SILENT_MS);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(backup.upload()).rejects.toMatchObject({ code: 'backup_of_other_cluster' });
    }
    expect((await world.latest()).equals(first.copy())).toBe(true);
  });
});
