import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StaticLease } from '@tandem/lease';
import { afterEach, describe, expect, test } from 'vitest';
import { TestCluster, until, type MakeStore, type TestNode } from './cluster.ts';
import { MemoryLeases } from './memory-lease.ts';

let cluster = new TestCluster();
const apps: DatabaseSync[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) app.close();
  await cluster.close();
  cluster = new TestCluster();
});

function app(node: TestNode, name = 'app.db'): DatabaseSync {
  const opened = new DatabaseSync(join(node.folder, name), { timeout: 2000 });
  apps.push(opened);
  return opened;
}

function create(node: TestNode, name = 'app.db'): DatabaseSync {
  const opened = app(node, name);
  opened.exec('PRAGMA journal_mode=wal; CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT)');
  return opened;
}

const texts = (from: DatabaseSync): unknown[] =>
  from
    .prepare('SELECT text FROM item ORDER BY id')
    .all()
    .map(({ text }) => text);

function inStep(a: TestNode, b: TestNode, name = 'app.db'): boolean {
  const [first, second] = [a, b].map(({ node }) => node.databases.get(name));
  return first?.isPresent === true && first.digest() === second?.digest();
}

/** Both nodes follow the rule that `one` is primary, wherever it listens. */
async function staticPair(): Promise<[TestNode, TestNode]> {
  let primaryUrl = '';
  const store: MakeStore = (self) => {
    if (self.name === 'one') primaryUrl = self.advertiseUrl;
    return new StaticLease({ self, primary: { kind: 'name', name: 'one' }, primaryUrl });
  };
  const one = await cluster.start('one', store);
  const two = await cluster.start('two', store);
  return [one, two];
}

describe('two nodes under a static rule', () => {
  test('what is written on one is read on the other', async () => {
    const [one, two] = await staticPair();
    await until(() => one.node.role === 'primary', 'one is primary');
    const writer = create(one);
    for (let count = 0; count < 200; count += 1) {
      writer.prepare('INSERT INTO item (text) VALUES (?)').run(`row ${count}`);
    }
    await until(
      () => one.node.databases.get('app.db')?.position().txid === 201 || inStep(one, two),
      'captured',
    );
    await until(() => inStep(one, two), 'in step');
    await until(() => two.node.isReady, 'ready');
    expect(texts(app(two))).toHaveLength(200);
    expect(two.logged.filter((line) => line.startsWith('warn'))).toEqual([]);
    expect(() => app(two).exec(`INSERT INTO item (text) VALUES ('no')`)).toThrow(/locked/);
  });
});

describe('three nodes that share a lease', () => {
  async function trio(): Promise<{ leases: MemoryLeases; nodes: TestNode[]; store: MakeStore }> {
    const leases = new MemoryLeases();
    const store: MakeStore = (self) => leases.store(self);
    const nodes: TestNode[] = [];
    for (const name of ['a', 'b', 'c']) nodes.push(await cluster.start(name, store));
    await until(() => nodes.some(({ node }) => node.role === 'primary'), 'a primary');
    return { leases, nodes, store };
  }
  const primaryOf = (nodes: readonly TestNode[]): TestNode => {
    const primary = nodes.find(({ node }) => node.role === 'primary');
    if (primary === undefined) throw new Error('there is no primary');
    return primary;
  };

  test('a hand-off moves the right to write and loses nothing', async () => {
    const { nodes } = await trio();
    const old = primaryOf(nodes);
    create(old).exec(`INSERT INTO item (text) VALUES ('before')`);
    await until(() => nodes.every((each) => inStep(old, each)), 'in step');
    await old.node.handOff();
    await until(
      () => nodes.some((each) => each !== old && each.node.role === 'primary'),
      'another',
    );
    const next = primaryOf(nodes);
    expect(next).not.toBe(old);
    app(next).exec(`INSERT INTO item (text) VALUES ('after')`);
    const reader = app(old);
    await until(() => texts(reader).length === 2, 'the old one follows');
    expect(texts(reader)).toEqual(['before', 'after']);
    expect(old.node.databases.get('app.db')?.role).toBe('replica');
    expect(next.node.epoch).toBe(2);
  });

  test('when the primary loses the store, another leads and what only it had is set aside', async () => {
    const { leases, nodes } = await trio();
    const old = primaryOf(nodes);
    const writer = create(old);
    await until(() => nodes.every((each) => inStep(old, each)), 'in step');
    await old.node.server.close('a test cuts the streams');
    leases.unreachable.add(old.node.identity.name);
    await until(
      () => nodes.some((each) => each !== old && each.node.role === 'primary'),
      'another',
    );
    expect(() => writer.exec(`INSERT INTO item (text) VALUES ('late')`)).toThrow(/locked/);
    const next = primaryOf(nodes.filter((each) => each !== old));
    app(next).exec(`INSERT INTO item (text) VALUES ('new')`);
    leases.unreachable.clear();
    leases.changed();
    await until(() => nodes.every((each) => inStep(next, each)), 'all follow');
    expect(nodes.filter(({ node }) => node.role === 'primary')).toEqual([next]);
  });

  test('databases in folders, new ones and dropped ones are followed', async () => {
    const { nodes } = await trio();
    const primary = primaryOf(nodes);
    mkdirSync(join(primary.folder, 'tenants/eu'), { recursive: true });
    create(primary, 'tenants/eu/one.db').exec(`INSERT INTO item (text) VALUES ('x')`);
    create(primary, 'two.sqlite');
    await until(() => nodes.every((each) => inStep(primary, each, 'tenants/eu/one.db')), 'one');
    await until(() => nodes.every((each) => inStep(primary, each, 'two.sqlite')), 'two');
    for (const opened of apps.splice(0)) opened.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(primary.folder, `two.sqlite${suffix}`));
    const has = (each: TestNode): boolean => existsSync(join(each.folder, 'two.sqlite'));
    await until(() => !nodes.some(has), 'dropped everywhere');
    const names = nodes.map(({ node }) => Object.keys(node.positions()));
    expect(names).toEqual(nodes.map(() => ['tenants/eu/one.db']));
  });

  test('a node that starts anew on its folder goes on where it was', async () => {
    const { nodes, store } = await trio();
    const primary = primaryOf(nodes);
    const writer = create(primary);
    await until(() => nodes.every((each) => inStep(primary, each)), 'in step');
    const other = nodes.find((each) => each !== primary);
    await other?.stop();
    for (let count = 0; count < 50; count += 1) writer.exec(`INSERT INTO item (text) VALUES ('x')`);
    const again = await cluster.start(other?.node.identity.name ?? '', store);
    await until(() => inStep(primary, again), 'in step again');
    expect(again.logged.filter((line) => line.includes('repair'))).toEqual([]);
    expect(again.node.databases.get('app.db')?.settlement).toMatchObject({ gapPages: 0 });
  });
});
