import { readdirSync } from 'node:fs';
import { decodeLtx } from '@tandem/ltx';
import { listLtxFiles } from '@tandem/storage';
import { describe, expect, test } from 'vitest';
import { storedChecksums } from '../src/backup-state.ts';
import { BackupWorld, PREFIX } from './backup-node.ts';

describe('a backup', () => {
  test('begins with a snapshot of a database that has no log yet', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    expect(backup.uploadedTxid).toBe(1);
    expect(await world.keys()).toEqual([
      `${PREFIX}/ltx/9/0000000000000001-0000000000000001.ltx`,
      `${PREFIX}/terms/0000000000000001.json`,
    ]);
    expect(await world.latest()).toEqual(node.copy());
  });

  test('holds every transaction as it was, by number and by time', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    const states: { readonly txid: number; readonly atMs: number; readonly bytes: Buffer }[] = [];
    for (let count = 0; count < 40; count += 1) {
      world.clock.advance(250);
      const atMs = world.clock.nowMs();
      const txid =
        count === 25
          ? node.run((app) => app.exec('DELETE FROM item WHERE id > 3; VACUUM'))
          : node.write('y'.repeat(100 * count));
      states.push({ txid, atMs, bytes: node.copy() });
      world.clock.advance(100);
      await backup.upload();
    }
    for (const { txid, atMs, bytes } of states) {
      const byTxid = await world.restore({ kind: 'txid', txid });
      expect(byTxid.bytes.equals(bytes)).toBe(true);
      expect(byTxid.report).toMatchObject({ txid, createdMs: atMs, isGivenUp: false });
      const byTime = await world.restore({ kind: 'time', timeMs: atMs });
      expect(byTime.report.txid).toBe(txid);
      const before = await world.restore({ kind: 'time', timeMs: atMs + 249 });
      expect(before.report.txid).toBe(txid);
    }
    expect((await world.latest()).equals(node.copy())).toBe(true);
  });

  test('puts what was committed within an interval into one file', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    for (let count = 0; count < 20; count += 1) node.write();
    await backup.upload();
    const files = await listLtxFiles(world.store, PREFIX, { times: 'listed' });
    expect(files.map(({ level, minTxid, maxTxid }) => [level, minTxid, maxTxid])).toEqual([
      [0, 2, 21],
      [9, 1, 1],
    ]);
    expect((await world.latest()).equals(node.copy())).toBe(true);
    expect(backup.status).toMatchObject({
      state: 'running',
      generation: 1,
      uploadedTxid: 21,
      lagTransactions: 0,
      lagBytes: 0,
      lastSuccessMs: world.clock.nowMs(),
      failures: 0,
      lastError: undefined,
    });
  });

  test('says how far it is behind', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    expect(backup.status).toMatchObject({ uploadedTxid: undefined, lagTransactions: 1 });
    expect(backup.keepFromTxid).toBe(1);
    await backup.upload();
    for (let count = 0; count < 3; count += 1) node.write();
    const { lagTransactions, lagBytes } = backup.status;
    expect(lagTransactions).toBe(3);
    expect(lagBytes).toBe(node.database.bytesAfter(1));
    expect(lagBytes).toBeGreaterThan(0);
    expect(backup.keepFromTxid).toBe(2);
  });

  test('goes on after a restart without another snapshot', async () => {
    using world = new BackupWorld();
    const first = world.node();
    first.database.becomePrimary(1);
    await first.backup().upload();
    await first.backup().upload();
    first.write();
    await first.backup().upload();
    first.close();
    const second = world.node('one');
    second.database.becomePrimary(2);
    second.write();
    const backup = second.backup();
    await backup.upload();
    expect(backup.status).toMatchObject({ generation: 1, uploadedTxid: 3 });
    const files = await listLtxFiles(world.store, PREFIX, { times: 'listed' });
    expect(files.map(({ level, maxTxid }) => [level, maxTxid])).toEqual([
      [0, 2],
      [0, 3],
      [9, 1],
    ]);
    expect((await world.latest()).equals(second.copy())).toBe(true);
  });

  test('does nothing on a replica', async () => {
    using world = new BackupWorld();
    const node = world.node();
    const backup = node.backup();
    await backup.upload();
    await backup.upkeep();
    expect(await world.keys()).toEqual([]);
    expect(backup.status).toMatchObject({ state: 'idle', lagTransactions: 0, lagBytes: 0 });
    expect(backup.keepFromTxid).toBeUndefined();
  });

  test('runs while applications write, until it is told to end', async () => {
    using world = new BackupWorld();
    const node = world.node('one', { pageSize: 4096 });
    node.database.becomePrimary(1);
    const ending = new AbortController();
    let turns = 0;
    const backup = node.backup({
      sleep: async () => {
        turns += 1;
        node.write('z'.repeat(turns * 50));
        world.clock.advance(5000);
        if (turns === 200) ending.abort();
        await new Promise((resolve) => void setImmediate(resolve));
      },
    });
    await backup.run(ending.signal);
    await backup.upload();
    expect((await world.latest()).equals(node.copy())).toBe(true);
    const files = await listLtxFiles(world.store, PREFIX, { times: 'listed' });
    expect(new Set(files.map(({ level }) => level))).toEqual(new Set([0, 1, 2, 9]));
  });

  test('closes a gap that the log has with a snapshot', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    const before = node.write();
    const beforeBytes = node.copy();
    await backup.upload();
    for (let count = 0; count < 5; count += 1) node.write();
    node.database.log?.removeThrough(before + 3);
    await backup.upload();
    const after = node.write();
    await backup.upload();
    expect(backup.status.generation).toBe(1);
    expect((await world.latest()).equals(node.copy())).toBe(true);
    expect((await world.restore({ kind: 'txid', txid: before })).bytes.equals(beforeBytes)).toBe(
      true,
    );
    expect((await world.restore({ kind: 'txid', txid: after })).report.txid).toBe(after);
    await expect(world.restore({ kind: 'txid', txid: before + 2 })).rejects.toMatchObject({
      code: 'backup_inside_file',
    });
  });

  test('closes a gap that somebody made in the store with a snapshot', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    await backup.upload();
    for (let count = 0; count < 5; count += 1) {
      node.write();
      await backup.upload();
    }
    await world.store.delete(`${PREFIX}/ltx/0/0000000000000004-0000000000000004.ltx`);
    await expect(world.latest()).rejects.toMatchObject({
      code: 'backup_gap',
      message: 'The backup has a gap: transaction 4 is missing',
    });
    world.clock.advance(1);
    await backup.upkeep();
    await backup.upkeep();
    expect((await world.latest()).equals(node.copy())).toBe(true);
  });

  test('keeps databases with pages of any size', async () => {
    for (const pageSize of [512, 65_536]) {
      using world = new BackupWorld();
      const node = world.node('one', { pageSize });
      node.database.becomePrimary(1);
      node.write('q'.repeat(200_000));
      const backup = node.backup();
      await backup.upload();
      node.write('r'.repeat(200_000));
      await backup.upload();
      expect((await world.latest()).equals(node.copy())).toBe(true);
    }
  });

  test('has files as Litestream restores them, which still name the states around them', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    for (let count = 0; count < 4; count += 1) {
      await backup.upload();
      node.write();
      world.clock.advance(40_000);
      await backup.upkeep();
    }
    const files = await listLtxFiles(world.store, PREFIX, { times: 'listed' });
    expect(new Set(files.map(({ level }) => level))).toEqual(new Set([0, 1, 9]));
    for (const { key, level, minTxid } of files) {
      const { header, trailer } = decodeLtx(await world.store.get(key));
      expect(header.isChecksummed).toBe(false);
      expect(trailer.postApplyChecksum).toBe(0n);
      const { before, after } = storedChecksums(header);
      expect(after).toBeDefined();
      const logged = minTxid === 1 ? undefined : node.database.readFrom(minTxid);
      const own = logged === undefined ? undefined : decodeLtx(logged.bytes);
      expect(before).toBe(own?.header.preApplyChecksum);
      if (level === 0) expect(after).toBe(own?.trailer.postApplyChecksum);
    }
  });

  test('leaves nothing in its scratch folder', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    await node.backup().upload();
    expect(readdirSync(node.scratchFolder)).toEqual([]);
  });
});
