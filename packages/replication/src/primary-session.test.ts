import { lockPage } from '@tandem/ltx';
import { expect, test } from 'vitest';
import { ModelDatabase, modelPage } from '../test/stream-model.ts';
import { EpochHistory } from './epoch-history.ts';
import { RepairSender } from './repair-sender.ts';
import { DatabaseFeed, planCatchUp, type ReplicaState } from './database-feed.ts';

/** Transactions 1 to 3 in epoch 2, 4 and 5 in epoch 4. */
function primaryDatabase(): ModelDatabase {
  const database = new ModelDatabase('a.db');
  database.begin(2);
  for (let txid = 1; txid <= 3; txid += 1) database.commit(new Map([[1, modelPage(txid)]]), 2);
  database.begin(4);
  for (let txid = 4; txid <= 5; txid += 1) database.commit(new Map([[1, modelPage(txid)]]));
  return database;
}

const IN_2 = EpochHistory.EMPTY.begin(2, 1);
const IN_4 = IN_2.begin(4, 4);

function replicaAt(txid: number, history: EpochHistory, pageSize = 512): ReplicaState {
  return { position: history.positionOf(txid), history, pageSize };
}

test.each([
  ['one with nothing is repaired', replicaAt(0, EpochHistory.EMPTY, 0), { kind: 'repair' }],
  ['one at the position follows', replicaAt(5, IN_4), { kind: 'follow', fromTxid: 5 }],
  ['one behind, in an earlier epoch, follows', replicaAt(2, IN_2), { kind: 'follow', fromTxid: 2 }],
  [
    'one ahead in an earlier epoch has diverged',
    replicaAt(7, IN_2),
    { kind: 'diverged', sharedTxid: 3 },
  ],
  [
    'one with the same number in an earlier epoch has diverged',
    replicaAt(5, IN_2),
    { kind: 'diverged', sharedTxid: 3 },
  ],
  [
    'one of another origin has diverged from the first transaction on',
    replicaAt(2, EpochHistory.EMPTY.begin(3, 1)),
    { kind: 'diverged', sharedTxid: 0 },
  ],
  ['one with pages of another size is repaired', replicaAt(5, IN_4, 4096), { kind: 'repair' }],
])('%s', (_, replica, plan) => {
  expect(planCatchUp(primaryDatabase(), replica)).toEqual(plan);
});

test('one that is behind by a log longer than the database is repaired', () => {
  const database = primaryDatabase();
  database.bytesAfter = () => (64 << 20) + 1;
  expect(planCatchUp(database, replicaAt(2, IN_2))).toEqual({ kind: 'repair' });
  database.pageCount = () => (64 << 20) / 512 + 1;
  expect(planCatchUp(database, replicaAt(2, IN_2))).toEqual({ kind: 'follow', fromTxid: 2 });
  database.bytesAfter = () => 64 << 20;
  database.pageCount = () => 2;
  expect(planCatchUp(database, replicaAt(2, IN_2))).toEqual({ kind: 'follow', fromTxid: 2 });
});

test('a history and a head are told once each until they change', () => {
  const database = primaryDatabase();
  const feed = new DatabaseFeed(database, replicaAt(4, IN_4));
  expect(feed.newHistory()).toMatchObject({ name: 'a.db', epoch: 4, txid: 5 });
  expect(feed.newHistory()).toBeUndefined();
  const unsentBytes = database.readFrom(5)?.bytes.length;
  expect(feed.newHead(undefined)).toEqual({ name: 'a.db', epoch: 4, txid: 5, unsentBytes });
  expect(feed.newHead(undefined)).toBeUndefined();
  feed.sentTxid = 5;
  expect(feed.newHead(undefined)).toEqual({ name: 'a.db', epoch: 4, txid: 5, unsentBytes: 0 });
  database.begin(6);
  expect(feed.newHistory()?.history.highestEpoch).toBe(6);
});

test('a repair asks only for groups that differ and are there, a few ahead, and sends what differs', () => {
  const database = new ModelDatabase('a.db');
  database.begin(1);
  database.commit(new Map(), 6 * 1024);
  const held = new ModelDatabase('a.db');
  held.begin(1);
  // Groups 0 to 3 are there, of which 1 and 3 differ in a page; 4 and 5 are not.
  held.commit(
    new Map([
      [1024 + 7, modelPage(0)],
      [3 * 1024 + 9, modelPage(0)],
    ]),
    4 * 1024,
  );
  const sender = new RepairSender(database, 1);
  expect(sender.next()).toMatchObject({ kind: 'repair', pageCount: 6144, txid: 1 });
  expect(sender.next()).toBeUndefined();
  sender.takeGroups({
    kind: 'groups',
    name: 'a.db',
    isLast: false,
    bytes: held.groupDigests().subarray(0, 16),
  });
  expect(sender.next()).toBeUndefined();
  sender.takeGroups({
    kind: 'groups',
    name: 'a.db',
    isLast: true,
    bytes: held.groupDigests().subarray(16),
  });
  expect(sender.next()).toEqual({ kind: 'query', name: 'a.db', groups: [1, 3] });
  expect(sender.next()).toBeUndefined();
  for (const group of [1, 3]) {
    sender.takeDigests({ kind: 'digests', name: 'a.db', group, bytes: held.pageDigests(group) });
  }
  expect(sender.unsentBytes).toBe(4 * 1024 * 512);
  const pages: number[] = [];
  let message = sender.next();
  for (; message?.kind === 'pages'; message = sender.next()) {
    const { pgno, bytes } = message;
    for (let at = 0; at < bytes.length; at += 512) pages.push(pgno + at / 512);
  }
  const absent = Array.from({ length: 2048 }, (_, index) => 4097 + index);
  expect(pages).toEqual([1024 + 7, 3 * 1024 + 9, ...absent]);
  expect(message).toMatchObject({ kind: 'repaired', digest: database.digest() });
  expect(sender.isSent).toBe(true);
  expect(sender.unsentBytes).toBe(0);
  sender.close();
  expect(database.openViews).toBe(0);
});

test('all pages are sent to a replica that has none, but for the lock page', () => {
  const pageSize = 65_536;
  const pageCount = lockPage(pageSize) + 5;
  const database = primaryDatabase();
  const view = database.openView();
  database.openView = () => ({
    ...view,
    pageSize,
    pageCount,
    groupDigests: () => new Uint8Array(16 * Math.ceil(pageCount / 1024)).fill(1),
    pageDigests: () => expect.unreachable(),
    readPages: () => {},
  });
  const sender = new RepairSender(database, 4);
  sender.next();
  sender.takeGroups({ kind: 'groups', name: 'a.db', isLast: true, bytes: new Uint8Array() });
  const pages: number[] = [];
  let message = sender.next();
  for (; message?.kind === 'pages'; message = sender.next()) {
    const { pgno, bytes } = message;
    expect(bytes.length).toBeLessThanOrEqual(1 << 18);
    for (let at = 0; at < bytes.length; at += pageSize) pages.push(pgno + at / pageSize);
    sender.reuse(message);
  }
  const all = Array.from({ length: pageCount }, (_, index) => index + 1);
  expect(pages).toEqual(all.filter((pgno) => pgno !== lockPage(pageSize)));
  expect(message?.kind).toBe('repaired');
});

test('answers to questions that were not asked are refused', () => {
  const sender = new RepairSender(primaryDatabase(), 4);
  const groups = { kind: 'groups', name: 'a.db', isLast: true } as const;
  expect(() => sender.takeGroups({ ...groups, bytes: new Uint8Array() })).toThrow('out of place');
  sender.next();
  expect(() => sender.takeGroups({ ...groups, bytes: new Uint8Array(17) })).toThrow('out of place');
  expect(() => sender.takeGroups({ ...groups, bytes: new Uint8Array(32) })).toThrow('out of place');
  sender.takeGroups({ ...groups, bytes: new Uint8Array(16).fill(1) });
  const digests = { kind: 'digests', name: 'a.db' } as const;
  const bytes = new Uint8Array(32);
  expect(() => sender.takeDigests({ ...digests, group: 0, bytes })).toThrow('out of place');
  expect(sender.next()).toMatchObject({ kind: 'query', groups: [0] });
  expect(() => sender.takeDigests({ ...digests, group: 1, bytes })).toThrow('out of place');
  sender.takeDigests({ ...digests, group: 0, bytes });
  expect(() => sender.takeDigests({ ...digests, group: 0, bytes })).toThrow('out of place');
});
