import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StaticLease } from '@tandem/lease';
import { afterEach, describe, expect, test } from 'vitest';
import { TestCluster, until, type MakeStore, type TestNode } from './cluster.ts';

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
  from.prepare('SELECT text FROM item ORDER BY id').all().map(({ text }) => text);

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
    await until(() => one.node.role === 'primary', 'one is primary', 3000).catch((e) => { console.log(one.logged, two.logged, one.node.role); throw e; });
    const writer = create(one);
    for (let count = 0; count < 200; count += 1) {
      writer.prepare('INSERT INTO item (text) VALUES (?)').run(`row ${count}`);
    }
    await until(() => one.node.databases.get('app.db')?.position().txid === 201 || inStep(one, two), 'captured');
    await until(() => inStep(one, two), 'in step');
    expect(two.node.isReady).toBe(true);
    expect(texts(app(two))).toHaveLength(200);
    expect(two.logged.filter((line) => line.startsWith('warn'))).toEqual([]);
    expect(() => app(two).exec(`INSERT INTO item (text) VALUES ('no')`)).toThrow(/locked/);
  });
});
