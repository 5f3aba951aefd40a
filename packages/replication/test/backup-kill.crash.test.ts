import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { listLtxFiles, planRestore, type StoredLtxFile } from '@tandem/storage';
import { describe, expect, test } from 'vitest';
import type { DatabaseBackup } from '../src/backup.ts';
import { FaultyStore, Killed } from './backup-faults.ts';
import { BackupWorld, PREFIX, type BackupNode } from './backup-node.ts';

const POLICY = {
  levels: [{ intervalMs: 0, keepMs: 60_000 }, { intervalMs: 30_000 }, { intervalMs: 120_000 }],
  snapshotIntervalMs: 150_000,
  retentionMs: 150_000,
  inputsMax: 1000,
};

/** States of the database by transaction. */
type States = Map<number, Buffer>;

/** Some minutes of a primary, in which everything is done once that a backup does. */
async function live(
  world: BackupWorld,
  node: BackupNode,
  options: { readonly backup: DatabaseBackup; readonly states: States; readonly steps: number },
): Promise<void> {
  const { backup, states, steps } = options;
  for (let count = 0; count < steps; count += 1) {
    world.clock.advance(50_000);
    states.set(node.write('k'.repeat(count * 40)), node.copy());
    await backup.upload();
    await backup.upkeep();
  }
}

/** Everything that the files promise is as it was, and the last state is among it. */
async function expectWhole(world: BackupWorld, states: States, lastTxid: number): Promise<void> {
  const files = await listLtxFiles(world.store, PREFIX, { times: 'listed' });
  const ends = [...new Set(files.map(({ maxTxid }) => maxTxid))];
  expect(planRestore(files, { kind: 'latest' }).txid).toBe(lastTxid);
  for (const txid of ends) {
    const isReached = files.some(({ minTxid, maxTxid }) => minTxid === 1 && maxTxid <= txid);
    if (!isReached) continue;
    const { bytes } = await world.restore({ kind: 'txid', txid });
    expect(bytes.equals(states.get(txid) ?? Buffer.of())).toBe(true);
  }
}

/** Files of all levels came into being, and some went. */
function expectAllDone(files: readonly StoredLtxFile[], { deletions }: FaultyStore): void {
  expect(new Set(files.map(({ level }) => level))).toEqual(new Set([0, 1, 2, 9]));
  expect(deletions).toBeGreaterThan(5);
}

/** @returns whether the store failed before all was done */
async function round(killAt: number, isDone: boolean, isSameProcess: boolean): Promise<boolean> {
  using world = new BackupWorld();
  const node = world.node();
  node.database.becomePrimary(1);
  const states: States = new Map([[1, node.copy()]]);
  const store = new FaultyStore(world.store);
  store.killAt = killAt;
  store.isDone = isDone;
  const first = node.backup({ store, policy: POLICY, auditIntervalMs: 300_000 });
  let isKilled = false;
  try {
    await live(world, node, { backup: first, states, steps: 7 });
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    isKilled = true;
    expect(first.status).toMatchObject({ state: 'failing', failures: 1 });
  }
  if (!isKilled) expectAllDone(await listLtxFiles(world.store, PREFIX, { times: 'listed' }), store);
  store.killAt = Infinity;
  // What was being uploaded is not all that there is to upload any more.
  states.set(node.write(), node.copy());
  const next = isSameProcess ? first : node.backup({ policy: POLICY });
  await next.upload();
  expect(next.status.generation).toBe(1);
  await expectWhole(world, states, node.database.position().txid);
  await live(world, node, { backup: next, states, steps: 2 });
  expect(next.status).toMatchObject({ generation: 1, state: 'running', lagTransactions: 0 });
  await expectWhole(world, states, node.database.position().txid);
  return isKilled;
}

describe('a store that fails at any call', () => {
  for (const isSameProcess of [false, true]) {
    for (const isDone of [false, true]) {
      const who = isSameProcess ? 'the same process goes on' : 'the process ends there';
      const what = isDone ? 'done, but not answered' : 'not done';
      test(`loses nothing: the call is ${what}, and ${who}`, async () => {
        let killAt = 1;
        while (await round(killAt, isDone, isSameProcess)) killAt += isSameProcess ? 2 : 1;
        expect(killAt).toBeGreaterThan(60);
      });
    }
  }

  test('a restore leaves the old database, and can be repeated', async () => {
    using world = new BackupWorld();
    const node = world.node();
    node.database.becomePrimary(1);
    const backup = node.backup();
    for (let count = 0; count < 4; count += 1) {
      node.write();
      await backup.upload();
    }
    const outputPath = world.path('out.db');
    writeFileSync(outputPath, 'old');
    const options = { outputPath, force: true };
    const calls = new FaultyStore(world.store);
    await world.restore({ kind: 'latest' }, { store: calls });
    expect(calls.calls).toBeGreaterThan(10);
    for (let killAt = 1; killAt <= calls.calls; killAt += 1) {
      const store = new FaultyStore(world.store);
      store.killAt = killAt;
      await expect(world.latest({ ...options, store })).rejects.toThrow(Killed);
      expect(readFileSync(outputPath, 'utf8')).toBe('old');
      expect(readdirSync(world.folder).filter((name) => name.includes('tandem-restore'))).toEqual(
        [],
      );
    }
    writeFileSync(world.path('.out.db.tandem-restore'), 'left by a process that was killed');
    expect((await world.latest(options)).equals(node.copy())).toBe(true);
    expect(existsSync(world.path('.out.db.tandem-restore'))).toBe(false);
    expect(readFileSync(world.path('.out.db.before-restore-1'), 'utf8')).toBe('old');
  });
});
