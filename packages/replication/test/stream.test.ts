import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AcknowledgementPolicy } from '../src/acknowledgements.ts';
import { StreamClient } from '../src/stream-client.ts';
import { STREAM_PATH, STREAM_PROTOCOL } from '../src/stream-server.ts';
import { systemStreamClock, type StreamReplica } from '../src/stream-source.ts';
import { MODEL_SETTINGS, modelIdentity } from './stream-model.ts';
import {
  Changes,
  ModelLink,
  ModelNode,
  MODEL_TOKEN,
  type ModelNodeOptions,
} from './stream-nodes.ts';

const ONE: AcknowledgementPolicy = { mode: 'one', timeoutMs: 60_000, onTimeout: 'degrade' };

let changes = new Changes();
let closings: (() => Promise<void>)[] = [];

beforeEach(() => {
  changes = new Changes();
  closings = [];
});

afterEach(async () => {
  for (const close of closings.reverse()) await close();
});

async function start(name: string, options?: ModelNodeOptions): Promise<ModelNode> {
  const node = await ModelNode.start(name, changes, options);
  closings.push(() => node.stop());
  return node;
}

async function linkTo(node: ModelNode): Promise<ModelLink> {
  const link = await ModelLink.open(() => node.port);
  closings.push(() => link.close());
  return link;
}

async function startPair(
  options: { primary?: ModelNodeOptions; replica?: ModelNodeOptions } = {},
): Promise<{ primary: ModelNode; replica: ModelNode; link: ModelLink }> {
  const primary = await start('n1', options.primary);
  primary.lead(1);
  const replica = await start('n2', options.replica);
  const link = await linkTo(primary);
  return { primary, replica, link };
}

/** Every state the replica was ever in is one the primary was in. */
function expectPrefix(replica: ModelNode, primary: ModelNode, name = 'a.db'): void {
  const truth = primary.database(name).reached;
  const reached = [...replica.database(name).reached];
  expect(reached.length).toBeGreaterThan(0);
  expect(reached).toEqual(reached.map(([position]) => [position, truth.get(position)]));
}

test('a replica gets every transaction, in order and as it was', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1, 2, 3]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  for (let round = 0; round < 50; round += 1) primary.commit([1 + (round % 5)]);
  await changes.until(() => replica.hasSameAs(primary));
  expectPrefix(replica, primary);
  expect(replica.database('a.db').reached.size).toBe(51);
  await changes.until(() => replica.readyCount === 1);
  expect(replica.client.state).toBe('following');
});

test('transactions that have arrived together are applied and confirmed together', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  const database = replica.database('a.db');
  const gate = Promise.withResolvers<void>();
  database.beforeApply = async () => {
    changes.notify();
    await gate.promise;
  };
  for (let round = 0; round < 50; round += 1) primary.commit([2]);
  const confirmed = (): number => primary.server.sessions[0]?.feeds[0]?.acknowledged?.txid ?? 0;
  await changes.until(() => primary.server.sessions[0]?.feeds[0]?.sentTxid === 51);
  expect(confirmed()).toBe(1);
  gate.resolve();
  await changes.until(() => confirmed() === 51);
  expect(database.runs.length).toBeLessThan(40);
  expect(database.runs.reduce((sum, files) => sum + files, 0)).toBe(50);
  expectPrefix(replica, primary);
});

test('several databases share the stream, one made later too', async () => {
  const { primary, replica, link } = await startPair();
  primary.lead(2, ['a.db', 'tenants/7.db']);
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  primary.commit([1], { name: 'a.db' });
  primary.commit([1, 2], { name: 'tenants/7.db' });
  const late = primary.database('late.db');
  late.begin(2);
  primary.commit([1, 2, 3], { name: 'late.db' });
  await changes.until(() =>
    ['a.db', 'tenants/7.db', 'late.db'].every((name) => replica.hasSameAs(primary, name)),
  );
  expect([...replica.databases.keys()].sort()).toEqual(['a.db', 'late.db', 'tenants/7.db']);
  for (const name of replica.databases.keys()) expectPrefix(replica, primary, name);
});

test('a replica that joins late gets the pages as they are, then what follows', async () => {
  const { primary, replica, link } = await startPair();
  for (let round = 0; round < 30; round += 1) primary.commit([1, 2, 3, 4], { pageCount: 2100 });
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  expect(replica.database('a.db').writtenPages).toBe(2100);
  primary.commit([7]);
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.database('a.db').reached.size).toBe(2);
  expectPrefix(replica, primary);
  expect(primary.database('a.db').openViews).toBe(0);
});

test('a replica that was away catches up from the log', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1, 2, 3]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  link.isDown = true;
  for (let round = 0; round < 20; round += 1) primary.commit([2]);
  link.isDown = false;
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.database('a.db').writtenPages).toBe(3);
  expect(replica.database('a.db').reached.size).toBe(21);
  expectPrefix(replica, primary);
});

test('a replica behind retention gets only the pages that differ', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1], { pageCount: 3000 });
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  const before = replica.database('a.db').writtenPages;
  link.isDown = true;
  for (let round = 0; round < 20; round += 1) primary.commit([5, 1500, 2999]);
  primary.commit([3001, 3002]);
  primary.database('a.db').retainFrom(15);
  link.isDown = false;
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.database('a.db').writtenPages - before).toBe(5);
  expectPrefix(replica, primary);
});

test('a database that has become smaller is repaired to its size', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1], { pageCount: 2500 });
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  link.isDown = true;
  primary.commit([3], { pageCount: 10 });
  primary.database('a.db').retainFrom(5);
  link.isDown = false;
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.database('a.db').pages.length).toBe(10);
});

test('an old primary with transactions nobody has sets them aside and is repaired', async () => {
  const { primary: old, replica: heir, link } = await startPair();
  old.commit([1], { pageCount: 1100 });
  heir.follow(link.url);
  await changes.until(() => heir.hasSameAs(old));
  link.isDown = true;
  old.commit([4, 5]);
  old.commit([6]);
  await old.stepDown();
  heir.follow(undefined);
  heir.lead(2);
  heir.commit([4, 7]);
  old.follow(heir.url);
  await changes.until(() => old.hasSameAs(heir));
  expect(old.database('a.db').quarantined).toEqual([{ afterTxid: 1, throughTxid: 3 }]);
  expect(old.database('a.db').writtenPages).toBe(3);
  heir.commit([9]);
  await changes.until(() => old.hasSameAs(heir));
});

test('the same transaction number in another epoch is another transaction', async () => {
  const { primary: old, replica: heir, link } = await startPair();
  old.commit([1, 2, 3]);
  heir.follow(link.url);
  await changes.until(() => heir.hasSameAs(old));
  link.isDown = true;
  old.commit([2]);
  await old.stepDown();
  heir.follow(undefined);
  heir.lead(2);
  heir.commit([3]);
  expect(heir.database('a.db').position().txid).toBe(old.database('a.db').position().txid);
  old.follow(heir.url);
  await changes.until(() => old.hasSameAs(heir));
  expect(old.database('a.db').quarantined).toEqual([{ afterTxid: 1, throughTxid: 2 }]);
});

test('a new epoch reaches a replica before anything is written in it', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  await primary.stepDown();
  primary.lead(5);
  await changes.until(() => replica.database('a.db').history().highestEpoch === 5);
  expect(replica.highestEpoch).toBe(5);
  expect(replica.database('a.db').history().toJSON()).toEqual(
    primary.database('a.db').history().toJSON(),
  );
});

test('a repair that is cut goes on where it was, with the pages that are missing', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1], { pageCount: 4000 });
  link.cutAfter(1_000_000);
  replica.follow(link.url);
  await changes.until(() => replica.ends.length > 0);
  const before = replica.database('a.db').writtenPages;
  expect(before).toBeGreaterThan(1000);
  expect(before).toBeLessThan(4000);
  expect(replica.database('a.db').position().txid).toBe(0);
  await changes.until(() => replica.hasSameAs(primary));
  // What was under way at the cut is sent again; what was staged is not.
  expect(replica.database('a.db').writtenPages).toBe(4000);
  await changes.until(() => primary.database('a.db').openViews === 0);
  expect(primary.endedSessions).toEqual(['n2 lost']);
});

test('a throttled repair of one database does not hold up another', async () => {
  const { primary, replica, link } = await startPair({
    primary: { repairBytesPerSecond: 20_000 },
  });
  primary.lead(2, ['a.db', 'big.db']);
  primary.commit([1], { name: 'a.db' });
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  primary.commit([1], { name: 'big.db', pageCount: 20_000 });
  await changes.until(() => (replica.databases.get('big.db')?.writtenPages ?? 0) > 0);
  for (let round = 0; round < 200; round += 1) primary.commit([1], { name: 'a.db' });
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.database('big.db').writtenPages).toBeLessThan(2000);
});

test('nor does one without a throttle, though it fills the connection', async () => {
  const { primary, replica, link } = await startPair();
  primary.lead(2, ['a.db', 'big.db']);
  primary.commit([1], { name: 'a.db' });
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  primary.commit([1], { name: 'big.db', pageCount: 60_000 });
  await changes.until(() => (replica.databases.get('big.db')?.writtenPages ?? 0) > 0);
  primary.commit([1], { name: 'a.db' });
  await changes.until(() => replica.database('a.db').position().txid === 2);
  expect(replica.database('big.db').writtenPages).toBeLessThan(60_000);
});

test('a long transaction comes in parts, one beyond the limit as pages', async () => {
  const { primary, replica, link } = await startPair({
    primary: { settings: { ltxBytesMax: 1 << 20 } },
    replica: { settings: { ltxBytesMax: 1 << 20 } },
  });
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  const seeds = Array.from({ length: 1500 }, (_, index) => index + 1);
  primary.commit(seeds);
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.database('a.db').writtenPages).toBe(1);
  primary.commit([...seeds, ...seeds.map((pgno) => pgno + 1500)]);
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.database('a.db').writtenPages).toBe(3001);
  expectPrefix(replica, primary);
});

test('a slow replica holds up neither the primary nor another, and is remembered by name only', async () => {
  const { primary, replica: slow, link } = await startPair();
  const quick = await start('n3');
  primary.commit(Array.from({ length: 16 }, (_, index) => index + 1));
  slow.follow(link.url);
  quick.follow(primary.url);
  await changes.until(() => slow.hasSameAs(primary) && quick.hasSameAs(primary));
  link.stop();
  const seeds = Array.from({ length: 16 }, (_, index) => index + 1);
  let sentBytes = 0;
  let lastTxid = 0;
  for (let round = 0; round < 300; round += 1) {
    for (let burst = 0; burst < 10; burst += 1) lastTxid = primary.commit(seeds);
    sentBytes += 10 * (primary.database('a.db').readFrom(lastTxid)?.bytes.length ?? 0);
    const position = primary.database('a.db').position();
    const outcome = await primary.acknowledgements.waitFor('a.db', position, ONE);
    expect(outcome).toBe('acknowledged');
  }
  expect(quick.hasSameAs(primary)).toBe(true);
  const feed = primary.server.sessions.find(({ node }) => node?.name === 'n2')?.feeds[0];
  // No more than the buffers of two sockets were taken from the log.
  const heldBytes = ((feed?.sentTxid ?? 0) / lastTxid) * sentBytes;
  expect(sentBytes).toBeGreaterThan(25_000_000);
  expect(heldBytes).toBeLessThan(16_000_000);
  link.go();
  await changes.until(() => slow.hasSameAs(primary));
  expectPrefix(slow, primary);
});

test('an acknowledgement means that the replica has applied it', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  const [entered, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  replica.database('a.db').beforeApply = () => {
    entered.resolve();
    return gate.promise;
  };
  primary.commit([2]);
  const seen: string[] = [];
  const waiting = primary.acknowledgements
    .waitFor('a.db', primary.database('a.db').position(), ONE)
    .then((outcome) => seen.push(`${outcome} at ${replica.database('a.db').position().txid}`));
  await entered.promise;
  // It answers no sooner, however much the primary would like to hear.
  await expect(primary.server.handOff('n2', { timeoutMs: 100 })).rejects.toThrow('within 100 ms');
  expect(seen).toEqual([]);
  gate.resolve();
  await waiting;
  expect(seen).toEqual(['acknowledged at 2']);
});

test('a replica that has gone no longer counts', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  await primary.acknowledgements.waitFor('a.db', primary.database('a.db').position(), ONE);
  link.isDown = true;
  await changes.until(() => primary.server.sessions.length === 0);
  const policy = { ...ONE, timeoutMs: 1 };
  const position = primary.database('a.db').position();
  expect(await primary.acknowledgements.waitFor('a.db', position, policy)).toBe('degraded');
});

test('a primary of a lower epoch is told that it is outdated, and is not followed', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.highestEpoch = 9;
  replica.follow(link.url);
  await changes.until(() => replica.ends.length > 0);
  expect(replica.ends[0]).toMatchObject({
    kind: 'refused',
    code: 'epoch_outdated',
    message: 'n2 has seen epoch 9; this primary is of epoch 1.',
  });
  expect(primary.outdatedBy[0]).toBe(9);
  expect(replica.databases.size).toBe(0);
});

test('a higher epoch seen while a stream goes on ends it at the next transaction', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  replica.highestEpoch = 4;
  primary.commit([1]);
  await changes.until(() => replica.ends.length > 0);
  expect(replica.ends[0]).toMatchObject({
    kind: 'outdated',
    message: 'The primary is of epoch 1, and this node has seen epoch 4.',
  });
  expect(replica.database('a.db').position().txid).toBe(1);
});

test('a node of another cluster is refused with both names', async () => {
  const { primary, replica, link } = await startPair({
    primary: { clusterId: 'cluster-a' },
    replica: { clusterId: 'cluster-b' },
  });
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.ends.length > 0);
  expect(replica.ends[0]).toMatchObject({
    kind: 'refused',
    code: 'cluster_differs',
    message: 'n2 belongs to cluster cluster-b, its primary n1 to cluster cluster-a.',
  });
  expect(replica.databases.size).toBe(0);
});

test('a node of another cluster that sets its data aside joins', async () => {
  const { primary, replica, link } = await startPair({
    primary: { clusterId: 'cluster-a' },
    replica: { clusterId: 'cluster-b' },
  });
  primary.commit([1, 2]);
  replica.lead(7, ['a.db', 'old.db']);
  replica.commit([1, 2, 3]);
  await replica.stepDown();
  replica.joinsOthers = true;
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.ends.map(({ code }) => code)).toEqual(['cluster_differs']);
  expect(replica.clusterId).toBe('cluster-a');
  expect([...replica.databases.keys()]).toEqual(['a.db']);
});

test('a node without a cluster takes over that of the primary', async () => {
  const { primary, replica, link } = await startPair({ primary: { clusterId: 'cluster-z' } });
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  expect(replica.clusterId).toBe(primary.clusterId);
});

test.each([
  ['a wrong token', { token: 'another' }, {}],
  ['no access for anybody', {}, { access: {} }],
  ['an empty token on both sides', { token: '' }, { access: { tokens: [''] } }],
])('%s is refused with 401 and plain text', async (_, replicaOptions, primaryOptions) => {
  const { primary, replica, link } = await startPair({
    replica: replicaOptions,
    primary: primaryOptions,
  });
  replica.follow(link.url);
  await changes.until(() => replica.ends.length > 0);
  expect(replica.ends[0]).toMatchObject({ kind: 'refused', code: 'http_401' });
  expect(replica.ends[0]?.message).toContain('Give all nodes of the cluster the same token');
  expect(primary.server.sessions).toEqual([]);
});

test('either of two tokens lets in while they are being changed', async () => {
  const { replica, link } = await startPair({
    primary: { access: { tokens: ['the-next-one', MODEL_TOKEN] } },
  });
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  expect(replica.ends).toEqual([]);
});

test('without a token, this machine is let in where that is said', async () => {
  const { replica, link } = await startPair({
    primary: { access: { isOpenOnLoopback: true } },
    replica: { token: 'whatever' },
  });
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  expect(replica.ends).toEqual([]);
});

test('a node that is not primary says so', async () => {
  const node = await start('n1');
  const replica = await start('n2');
  replica.follow(node.url);
  await changes.until(() => replica.ends.length > 0);
  expect(replica.ends[0]).toEqual({
    kind: 'refused',
    code: 'http_503',
    message: 'The primary answered 503: This node is not primary.',
  });
});

test('an upgrade to something else is refused with what is understood', async () => {
  const { primary } = await startPair();
  const { promise, resolve } = Promise.withResolvers<{ status: number; upgrade: unknown }>();
  const asked = request(new URL(STREAM_PATH, primary.url), {
    method: 'POST',
    headers: { connection: 'Upgrade', upgrade: 'tandem/9' },
  });
  asked.on('response', (answer) => {
    answer.resume();
    resolve({ status: answer.statusCode ?? 0, upgrade: answer.headers.upgrade });
  });
  asked.end();
  expect(await promise).toEqual({ status: 426, upgrade: STREAM_PROTOCOL });
});

test('nobody at the address is an end with a hint, and the replica tries again', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  link.isDown = true;
  replica.follow(link.url);
  await changes.until(() => replica.ends.length >= 3);
  expect(replica.ends[0]).toMatchObject({ kind: 'lost' });
  expect(replica.ends[0]?.hint).toContain('advertises an address');
  link.isDown = false;
  await changes.until(() => replica.hasSameAs(primary));
});

test('attempts that lead to nothing come at longer and longer intervals', async () => {
  const pausesMs: number[] = [];
  const connectTimeoutMs = 12_345;
  const client = new StreamClient({
    replica: primaryless(),
    target: () => new URL('http://127.0.0.1:1'),
    clock: {
      ...systemStreamClock,
      after: (delayMs, callback) => {
        if (delayMs !== connectTimeoutMs) pausesMs.push(delayMs);
        return systemStreamClock.after(delayMs === connectTimeoutMs ? delayMs : 0, callback);
      },
    },
    settings: MODEL_SETTINGS,
    backOff: { minMs: 100, maxMs: 1000 },
    random: () => 0,
    connectTimeoutMs,
    onEnd: () => (pausesMs.length < 5 ? 'reconnect' : 'stop'),
  });
  await client.run(new AbortController().signal);
  expect(pausesMs).toEqual([100, 200, 400, 800, 1000]);
});

test('a primary that is away is told of once, then ever more rarely', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  link.isDown = true;
  await changes.until(() => replica.ends.length >= 8);
  expect(replica.logged.slice(0, 2)).toEqual([
    'info the stream from the primary began',
    'warn the stream from the primary ended',
  ]);
  // The connection broke, then there was none: at most two ways of being away.
  expect(replica.logged.length).toBeLessThanOrEqual(3);
  const before = replica.logged.length;
  link.isDown = false;
  await changes.until(() => replica.readyCount === 2);
  expect(replica.logged.slice(before)).toEqual(['info the stream from the primary began']);
});

test('a node that reaches itself is told so', async () => {
  const node = await start('n1');
  node.lead(1);
  node.follow(node.url);
  await changes.until(() => node.ends.length > 0);
  expect(node.ends[0]).toMatchObject({
    code: 'own_stream',
    message: 'n1 has connected to itself.',
  });
});

test('a dropped database is dropped, and one the primary never had too', async () => {
  const { primary, replica, link } = await startPair();
  primary.lead(2, ['a.db', 'b.db']);
  primary.commit([1], { name: 'a.db' });
  primary.commit([1], { name: 'b.db' });
  replica.database('stray.db');
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary) && replica.hasSameAs(primary, 'b.db'));
  await changes.until(() => replica.dropped.includes('stray.db'));
  primary.drop('b.db');
  primary.commit([2], { name: 'a.db' });
  await changes.until(() => replica.dropped.includes('b.db') && replica.hasSameAs(primary));
  expect([...replica.databases.keys()]).toEqual(['a.db']);
});

test('a database that is dropped and made anew is a new one, to acknowledgements as well', async () => {
  const { primary, replica, link } = await startPair();
  for (let round = 0; round < 5; round += 1) primary.commit([1, 2]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  primary.drop('a.db');
  const anew = primary.database('a.db');
  anew.begin(1);
  primary.commit([7]);
  const position = anew.position();
  expect(await primary.acknowledgements.waitFor('a.db', position, ONE)).toBe('acknowledged');
  expect(replica.dropped).toEqual(['a.db']);
  expect(replica.hasSameAs(primary)).toBe(true);
});

test('a repair of a database that is dropped meanwhile is given up', async () => {
  const { primary, replica, link } = await startPair({ primary: { repairBytesPerSecond: 20_000 } });
  primary.commit([1], { pageCount: 5000 });
  replica.follow(link.url);
  await changes.until(() => (replica.databases.get('a.db')?.writtenPages ?? 0) > 0);
  primary.drop('a.db');
  await changes.until(() => replica.dropped.includes('a.db'));
  await changes.until(() => replica.readyCount === 1);
  expect(replica.ends).toEqual([]);
});

test('hand-off is confirmed when the replica holds the last position', async () => {
  const { primary, replica, link } = await startPair();
  primary.lead(3, ['a.db', 'b.db']);
  for (let round = 0; round < 40; round += 1) primary.commit([1, 2], { name: 'b.db' });
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  for (let round = 0; round < 40; round += 1) primary.commit([1, 2]);
  await primary.server.handOff('n2', { timeoutMs: 60_000 });
  expect(replica.hasSameAs(primary)).toBe(true);
  expect(replica.offers).toEqual([
    {
      epoch: 3,
      positions: [
        { name: 'a.db', epoch: 3, txid: 40 },
        { name: 'b.db', epoch: 3, txid: 40 },
      ],
    },
  ]);
  await primary.stepDown();
  await changes.until(() => replica.ends.length > 0);
  expect(replica.ends[0]?.kind).toBe('handed_off');
});

test('a replica that declines leaves the primary as it is', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.declines = 'it is not a candidate';
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  await expect(primary.server.handOff('n2', { timeoutMs: 60_000 })).rejects.toMatchObject({
    code: 'stream_hand_off_failed',
    message: 'The replica does not take over: it is not a candidate.',
  });
  primary.commit([2]);
  await changes.until(() => replica.hasSameAs(primary));
});

test('hand-off to a node that is not there, or stops answering, fails in time', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  await expect(primary.server.handOff('n9', { timeoutMs: 1 })).rejects.toThrow('not connected');
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  link.stop();
  await expect(primary.server.handOff('n2', { timeoutMs: 1 })).rejects.toThrow('within 1 ms');
  const second = primary.server.handOff('n2', { timeoutMs: 60_000 });
  link.cut();
  await expect(second).rejects.toThrow('the stream ended');
});

test('a late answer to an offer is not one to the next', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  link.stop();
  await expect(primary.server.handOff('n2', { timeoutMs: 1 })).rejects.toThrow('within 1 ms');
  primary.commit([2]);
  const second = primary.server.handOff('n2', { timeoutMs: 60_000 });
  link.go();
  await second;
  expect(replica.hasSameAs(primary)).toBe(true);
  expect(replica.offers.map(({ positions }) => positions[0]?.txid)).toEqual([1, 2]);
});

test('after a goodbye the replica comes back at once, after an abrupt end it comes back too', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  await primary.server.close('this node restarts');
  await changes.until(() => replica.readyCount === 2);
  link.cut();
  await changes.until(() => replica.readyCount === 3);
  expect(replica.ends.map(({ kind }) => kind)).toEqual(['ended', 'lost']);
  expect(replica.ends[0]?.message).toBe('this node restarts');
});

test('a node that connects anew replaces the stream it had', async () => {
  const { primary, replica } = await startPair();
  const twin = await start('n2');
  replica.follow(primary.url);
  await changes.until(() => replica.readyCount === 1);
  twin.follow(primary.url);
  await changes.until(() => replica.ends.length > 0);
  expect(replica.ends[0]).toMatchObject({ kind: 'ended', message: 'n2 has connected anew' });
});

test('members are known to replicas, and so are changes of them', async () => {
  const { primary, replica, link } = await startPair();
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  expect(replica.members).toEqual([modelIdentity('n1')]);
  primary.members = [modelIdentity('n1'), modelIdentity('n2')];
  primary.server.membersChanged();
  await changes.until(() => replica.members.length === 2);
  expect(replica.members).toEqual(primary.members);
});

test('a replica that fails to apply ends the stream with the reason, and loses nothing', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.hasSameAs(primary));
  const database = replica.database('a.db');
  const apply = database.apply.bind(database);
  let failures = 0;
  database.apply = (files) => {
    failures += 1;
    return failures === 1 ? Promise.reject(new Error('the disk is full')) : apply(files);
  };
  primary.commit([2]);
  await changes.until(() => replica.hasSameAs(primary));
  expect(replica.ends[0]).toMatchObject({ kind: 'failed', message: 'the disk is full' });
  expect(primary.endedSessions).toEqual(['n2 ended']);
});

test('lag is shown in transactions and bytes, and is nothing when all is applied', async () => {
  const { primary, replica, link } = await startPair();
  primary.commit([1]);
  replica.follow(link.url);
  await changes.until(() => replica.readyCount === 1);
  const gate = Promise.withResolvers<void>();
  replica.database('a.db').beforeApply = async () => {
    changes.notify();
    await gate.promise;
  };
  primary.commit([2]);
  await changes.until(() => (replica.client.lags().get('a.db')?.transactions ?? 0) === 1);
  expect(replica.client.lags().get('a.db')?.bytes).toBe(
    primary.database('a.db').readFrom(2)?.bytes.length,
  );
  gate.resolve();
  await changes.until(() => replica.hasSameAs(primary));
  await primary.acknowledgements.waitFor('a.db', primary.database('a.db').position(), ONE);
  expect(replica.client.lags().get('a.db')).toEqual({ transactions: 0, bytes: 0, seconds: 0 });
});

/** A replica that has nothing and never gets to anybody. */
function primaryless(): StreamReplica {
  return {
    identity: modelIdentity('n2'),
    clusterId: () => undefined,
    highestEpoch: () => 0,
    databases: () => [],
    open: () => {
      throw new Error('there is nothing to open');
    },
    drop: () => {},
    welcomed: () => {},
    membersChanged: () => {},
    ready: () => {},
    handOff: () => {},
  };
}
