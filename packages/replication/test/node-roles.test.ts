import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReplicationNodeOptions } from '../src/index.ts';
import { TestCluster, until, type TestNode } from './cluster.ts';
import { MemoryLeases } from './memory-lease.ts';
import { inStep, insert, TestApps } from './test-apps.ts';

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
  leases.unreachable.clear();
  await cluster.close();
  leases.close();
});

const start = (name: string, options: Partial<ReplicationNodeOptions> = {}): Promise<TestNode> =>
  cluster.start(name, (self) => leases.store(self), options);
const leads =
  ({ node }: TestNode) =>
  (): boolean =>
    node.isPrimaryNow();

/** `a` is primary, `b` follows, and both have a database. */
async function pair(): Promise<[TestNode, TestNode]> {
  const a = await start('a');
  await until(leads(a), 'a leads');
  const b = await start('b');
  apps.create(a);
  await until(() => inStep(a, b), 'in step');
  await until(() => leases.members.length === 2, 'both are recorded');
  return [a, b];
}

describe('a transaction that stays open', () => {
  test('when the lease is lost: the node follows nobody before it ends, then it is set aside', async () => {
    const [a, b] = await pair();
    const writer = apps.open(a);
    writer.exec('BEGIN IMMEDIATE');
    insert(writer, 'late');
    leases.unreachable.add('a');
    await until(leads(b), 'b leads', 20_000);
    insert(apps.open(b), 'new');
    b.node.capture();
    leases.unreachable.clear();
    leases.changed();
    await until(() => a.node.primary?.name === 'b', 'a knows of b');
    expect(a.node.streamState).toBe('idle');
    writer.exec('COMMIT');
    await until(() => inStep(a, b), 'a follows', 20_000);
    expect(apps.texts(a)).toEqual(['new']);
    expect(a.node.quarantine.list()).toMatchObject([{ minTxid: 2, maxTxid: 2 }]);
  });

  test('when the lease is lost and had again: what it writes is of the new term', async () => {
    const [a, b] = await pair();
    await b.stop();
    const writer = apps.open(a);
    writer.exec('BEGIN IMMEDIATE');
    insert(writer, 'kept');
    leases.unreachable.add('a');
    await until(() => a.node.role !== 'primary', 'the lease is lost', 20_000);
    leases.unreachable.clear();
    leases.changed();
    await until(leads(a), 'a leads again', 20_000);
    writer.exec('COMMIT');
    expect(await a.node.confirm()).toBe(true);
    const { epoch } = a.node;
    expect(epoch).toBeGreaterThan(1);
    expect(a.node.positions()['app.db']).toEqual({ epoch, txid: 2 });
  });

  test('when the lease is handed off: it fails, other writes go on, and works once it has ended', async () => {
    const [a, b] = await pair();
    apps.create(a, 'other.db');
    await until(() => inStep(a, b, 'other.db'), 'in step');
    const writer = apps.open(a);
    writer.exec('BEGIN IMMEDIATE');
    insert(writer, 'long');
    await expect(a.node.handOff('b', 400)).rejects.toThrow('A transaction in app.db has not ended');
    expect(leads(a)()).toBe(true);
    insert(apps.open(a, 'other.db'), 'meanwhile');
    writer.exec('COMMIT');
    await a.node.handOff('b');
    await until(leads(b), 'b leads');
    expect(apps.texts(b)).toEqual(['long']);
    expect(apps.texts(b, 'other.db')).toEqual(['meanwhile']);
  });
});

describe('a hand-off', () => {
  test('takes a database along that was just made', async () => {
    const [a, b] = await pair();
    insert(apps.create(a, 'new.db'), 'first');
    await a.node.handOff('b');
    await until(leads(b), 'b leads');
    expect(apps.texts(b, 'new.db')).toEqual(['first']);
    expect(a.node.quarantine.list()).toEqual([]);
  });

  test('waits for a new database whose first transaction goes on', async () => {
    const [a, b] = await pair();
    const writer = apps.create(a, 'new.db');
    writer.exec('BEGIN IMMEDIATE');
    await until(() => a.logged.join().includes('cannot replicate new.db'), 'it is refused');
    await expect(a.node.handOff('b')).rejects.toThrow('new.db is new, and a transaction in it');
    writer.exec('COMMIT');
    await until(() => inStep(a, b, 'new.db'), 'it is replicated');
    await a.node.handOff('b');
    await until(leads(b), 'b leads');
  });

  test('confirms the writes that were under way', async () => {
    const [a, b] = await pair();
    insert(apps.open(a), 'under way');
    const confirming = a.node.confirm({ mode: 'one', timeoutMs: 5000, onTimeout: 'block' });
    await Promise.all([a.node.handOff('b'), expect(confirming).resolves.toBe(true)]);
    await until(leads(b), 'b leads');
    expect(apps.texts(b)).toEqual(['under way']);
  });

  test('to a node that cannot reach the lease store fails, and writes go on', async () => {
    const [a, b] = await pair();
    leases.unreachable.add('b');
    await expect(a.node.handOff('b')).rejects.toThrow('b cannot reach the lease store');
    insert(apps.open(a), 'goes on');
    await until(() => inStep(a, b), 'in step');
  });

  test('that is under way is the only one', async () => {
    const [a, b] = await pair();
    const first = a.node.handOff('b');
    await expect(a.node.handOff('b')).rejects.toThrow('Another hand-off is under way');
    await first;
    await until(leads(b), 'b leads');
  });

  test('whose lease is lost meanwhile fails, and the node steps down', async () => {
    const [a, b] = await pair();
    const writer = apps.open(a);
    writer.exec('BEGIN IMMEDIATE');
    leases.unreachable.add('a');
    const failing = a.node.handOff('b', 20_000).catch((error: unknown) => error);
    await until(leads(b), 'b leads', 20_000);
    writer.exec('ROLLBACK');
    expect(String(await failing)).toContain('The lease was lost');
    expect(a.node.role).not.toBe('primary');
  });
});

describe('a node that is stopped', () => {
  test('while it is about to lead does not lead', async () => {
    const store = Promise.withResolvers<void>();
    const a = await cluster.start('a', (self) => {
      const lease = leases.store(self);
      const claim = lease.claimClusterId.bind(lease);
      lease.claimClusterId = async (candidate) => {
        await store.promise;
        return claim(candidate);
      };
      return lease;
    });
    await until(() => leases.holder?.name === 'a', 'a holds the lease');
    const stopping = a.node.stop();
    store.resolve();
    await stopping;
    expect(a.node.role).toBe('none');
    expect(leases.holder).toBeUndefined();
    expect(a.logged.filter((line) => line.includes('primary from now on'))).toEqual([]);
  });

  test('leaves what was written last with its replicas', async () => {
    const [a, b] = await pair();
    insert(apps.open(a), 'last');
    await a.stop();
    await until(leads(b), 'b leads');
    expect(apps.texts(b)).toEqual(['last']);
  });

  test('leaves a database that was just made with its replicas', async () => {
    const [a, b] = await pair();
    insert(apps.create(a, 'new.db'), 'last');
    await a.stop();
    await until(leads(b), 'b leads');
    expect(apps.texts(b, 'new.db')).toEqual(['last']);
    expect(b.node.quarantine.list()).toEqual([]);
  });

  test('leaves what was written last with a replica that is being brought in step', async () => {
    const a = await start('a');
    await until(leads(a), 'a leads');
    for (let count = 0; count < 40; count += 1) {
      insert(count === 0 ? apps.create(a) : apps.open(a), 'x'.repeat(50_000));
    }
    a.node.capture();
    const b = await start('b');
    await until(() => b.node.streamState === 'catching-up', 'b begins');
    insert(apps.open(a), 'last');
    await a.stop();
    await until(leads(b), 'b leads');
    expect(apps.texts(b).at(-1)).toBe('last');
  });

  test('confirms the writes that are under way', async () => {
    const [a, b] = await pair();
    insert(apps.open(a), 'under way');
    const confirming = a.node.confirm({ mode: 'one', timeoutMs: 5000, onTimeout: 'block' });
    await Promise.all([a.stop(), expect(confirming).resolves.toBe(true)]);
    await until(leads(b), 'b leads');
  });

  test('says so when no replica has everything', async () => {
    const a = await cluster.start('a', (self) => leases.store(self), { repairBytesPerSecond: 1 });
    await until(leads(a), 'a leads');
    insert(apps.create(a), 'x'.repeat(50_000));
    a.node.capture();
    const b = await start('b');
    await until(() => b.node.streamState === 'catching-up', 'b begins');
    await a.stop();
    expect(a.logged.join('\n')).toContain('stopping before a replica has everything');
  });

  test('opens no database again, whoever still asks it to capture', async () => {
    const [a] = await pair();
    await a.stop();
    const writer = apps.create(a, 'new.db');
    a.node.capture();
    insert(writer, 'after the end');
    insert(apps.open(a), 'after the end');
    expect([...a.node.databases]).toEqual([]);
    await expect(a.node.importDatabase('new.db', 'elsewhere.db')).rejects.toThrow(
      'not the primary',
    );
  });

  test('twice is stopped once', async () => {
    const [a] = await pair();
    await Promise.all([a.node.stop(), a.node.stop()]);
    expect(a.node.role).toBe('none');
    expect(a.logged.filter((line) => line.includes('no longer primary'))).toHaveLength(1);
  });
});

test('a write that waits for replicas does not wait for a database that is dropped', async () => {
  const [a, b] = await pair();
  await b.stop();
  const writer = apps.open(a);
  insert(writer, 'on one node only');
  const policy = { mode: 'one', timeoutMs: 5000, onTimeout: 'block' } as const;
  const confirming = a.node.confirm(policy);
  apps.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(a.folder, `app.db${suffix}`));
  a.node.capture();
  await expect(confirming).resolves.toBe(true);
});

test('what a checkpoint captured by the way reaches replicas without another write', async () => {
  const [a, b] = await pair();
  insert(apps.open(a), 'seen by the way');
  // As a view for a repair, or a checkpoint, does.
  a.node.databases.get('app.db')?.openView().close();
  expect(await a.node.confirm({ mode: 'one', timeoutMs: 20_000, onTimeout: 'block' })).toBe(true);
  await until(() => inStep(a, b), 'in step');
});

test('what is in a database that cannot be opened yet is not confirmed', async () => {
  const [a] = await pair();
  const writer = apps.create(a, 'new.db');
  writer.exec('BEGIN EXCLUSIVE');
  insert(writer, 'long');
  const refused = 'cannot replicate new.db';
  await until(() => a.logged.join().includes(refused), 'it is refused', 20_000);
  const policy = { mode: 'one', timeoutMs: 5000, onTimeout: 'block' } as const;
  await expect(a.node.confirm(policy)).rejects.toMatchObject({ code: 'database_locked' });
  writer.exec('COMMIT');
  await until(() => a.node.databases.get('new.db') !== undefined, 'it is replicated', 60_000);
  expect(await a.node.confirm(policy)).toBe(true);
});
