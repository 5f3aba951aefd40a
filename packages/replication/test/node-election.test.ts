import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReplicationNodeOptions } from '../src/index.ts';
import { TestCluster, TestLinks, until, type TestNode } from './cluster.ts';
import { MemoryLeases } from './memory-lease.ts';
import { inStep, insert, TestApps } from './test-apps.ts';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

let cluster: TestCluster;
let leases: MemoryLeases;
let links: TestLinks;
let apps: TestApps;
let nodes: Map<Name, TestNode>;
beforeEach(async () => {
  cluster = new TestCluster();
  leases = new MemoryLeases();
  links = await TestLinks.between(NAMES);
  apps = new TestApps();
  nodes = new Map();
  return async () => {
    apps.close();
    leases.unreachable.clear();
    await links.close();
    await cluster.close();
    leases.close();
  };
});
afterEach(() => apps.close());

async function start(name: Name, options: Partial<ReplicationNodeOptions> = {}): Promise<TestNode> {
  const node = await cluster.start(name, (self) => leases.store(self), { links, ...options });
  nodes.set(name, node);
  return node;
}

/** The first is primary, and the others follow it, with a database that all have. */
async function startAll(options: Partial<ReplicationNodeOptions> = {}): Promise<TestNode[]> {
  const a = await start('a', options);
  await until(() => a.node.isPrimaryNow(), 'a leads');
  const others = [await start('b', options), await start('c', options)];
  apps.create(a);
  apps.create(a, 'other.db');
  const all = [a, ...others];
  await until(
    () => all.every((each) => inStep(a, each) && inStep(a, each, 'other.db')),
    'all in step',
  );
  await until(() => leases.members.length === 3, 'all are recorded');
  return all;
}

/** Nobody reaches the node, and it reaches nobody. */
function isolate(name: Name): void {
  for (const other of NAMES) if (other !== name) links.set(name, other, 'cut');
  leases.unreachable.add(name);
}

function heal(): void {
  for (const a of NAMES) for (const b of NAMES) if (a !== b) links.set(a, b, 'open');
  leases.unreachable.clear();
  leases.changed();
}

const confirmed = { mode: 'one', timeoutMs: 10_000, onTimeout: 'block' } as const;
const leads =
  ({ node }: TestNode) =>
  (): boolean =>
    node.isPrimaryNow();

describe('when the primary is lost', () => {
  test('what one replica confirmed in one database and another in another is on the next primary', async () => {
    const [a, b, c] = (await startAll({ repairBytesPerSecond: 20_000 })) as [
      TestNode,
      TestNode,
      TestNode,
    ];
    // c confirms a row that b does not get for a long time: too large, and no longer in the log.
    await b.stop();
    insert(apps.open(a), 'x'.repeat(500_000));
    a.node.capture();
    insert(apps.open(a), 'confirmed by c');
    await a.node.confirm(confirmed);
    const database = a.node.databases.get('app.db');
    expect(database?.log?.removeThrough(Infinity)).toBeGreaterThan(0);
    const slow = await start('b');
    await until(() => slow.node.streamState === 'catching-up', 'b begins');
    links.set('a', 'c', 'cut');
    insert(apps.open(a, 'other.db'), 'confirmed by b');
    await a.node.confirm({ ...confirmed, mode: 'none' });
    await until(() => inStep(a, slow, 'other.db'), 'b has it');
    expect([inStep(a, slow), inStep(a, c, 'other.db')]).toEqual([false, false]);
    isolate('a');
    await until(() => leads(slow)() || leads(c)(), 'another leads', 30_000);
    const next = leads(slow)() ? slow : c;
    expect(apps.texts(next).at(-1)).toBe('confirmed by c');
    expect(apps.texts(next, 'other.db')).toEqual(['confirmed by b']);
  });

  test('but can still be reached, the next one fetches what only it has', async () => {
    const [a, b, c] = (await startAll()) as [TestNode, TestNode, TestNode];
    const writer = apps.open(a);
    // Streams end and cannot begin anew: to the store the primary is gone.
    leases.unreachable.add('a');
    await a.node.server.close('a test cuts the streams');
    insert(writer, 'late');
    await until(() => leads(b)() || leads(c)(), 'another leads', 20_000);
    const next = leads(b)() ? b : c;
    expect(apps.texts(next)).toEqual(['late']);
    expect(() => insert(writer, 'too late')).toThrow(/locked/);
    heal();
    await until(() => [a, b, c].every((each) => inStep(next, each)), 'all follow');
    expect(a.node.quarantine.list()).toEqual([]);
  });

  test('and cannot be reached, what only it has is set aside when it is back', async () => {
    const [a, b, c] = (await startAll()) as [TestNode, TestNode, TestNode];
    isolate('a');
    insert(apps.open(a), 'only here');
    await until(() => leads(b)() || leads(c)(), 'another leads', 20_000);
    const next = leads(b)() ? b : c;
    insert(apps.open(next), 'new');
    heal();
    await until(() => inStep(next, a), 'the old one follows', 20_000);
    expect(apps.texts(a)).toEqual(['new']);
    expect(a.node.quarantine.list()).toMatchObject([
      { database: 'app.db', minTxid: 2, maxTxid: 2 },
    ]);
  });

  test('in mode majority nobody leads who hears too few to know of every confirmed write', async () => {
    const acknowledge = { mode: 'majority', timeoutMs: 5000, onTimeout: 'block' } as const;
    const [, b, c] = (await startAll({ acknowledge })) as [TestNode, TestNode, TestNode];
    isolate('a');
    links.set('b', 'c', 'cut');
    const declined = 'may have confirmed writes';
    const all = [b, c];
    await until(
      () => all.every(({ logged }) => logged.join().includes(declined)),
      'they decline',
      20_000,
    );
    expect(all.filter(({ node }) => node.isPrimaryNow())).toEqual([]);
    links.set('b', 'c', 'open');
    await until(() => leads(b)() || leads(c)(), 'one leads', 20_000);
  });
});

describe('who may lead', () => {
  test('a node that is no candidate never leads, also alone, and nobody hands off to it', async () => {
    const a = await start('a', { isCandidate: true });
    await until(leads(a), 'a leads');
    const b = await start('b', { isCandidate: false });
    apps.create(a);
    await until(() => inStep(a, b), 'in step');
    await expect(a.node.handOff('b')).rejects.toThrow('b is no candidate');
    expect(a.node.isPrimaryNow()).toBe(true);
    insert(apps.open(a), 'writes go on');
    await until(() => inStep(a, b), 'in step again');
    await a.stop();
    await until(() => b.node.primary === undefined, 'nobody leads');
    expect(b.node.role).toBe('none');
  });

  test('a new disk never wins over one with data', async () => {
    const [a, b, c] = (await startAll()) as [TestNode, TestNode, TestNode];
    insert(apps.open(a), 'kept');
    await until(() => [b, c].every((each) => inStep(a, each)), 'in step');
    for (const each of [b, c, a]) await each.stop();
    const empty = await start('b', foldersOf('elsewhere'));
    const declined = 'this node is new, and';
    await until(() => empty.logged.join().includes(declined), 'it declines');
    expect(empty.node.isPrimaryNow()).toBe(false);
    const back = await start('c');
    await until(() => inStep(back, empty), 'it has all', 20_000);
    expect(apps.texts(back)).toEqual(['kept']);
  });

  test('of two nodes of one name the second follows nobody, and says why', async () => {
    const a = await start('a');
    await until(leads(a), 'a leads');
    const twin = await cluster.start('a', (self) => leases.store(self), foldersOf('twin'));
    const said = 'another node has the name of this one';
    await until(() => twin.logged.join().includes(said), 'it says so');
    expect(twin.node.role).toBe('none');
    expect(twin.node.isReady).toBe(false);
  });
});

describe('the fail-safe rule', () => {
  test('a primary whose store is away stays while all members agree, and no other leads', async () => {
    const [a, b, c] = (await startAll({ isFailsafe: true })) as [TestNode, TestNode, TestNode];
    const { epoch } = a.node;
    for (const name of NAMES) leases.unreachable.add(name);
    const endMs = performance.now() + 2 * 3000;
    await until(
      () => !leases.isTaken && performance.now() > endMs,
      'the lease has run out',
      20_000,
    );
    insert(apps.open(a), 'still here');
    expect(await a.node.confirm(confirmed)).toBe(true);
    expect([b, c].filter(({ node }) => node.isPrimaryNow())).toEqual([]);
    heal();
    await until(() => leases.isTaken, 'somebody holds it again');
    await until(() => [b, c].every((each) => inStep(a, each)), 'in step');
    expect(a.node.epoch).toBeGreaterThanOrEqual(epoch);
  });

  test('it steps down when one of them does not answer', async () => {
    const [a] = (await startAll({ isFailsafe: true })) as [TestNode, TestNode, TestNode];
    links.set('a', 'c', 'cut');
    for (const name of NAMES) leases.unreachable.add(name);
    await until(() => !a.node.isPrimaryNow(), 'it steps down', 20_000);
    expect(() => insert(apps.open(a), 'no')).toThrow(/locked/);
  });

  test('a node that the primary has not recorded does not lead', async () => {
    const a = await start('a', { isFailsafe: true });
    await until(leads(a), 'a leads');
    apps.create(a);
    links.set('a', 'b', 'cut');
    const b = await start('b', { isFailsafe: true });
    await until(() => leases.members.length === 1, 'a is recorded alone');
    isolate('a');
    await until(() => !leases.isTaken, 'the lease is free', 20_000);
    await new Promise((resolve) => setImmediate(resolve));
    leases.changed();
    expect(b.node.isPrimaryNow()).toBe(false);
    heal();
    await until(leads(a), 'a leads again', 20_000);
    await until(() => inStep(a, b), 'b follows');
  });
});

/** Folders of a node that has another disk than the one of its name. */
function foldersOf(name: string): Pick<ReplicationNodeOptions, 'folder' | 'stateFolder'> {
  const folder = cluster.folderOf(name);
  return { folder: join(folder, 'databases'), stateFolder: join(folder, 'state') };
}
