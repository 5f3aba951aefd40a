import fs, { readlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestCluster, until, type TestNode } from './cluster.ts';
import { MemoryLeases } from './memory-lease.ts';
import { inStep, insert, TestApps } from './test-apps.ts';

const { fsyncSync, fdatasyncSync } = fs;

/** The files that the code of this process has synced. SQLite syncs past it. */
class SyncedFiles {
  readonly #paths: string[] = [];

  constructor() {
    const noting =
      (sync: (descriptor: number) => void) =>
      (descriptor: number): void => {
        sync(descriptor);
        this.#paths.push(readlinkSync(`/proc/self/fd/${descriptor}`));
      };
    Object.assign(fs, { fsyncSync: noting(fsyncSync), fdatasyncSync: noting(fdatasyncSync) });
    syncBuiltinESMExports();
  }

  /** Those within a folder, and what was known before is forgotten. */
  takeWithin(folder: string): string[] {
    return this.#paths.splice(0).filter((path) => path.startsWith(folder));
  }

  stop(): void {
    Object.assign(fs, { fsyncSync, fdatasyncSync });
    syncBuiltinESMExports();
  }
}

let cluster: TestCluster;
let leases: MemoryLeases;
let apps: TestApps;
let synced: SyncedFiles;
beforeEach(() => {
  cluster = new TestCluster();
  leases = new MemoryLeases();
  apps = new TestApps();
  synced = new SyncedFiles();
});
afterEach(async () => {
  synced.stop();
  apps.close();
  await cluster.close();
  leases.close();
});

async function pair(): Promise<[TestNode, TestNode]> {
  const start = (name: string): Promise<TestNode> =>
    cluster.start(name, (self) => leases.store(self), { sync: 'full' });
  const a = await start('a');
  await until(() => a.node.isPrimaryNow(), 'a leads');
  const b = await start('b');
  apps.create(a);
  await until(() => inStep(a, b), 'in step');
  return [a, b];
}

const logOf = ({ folder }: TestNode): string => join(folder, '..', 'state/databases/app.db/ltx');

describe('R6: with sync full', () => {
  test.each(['one', 'majority'] as const)(
    'what is confirmed in mode %s is durable on the primary and on its replica',
    async (mode) => {
      const [a, b] = await pair();
      const writer = apps.open(a);
      insert(writer, 'kept');
      synced.takeWithin('/');
      expect(await a.node.confirm({ mode, timeoutMs: 20_000, onTimeout: 'block' })).toBe(true);
      const all = synced.takeWithin('/');
      const { txid } = a.node.positions()['app.db'] ?? { txid: 0 };
      const file = `${String(txid).padStart(16, '0')}.ltx`;
      const within = (node: TestNode): string[] =>
        all.filter((path) => path.startsWith(logOf(node)) && path.endsWith(file));
      expect([within(a), within(b)].map(({ length }) => length)).toEqual([1, 1]);
      expect(all).toContain(join(a.folder, 'app.db-wal'));
    },
  );

  test('what nobody waits for makes nobody wait for the disk, and is durable soon after', async () => {
    const [a] = await pair();
    const writer = apps.open(a);
    await until(() => synced.takeWithin(logOf(a)).length === 0, 'nothing is left to be synced');
    insert(writer, 'unhurried');
    expect(await a.node.confirm({ mode: 'none', timeoutMs: 0, onTimeout: 'block' })).toBe(true);
    expect(a.node.databases.get('app.db')?.position().txid).toBeGreaterThan(1);
    expect(synced.takeWithin(logOf(a))).toEqual([]);
    await until(() => synced.takeWithin(logOf(a)).length > 0, 'it is synced');
  });
});
