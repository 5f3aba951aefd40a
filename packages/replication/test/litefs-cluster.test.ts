import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { TestCluster, until, type TestNode } from './cluster.ts';
import { follow } from './engine-nodes.ts';
import { ForeignPair } from './foreign-pair.ts';
import { MemoryLeases } from './memory-lease.ts';

/** What LiteFS tests of several nodes, with titles in its words. */

let cluster = new TestCluster();
const apps: DatabaseSync[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) app.close();
  await cluster.close();
  cluster = new TestCluster();
});

async function nodes(...names: readonly string[]): Promise<TestNode[]> {
  const leases = new MemoryLeases();
  const started: TestNode[] = [];
  for (const name of names) started.push(await cluster.start(name, (self) => leases.store(self)));
  await until(() => started.some(({ node }) => node.role === 'primary'), 'a primary');
  return started;
}

function primaryOf(all: readonly TestNode[]): TestNode {
  const primary = all.find(({ node }) => node.role === 'primary');
  if (primary === undefined) throw new Error('there is no primary');
  return primary;
}

function app({ folder }: TestNode): DatabaseSync {
  const opened = new DatabaseSync(join(folder, 'app.db'), { timeout: 5000 });
  apps.push(opened);
  return opened;
}

async function untilInStep(all: readonly TestNode[]): Promise<void> {
  await until(() => {
    const primary = all.find(({ node }) => node.role === 'primary');
    primary?.node.capture();
    const digests = all.map(({ node }) => node.databases.get('app.db')?.digest() ?? '');
    return digests.every((digest) => digest !== '' && digest === digests[0]);
  }, 'in step');
}

function countOf(node: TestNode): unknown {
  return app(node).prepare('SELECT count(*) AS n FROM item').get()?.['n'];
}

test('a primary flip-flop, A to B to A, loses nothing', async () => {
  const all = await nodes('a', 'b');
  app(primaryOf(all)).exec('PRAGMA journal_mode=wal; CREATE TABLE item (text)');
  for (let turn = 0; turn < 4; turn += 1) {
    const old = primaryOf(all);
    app(old).exec(`INSERT INTO item VALUES ('turn ${turn}')`);
    await untilInStep(all);
    const { server } = old.node;
    await until(() => server.sessions.some(({ isReady }) => isReady), 'the other is in step');
    await old.node.handOff();
    await until(
      () => all.some((each) => each !== old && each.node.role === 'primary'),
      'the other leads',
    );
  }
  await untilInStep(all);
  expect(all.map(countOf)).toEqual([4, 4]);
});

test('of a concurrent promote of two nodes, one succeeds, and there is one primary', async () => {
  const all = await nodes('a', 'b', 'c');
  const old = primaryOf(all);
  app(old).exec('PRAGMA journal_mode=wal; CREATE TABLE item (text)');
  await untilInStep(all);
  const names = all.filter((each) => each !== old).map(({ node }) => node.identity.name);
  const promotions = await Promise.allSettled(names.map((name) => old.node.handOff(name)));
  expect(promotions.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  await until(() => all.filter(({ node }) => node.isPrimaryNow()).length === 1, 'one primary');
  expect(primaryOf(all)).not.toBe(old);
  app(primaryOf(all)).exec(`INSERT INTO item VALUES ('after')`);
  await untilInStep(all);
  expect(all.map(countOf)).toEqual([1, 1, 1]);
});

test('nobody meets ‘locking protocol’ during a snapshot, while writes go on', async () => {
  await using pair = new ForeignPair();
  await pair.begin();
  const reader = pair.program();
  const failures: string[] = [];
  const over = new AbortController();
  const reading = (async () => {
    while (!over.signal.aborted) {
      await reader.open(pair.path);
      await reader.run('SELECT count(*) FROM item').catch((error: unknown) => {
        failures.push(String(error));
      });
    }
  })();
  for (let count = 0; count < 40; count += 1) {
    await pair.app.run(`INSERT INTO item (text, pad) VALUES ('row ${count}', randomblob(5000))`);
    const view = pair.primary.openView();
    const page = new Uint8Array(view.pageSize);
    for (let pgno = 1; pgno <= view.pageCount; pgno += 1) view.readPage(pgno, page);
    view.close();
    await follow(pair.primary, pair.replica);
  }
  over.abort();
  await reading;
  expect(failures).toEqual([]);
  expect(await pair.problemsAtEnd()).toEqual([]);
});
