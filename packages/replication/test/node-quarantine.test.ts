import { readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { QuarantineKind } from '../src/index.ts';
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

const start = (name: string, from = leases): Promise<TestNode> =>
  cluster.start(name, (self) => from.store(self));

/** `a` is primary, `b` follows, and both have a database with one row. */
async function pair(): Promise<[TestNode, TestNode]> {
  const a = await start('a');
  await until(() => a.node.isPrimaryNow(), 'a leads');
  const b = await start('b');
  insert(apps.create(a), 'first');
  await until(() => inStep(a, b), 'in step');
  return [a, b];
}

/** What is told of the only case: by its folder, by the log, and by the counts. */
function toldOf({ node, logged }: TestNode): readonly unknown[] {
  const said = logged.filter((line) => line.startsWith('warn set aside '));
  return [
    node.quarantine.list(),
    said.map((line): unknown => JSON.parse(line.slice('warn set aside '.length))),
    Object.entries(node.quarantine.counts).filter(([, count]) => count > 0),
  ];
}

/** Of a case there is a folder, one line in the log that says what, where and why, and a count. */
function aCase(kind: QuarantineKind, txid: number): readonly unknown[] {
  const facts: object = {
    kind,
    epoch: expect.any(Number),
    minTxid: txid,
    maxTxid: txid,
    folder: expect.stringContaining('/state/quarantine/'),
    reason: expect.stringMatching(/\.$/),
  };
  return [
    [{ ...facts, database: 'app.db', atMs: expect.any(Number) }],
    [{ ...facts, name: 'app.db' }],
    [[kind, 1]],
  ];
}

test('transactions that only a lost primary had are told of when they are set aside', async () => {
  const [a, b] = await pair();
  const writer = apps.open(a);
  writer.exec('BEGIN IMMEDIATE');
  insert(writer, 'late');
  leases.unreachable.add('a');
  await until(() => b.node.isPrimaryNow(), 'b leads', 20_000);
  insert(apps.open(b), 'new');
  b.node.capture();
  leases.unreachable.clear();
  leases.changed();
  await until(() => a.node.primary?.name === 'b', 'a knows of b');
  writer.exec('COMMIT');
  await until(() => inStep(b, a), 'a follows', 20_000);
  expect(toldOf(a)).toEqual(aCase('diverged', 2));
});

test('a write to a replica is told of when it is set aside', async () => {
  const [a, b] = await pair();
  await b.stop();
  insert(apps.open(b), 'foreign');
  const again = await start('b');
  await until(() => inStep(a, again), 'in step');
  expect(toldOf(again)).toEqual(aCase('foreign_write', 2));
  expect(apps.texts(again)).toEqual(['first']);
});

test('a dropped database is told of when a replica sets it aside', async () => {
  const [a, b] = await pair();
  apps.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(a.folder, `app.db${suffix}`));
  a.node.capture();
  await until(() => b.node.databases.get('app.db') === undefined, 'b drops it');
  expect(toldOf(b)).toEqual(aCase('dropped', 1));
});

test('data of another cluster is told of when it is set aside', async () => {
  const others = new MemoryLeases();
  const alone = await start('b', others);
  await until(() => alone.node.isPrimaryNow(), 'b leads its own cluster');
  insert(apps.create(alone), 'of another cluster');
  alone.node.capture();
  await alone.stop();
  others.close();
  const a = await start('a');
  await until(() => a.node.isPrimaryNow(), 'a leads');
  insert(apps.create(a), 'first');
  const b = await start('b');
  await until(() => inStep(a, b), 'in step');
  expect(toldOf(b)).toEqual(aCase('other_cluster', 1));
});

test('files of the log that cannot be read are told of when they are set aside', async () => {
  const [a, b] = await pair();
  insert(apps.open(a), 'second');
  await until(() => inStep(a, b), 'in step');
  await b.stop();
  const log = join(cluster.folderOf('b'), 'state/databases/app.db/ltx');
  const newest = readdirSync(log)
    .filter((name) => name.endsWith('.ltx'))
    .toSorted()
    .at(-1);
  truncateSync(join(log, newest ?? ''), 50);
  const again = await start('b');
  await until(() => inStep(a, again), 'in step');
  expect(toldOf(again)).toEqual(aCase('log_files', 2));
  expect(readdirSync(again.node.quarantine.list()[0]?.folder ?? '')).toEqual([
    `${newest}.damaged`,
    'why.json',
  ]);
});
