import {
  DEFAULT_COMPACTION_POLICY,
  listLtxFiles,
  planRestore,
  SNAPSHOT_LEVEL,
} from '@tandem/storage';
import { describe, expect, test } from 'vitest';
import { BackupWorld, PREFIX } from './backup-node.ts';

const HOUR_MS = 3_600_000;

describe('merging and retention', () => {
  test('every state that the plans promise is the one that was', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    const states = new Map<number, Buffer>([[1, node.copy()]]);
    const steps = [2000, 7000, 40_000, 400_000, 3_000_000, 9_000_000];
    for (let count = 0; count < 90; count += 1) {
      world.clock.advance(steps[(count * 7) % steps.length] ?? 0);
      const txid = node.run((app) => {
        if (count % 17 === 16) app.exec('DELETE FROM item WHERE id % 3 = 0; VACUUM');
        else
          app.prepare('INSERT INTO item (text) VALUES (?)').run('m'.repeat((count * 131) % 3000));
      });
      states.set(txid, node.copy());
      await backup.upload();
      await backup.upkeep();
    }
    const files = await listLtxFiles(world.store, PREFIX, { times: 'listed' });
    expect(new Set(files.map(({ level }) => level))).toEqual(new Set([0, 1, 2, 3, SNAPSHOT_LEVEL]));
    const ends = new Set(files.map(({ maxTxid }) => maxTxid));
    let count = 0;
    for (const txid of ends) {
      let plan: ReturnType<typeof planRestore> | undefined;
      try {
        plan = planRestore(files, { kind: 'txid', txid });
      } catch {
        continue;
      }
      count += 1;
      const { bytes, report } = await world.restore({ kind: 'txid', txid });
      expect(report).toMatchObject({ txid: plan.txid, fileCount: plan.files.length });
      expect(bytes.equals(states.get(txid) ?? Buffer.of())).toBe(true);
    }
    expect(count).toBeGreaterThan(20);
    expect((await world.latest()).equals(node.copy())).toBe(true);
  });

  test('any moment within retention can be restored to within a file', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    const moments: { readonly atMs: number; readonly txid: number }[] = [];
    for (let count = 0; count < 120; count += 1) {
      world.clock.advance(HOUR_MS / 2);
      moments.push({ atMs: world.clock.nowMs(), txid: node.write() });
      await backup.upload();
      await backup.upkeep();
    }
    const sinceMs = world.clock.nowMs() - DEFAULT_COMPACTION_POLICY.retentionMs;
    const recent = moments.filter(({ atMs }) => atMs >= sinceMs);
    expect(recent.length).toBe(49);
    for (const { atMs, txid } of recent.filter((_, index) => index % 6 === 0)) {
      const { report } = await world.restore({ kind: 'time', timeMs: atMs });
      expect(report.createdMs).toBeLessThanOrEqual(atMs);
      expect(report.txid).toBeLessThanOrEqual(txid);
      expect(report.txid).toBeGreaterThanOrEqual(txid - 2);
    }
    await expect(
      world.restore({ kind: 'time', timeMs: (moments[0]?.atMs ?? 0) - 1 }),
    ).rejects.toMatchObject({ code: 'backup_too_old' });
  });

  test('a snapshot is made for each interval while uploads go on', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    world.clock.advance(25 * HOUR_MS);
    const txid = node.write();
    await backup.upload();
    await Promise.all([backup.upkeep(), backup.upload()]);
    const files = await listLtxFiles(world.store, PREFIX, { times: 'listed' });
    const snapshots = files.filter(({ level }) => level === SNAPSHOT_LEVEL);
    expect(snapshots.map(({ maxTxid }) => maxTxid)).toEqual([1, txid]);
    expect(snapshots.at(-1)?.createdMs).toBe(world.clock.nowMs());
  });

  test('files of two histories are not merged', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const other = world.node('other');
    other.database.becomePrimary(1);
    const backup = node.backup({ auditIntervalMs: 1_000_000 });
    await backup.upload();
    for (let count = 0; count < 3; count += 1) {
      other.write('b'.repeat(count + 1));
      node.write('a');
      await backup.upload();
    }
    // As a server without conditional writes may let an old primary do.
    const foreign = other.database.readFrom(3)?.bytes ?? Buffer.of();
    const key = `${PREFIX}/ltx/0/0000000000000003-0000000000000003.ltx`;
    await world.store.put(key, foreign);
    await expect(world.latest()).rejects.toMatchObject({ code: 'backup_diverged' });
    world.clock.advance(60_000);
    await expect(backup.upkeep()).rejects.toMatchObject({
      code: 'backup_diverged',
      message: expect.stringContaining(`${key} does not begin with the state`) as unknown,
    });
    await backup.upload();
    expect(backup.status.generation).toBe(2);
    expect((await world.latest()).equals(node.copy())).toBe(true);
  });

  test('a damaged input makes the backup go on in a new generation', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    for (let count = 0; count < 3; count += 1) {
      node.write();
      await backup.upload();
    }
    const key = `${PREFIX}/ltx/0/0000000000000003-0000000000000003.ltx`;
    const bytes = Buffer.from(await world.store.get(key));
    bytes.writeUInt8(bytes.readUInt8(150) ^ 1, 150);
    await world.store.put(key, bytes);
    world.clock.advance(60_000);
    await expect(backup.upkeep()).rejects.toMatchObject({ code: 'backup_damaged', key });
    await backup.upload();
    expect(backup.status).toMatchObject({ generation: 2, state: 'failing' });
    await backup.upkeep();
    expect(backup.status).toMatchObject({ generation: 2, state: 'running' });
    expect((await world.latest()).equals(node.copy())).toBe(true);
  });
});
