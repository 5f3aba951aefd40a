import { randomBytes } from 'node:crypto';
import { duplexPair, type Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Acknowledgements } from '../src/acknowledgements.ts';
import { EpochHistory } from '../src/epoch-history.ts';
import { encodeFrameHead, MessageSocket } from '../src/message-framing.ts';
import { PrimarySession } from '../src/primary-session.ts';
import { ReplicaSession } from '../src/replica-session.ts';
import { ReplicationLags } from '../src/replication-lag.ts';
import {
  encodeMessage,
  PROTOCOL_VERSION,
  type StreamEnd,
  type StreamMessage,
  type StreamMessageOf,
} from '../src/stream-message.ts';
import type { StreamReplica } from '../src/stream-source.ts';
import { TransferRate } from '../src/transfer-rate.ts';
import {
  MODEL_PAGE_BYTES,
  MODEL_SETTINGS,
  ModelClock,
  ModelDatabase,
  modelIdentity,
  modelPage,
} from './stream-model.ts';

const PRIMARY = modelIdentity('n1');
const REPLICA = modelIdentity('n2');

/** What reaches the far side of a duplex, message by message. */
class Peer {
  readonly duplex: Duplex;
  readonly socket: MessageSocket;

  constructor(duplex: Duplex, clock: ModelClock) {
    this.duplex = duplex;
    this.socket = new MessageSocket(duplex, { clock, settings: MODEL_SETTINGS });
  }

  send(...messages: readonly StreamMessage[]): void {
    for (const message of messages) this.socket.send(message);
  }

  raw(bytes: Uint8Array): void {
    this.duplex.write(bytes);
  }

  /** Skips messages until one of this kind; undefined when the stream ends before. */
  async take<K extends StreamMessage['kind']>(
    kind: K,
  ): Promise<Extract<StreamMessage, { kind: K }> | undefined> {
    for (;;) {
      const message = await this.socket.next();
      if (message === undefined) return undefined;
      if (isOf(message, kind)) return message;
    }
  }
}

function isOf<K extends StreamMessage['kind']>(
  message: StreamMessage,
  kind: K,
): message is Extract<StreamMessage, { kind: K }> {
  return message.kind === kind;
}

interface PrimarySide {
  readonly session: PrimarySession;
  /** What the node has; the test may take it away. */
  readonly databases: Map<string, ModelDatabase>;
  readonly peer: Peer;
  readonly clock: ModelClock;
  readonly database: ModelDatabase;
  readonly acknowledgements: Acknowledgements;
  readonly end: Promise<StreamEnd>;
}

/** A primary of epoch 3 with three transactions, and whoever connects to it. */
function servePrimary(): PrimarySide {
  const clock = new ModelClock();
  const [near, far] = duplexPair();
  const database = new ModelDatabase('a.db');
  database.begin(3);
  for (let txid = 1; txid <= 3; txid += 1) database.commit(new Map([[1, modelPage(txid)]]), 2);
  const databases = new Map([['a.db', database]]);
  const acknowledgements = new Acknowledgements(3, clock);
  const session = new PrimarySession({
    primary: {
      identity: PRIMARY,
      clusterId: 'cluster-a',
      epoch: 3,
      acknowledgements,
      databases: () => databases.values(),
      database: (name) => databases.get(name),
      members: () => [PRIMARY],
      outdated: () => {},
    },
    socket: new MessageSocket(near, { clock, settings: MODEL_SETTINGS }),
    clock,
    settings: MODEL_SETTINGS,
    repairRate: new TransferRate(undefined, clock),
  });
  const peer = new Peer(far, clock);
  const end = session.run();
  return { session, databases, peer, clock, database, acknowledgements, end };
}

interface ReplicaSide {
  readonly peer: Peer;
  readonly clock: ModelClock;
  readonly databases: Map<string, ModelDatabase>;
  readonly end: Promise<StreamEnd>;
}

/** A replica that has seen epoch 2, and whoever it has connected to. */
function serveReplica(): ReplicaSide {
  const clock = new ModelClock();
  const [near, far] = duplexPair();
  const databases = new Map<string, ModelDatabase>();
  const open = (name: string): ModelDatabase => {
    const database = databases.get(name) ?? new ModelDatabase(name);
    databases.set(name, database);
    return database;
  };
  const replica: StreamReplica = {
    identity: REPLICA,
    clusterId: () => 'cluster-a',
    highestEpoch: () => 2,
    databases: () => databases.values(),
    open,
    drop: (name) => void databases.delete(name),
    welcomed: () => {},
    membersChanged: () => {},
    ready: () => {},
    handOff: () => {},
  };
  const socket = new MessageSocket(near, { clock, settings: MODEL_SETTINGS });
  const lags = new ReplicationLags();
  const session = new ReplicaSession({ replica, socket, clock, settings: MODEL_SETTINGS, lags });
  return { peer: new Peer(far, clock), clock, databases, end: session.run() };
}

const HELLO: StreamMessage = {
  kind: 'hello',
  version: PROTOCOL_VERSION,
  node: REPLICA,
  clusterId: '',
  epoch: 0,
};
const WELCOME: StreamMessage = {
  kind: 'welcome',
  clusterId: 'cluster-a',
  epoch: 3,
  node: PRIMARY,
  members: [],
};
const HISTORY = EpochHistory.EMPTY.begin(3, 1);

/** Messages that are well formed, about the databases there are, with numbers that may be. */
function anyMessage(): fc.Arbitrary<StreamMessage> {
  const small = fc.nat(4);
  const name = fc.constantFrom('a.db', 'b.db');
  const bytes = fc.constantFrom(
    new Uint8Array(),
    new Uint8Array(16).fill(1),
    new Uint8Array(17),
    modelPage(1),
    new Uint8Array(20_000),
  );
  const about = { name, epoch: fc.constantFrom(1, 3, 4) };
  const positions = fc.array(fc.record({ name, epoch: small, txid: small }), { maxLength: 3 });
  const make = <Fields extends object>(
    kind: StreamMessage['kind'],
    fields: { [F in keyof Fields]: fc.Arbitrary<Fields[F]> },
  ): fc.Arbitrary<StreamMessage> =>
    // The encoder and the sessions are what is tested; a missing field would fail there.
    fc.record(fields).map((values) => ({ kind, ...values }) as unknown as StreamMessage);
  const history = fc.constant(HISTORY);
  return fc.oneof(
    fc.constantFrom<StreamMessage>(HELLO, WELCOME, { kind: 'listed' }, { kind: 'ready' }),
    make('database', { ...about, txid: small, pageSize: small, history }),
    make('refused', { code: name, message: name, hint: name, clusterId: name }),
    make('members', { members: fc.constant([PRIMARY]) }),
    make('diverged', { ...about, sharedTxid: small }),
    make('ltx', {
      ...about,
      minTxid: small,
      maxTxid: small,
      timestampMs: small,
      totalBytes: fc.nat(600),
      bytes,
    }),
    make('part', { bytes }),
    make('repair', {
      ...about,
      positionEpoch: small,
      txid: small,
      pageSize: fc.constantFrom(MODEL_PAGE_BYTES, 7),
      pageCount: small,
      history,
    }),
    make('groups', { name, isLast: fc.boolean(), bytes }),
    make('query', { name, groups: fc.array(small, { maxLength: 3 }) }),
    make('digests', { name, group: small, bytes }),
    make('pages', { name, pgno: small, bytes }),
    make('repaired', { ...about, digest: name }),
    make('drop', about),
    make('gone', { name }),
    make('heartbeat', { clockMs: small, heads: fc.constant([]) }),
    make('ack', { positions }),
    make('offer', { epoch: small, attempt: small, isLast: fc.boolean(), positions }),
    make('accept', { attempt: small, problem: name }),
    make('end', { reason: name }),
  );
}

test('a primary is not brought down by any sequence of messages, and confirms nothing by them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyMessage(), { maxLength: 12 }),
      fc.boolean(),
      async (list, isGreeted) => {
        const { peer, database, acknowledgements, end } = servePrimary();
        const digest = database.digest();
        if (isGreeted) peer.send(HELLO, { kind: 'listed' });
        peer.send(...list);
        peer.socket.close();
        const { kind } = await end;
        expect(['ended', 'lost', 'malformed', 'refused']).toContain(kind);
        expect(database.digest()).toBe(digest);
        expect(database.openViews).toBe(0);
        expect(acknowledgements.counts.acknowledged).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});

test('a replica is not brought down by any sequence of messages, and applies nothing out of order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyMessage(), { maxLength: 12 }),
      fc.boolean(),
      async (list, isGreeted) => {
        const { peer, databases, end } = serveReplica();
        if (isGreeted) peer.send(WELCOME);
        peer.send(...list);
        peer.socket.close();
        const { kind } = await end;
        const known = ['ended', 'handed_off', 'lost', 'malformed', 'refused', 'outdated', 'failed'];
        expect(known).toContain(kind);
        for (const database of databases.values()) expect(database.position().txid).toBeLessThan(5);
        for (const database of databases.values()) expect(database.pages).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

test('neither side is brought down by bytes that are no messages', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 5, maxLength: 200 }), async (bytes) => {
      for (const side of [servePrimary(), serveReplica()]) {
        side.peer.raw(bytes);
        side.peer.duplex.end();
        expect(['lost', 'malformed', 'refused', 'ended']).toContain((await side.end).kind);
      }
    }),
    { numRuns: 200 },
  );
});

test('a message cut at every byte ends the stream without effect', async () => {
  const frame = encodeMessage(HELLO);
  const wire = Buffer.concat([encodeFrameHead(frame), frame.payload]);
  for (let cut = 0; cut < wire.length; cut += 1) {
    const { peer, end } = servePrimary();
    peer.raw(wire.subarray(0, cut));
    peer.duplex.end();
    expect((await end).message).toContain('closed the connection');
  }
});

test('a replica cannot confirm what it was not sent', async () => {
  const { peer, end, acknowledgements, database } = servePrimary();
  peer.send(HELLO, { kind: 'listed' });
  await peer.take('repair');
  peer.send({ kind: 'ack', positions: [{ name: 'a.db', epoch: 3, txid: 3 }] });
  peer.send({ kind: 'groups', name: 'a.db', isLast: true, bytes: new Uint8Array() });
  await peer.take('repaired');
  const waiting = acknowledgements.waitFor('a.db', database.position(), {
    mode: 'one',
    timeoutMs: 1,
    onTimeout: 'block',
  });
  expect(acknowledgements.counts.acknowledged).toBe(0);
  peer.send({ kind: 'ack', positions: [{ name: 'a.db', epoch: 3, txid: 3 }] });
  await expect(waiting).resolves.toBe('acknowledged');
  peer.send({ kind: 'ack', positions: [{ name: 'a.db', epoch: 3, txid: 4 }] });
  expect(await end).toMatchObject({ kind: 'malformed' });
});

test('a replica may still confirm earlier transactions when a repair has begun', async () => {
  const { peer, end, database } = servePrimary();
  const replica = new ModelDatabase('a.db');
  const bytes = database.readFrom(1)?.bytes ?? new Uint8Array();
  const history = database.history();
  await replica.apply([{ minTxid: 1, maxTxid: 1, bytes, epoch: 3, timestampMs: 0, history }]);
  database.retainFrom(3);
  peer.send(
    HELLO,
    {
      kind: 'database',
      name: 'a.db',
      ...replica.position(),
      pageSize: MODEL_PAGE_BYTES,
      history: replica.history(),
    },
    { kind: 'listed' },
  );
  await peer.take('repair');
  peer.send({ kind: 'ack', positions: [{ name: 'a.db', epoch: 3, txid: 1 }] });
  peer.send({ kind: 'groups', name: 'a.db', isLast: true, bytes: replica.groupDigests() });
  expect((await peer.take('query'))?.groups).toEqual([0]);
  peer.send({ kind: 'digests', name: 'a.db', group: 0, bytes: replica.pageDigests(0) });
  expect((await peer.take('pages'))?.pgno).toBe(1);
  expect((await peer.take('repaired'))?.digest).toBe(database.digest());
  peer.send({ kind: 'end', reason: 'enough' });
  expect(await end).toEqual({ kind: 'ended', message: 'enough' });
});

test('a new database of an old name waits until the old one is gone, and words about that do not count', async () => {
  const { session, databases, peer, clock, acknowledgements, end } = servePrimary();
  peer.send(HELLO, { kind: 'listed' });
  await peer.take('repair');
  peer.send({ kind: 'groups', name: 'a.db', isLast: true, bytes: new Uint8Array() });
  await peer.take('repaired');
  const anew = new ModelDatabase('a.db');
  anew.begin(3);
  anew.commit(new Map(), 1);
  databases.set('a.db', anew);
  session.dropped('a.db');
  session.changed('a.db');
  await peer.take('drop');
  peer.send({ kind: 'ack', positions: [{ name: 'a.db', epoch: 3, txid: 3 }] });
  clock.advance(MODEL_SETTINGS.heartbeatMs);
  const kinds: string[] = [];
  for (let kind = ''; kind !== 'heartbeat'; kinds.push(kind)) {
    kind = (await peer.socket.next())?.kind ?? 'heartbeat';
  }
  expect(kinds.filter((kind) => kind !== 'ready')).toEqual(['heartbeat']);
  expect(session.status.feeds).toEqual([]);
  peer.send({ kind: 'gone', name: 'a.db' });
  expect(await peer.take('repair')).toMatchObject({ txid: 1, pageCount: 1 });
  expect(acknowledgements.counts.acknowledged).toBe(0);
  peer.send({ kind: 'end', reason: 'enough' });
  expect(await end).toEqual({ kind: 'ended', message: 'enough' });
});

test('words about a dropped database do not count before its end is under way either', async () => {
  const { session, database, peer, acknowledgements, end } = servePrimary();
  peer.send(HELLO, { kind: 'listed' });
  await peer.take('repair');
  peer.send({ kind: 'groups', name: 'a.db', isLast: true, bytes: new Uint8Array() });
  await peer.take('repaired');
  peer.send({ kind: 'ack', positions: [{ name: 'a.db', epoch: 3, txid: 3 }] });
  const policy = { mode: 'one', timeoutMs: 1, onTimeout: 'block' } as const;
  await acknowledgements.waitFor('a.db', database.position(), policy);
  // Nobody takes it, so that what comes behind it has to wait.
  const pages = Array.from(
    { length: 3000 },
    (_, index) => [index + 1, new Uint8Array(randomBytes(MODEL_PAGE_BYTES))] as const,
  );
  database.commit(new Map(pages), pages.length);
  session.changed('a.db');
  await setImmediate();
  session.dropped('a.db');
  acknowledgements.dropped('a.db');
  peer.send({ kind: 'ack', positions: [{ name: 'a.db', epoch: 3, txid: 4 }] });
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
  expect(session.status.feeds).toHaveLength(1);
  void acknowledgements.waitFor('a.db', { epoch: 3, txid: 1 }, policy);
  expect(acknowledgements.counts).toMatchObject({ acknowledged: 1, waiting: 1 });
  await peer.take('drop');
  peer.send({ kind: 'end', reason: 'enough' });
  expect(await end).toEqual({ kind: 'ended', message: 'enough' });
});

test('a replica without a sign of life is given up, one with signs is kept', async () => {
  const { peer, clock, end } = servePrimary();
  peer.send(HELLO, { kind: 'listed' });
  await peer.take('welcome');
  for (let beat = 0; beat < 5; beat += 1) {
    clock.advance(MODEL_SETTINGS.silenceMsMax - 1);
    peer.send(
      { kind: 'ack', positions: [] },
      { kind: 'groups', name: 'a.db', isLast: false, bytes: new Uint8Array() },
    );
    await peer.take('heartbeat');
  }
  clock.advance(MODEL_SETTINGS.silenceMsMax);
  expect((await end).kind).toBe('silent');
});

test('a primary without a sign of life is given up', async () => {
  const { peer, clock, end } = serveReplica();
  peer.send(WELCOME);
  await peer.take('listed');
  clock.advance(MODEL_SETTINGS.silenceMsMax);
  expect((await end).kind).toBe('silent');
});

test('a replica shows that it lives though it has nothing to say', async () => {
  const { peer, clock, end } = serveReplica();
  peer.send(WELCOME);
  await peer.take('listed');
  clock.advance(MODEL_SETTINGS.heartbeatMs);
  expect(await peer.take('ack')).toEqual({ kind: 'ack', positions: [] });
  peer.socket.close();
  expect((await end).kind).toBe('lost');
});

test('a primary of a lower epoch is not followed, even when it welcomes', async () => {
  const { peer, end, databases } = serveReplica();
  peer.send({ ...WELCOME, epoch: 1 });
  expect(await end).toMatchObject({
    kind: 'outdated',
    message: 'The primary is of epoch 1, and this node has seen epoch 2.',
  });
  expect(databases.size).toBe(0);
});

test('a primary of another cluster is not followed, even when it welcomes', async () => {
  const { peer, end } = serveReplica();
  peer.send({ ...WELCOME, clusterId: 'cluster-b' });
  expect(await end).toMatchObject({
    kind: 'refused',
    message: 'This node belongs to cluster cluster-a, its primary n1 to cluster cluster-b.',
  });
});

test('transactions that arrive together are confirmed together', async () => {
  const { peer, end, databases } = serveReplica();
  const messages = [WELCOME, databaseMessage(), ...[1, 2, 3].map((txid) => ltxMessage(txid))];
  const frames = messages.map((message) => encodeMessage(message));
  peer.raw(Buffer.concat(frames.flatMap((frame) => [encodeFrameHead(frame), frame.payload])));
  expect(await peer.take('ack')).toEqual({
    kind: 'ack',
    positions: [{ name: 'a.db', epoch: 3, txid: 3 }],
  });
  expect(databases.get('a.db')?.position().txid).toBe(3);
  peer.send({ kind: 'end', reason: 'enough' });
  expect((await end).kind).toBe('ended');
});

test('a transaction of a lower epoch is refused', async () => {
  const { peer, end, databases } = serveReplica();
  peer.send(WELCOME, databaseMessage(), ltxMessage(1, { epoch: 1 }));
  expect((await end).kind).toBe('outdated');
  expect(databases.get('a.db')?.position().txid).toBe(0);
});

test('a transaction that leaves a gap is refused', async () => {
  const { peer, end } = serveReplica();
  peer.send(WELCOME, databaseMessage(), ltxMessage(2));
  expect(await end).toMatchObject({
    kind: 'malformed',
    message: 'Transaction 2 of a.db came after 0.',
  });
});

test('a file that holds other transactions than announced is refused', async () => {
  const { peer, end } = serveReplica();
  peer.send(WELCOME, databaseMessage(), { ...ltxMessage(2), minTxid: 1, maxTxid: 1 });
  expect(await end).toMatchObject({
    kind: 'malformed',
    message: 'What was announced as transactions 1 to 1 holds 2 to 2.',
  });
});

test('bytes that are no file are refused', async () => {
  const { peer, end } = serveReplica();
  const bytes = new Uint8Array(300).fill(65);
  peer.send(WELCOME, databaseMessage(), { ...ltxMessage(1), totalBytes: 300, bytes });
  expect(await end).toMatchObject({
    kind: 'malformed',
    message: 'What was announced as transactions 1 to 1 is no LTX file.',
  });
});

test('a file longer than the limit is refused when it is announced', async () => {
  const { peer, end } = serveReplica();
  const totalBytes = MODEL_SETTINGS.ltxBytesMax + 1;
  peer.send(WELCOME, databaseMessage(), { ...ltxMessage(1), totalBytes });
  expect((await end).kind).toBe('malformed');
});

test('a repair that comes to something else is not committed', async () => {
  const { peer, end, databases } = serveReplica();
  const bytes = modelPage(1);
  peer.send(
    WELCOME,
    repairMessage(),
    { kind: 'pages', name: 'a.db', pgno: 1, bytes },
    { kind: 'repaired', name: 'a.db', epoch: 3, digest: 'another' },
  );
  expect(await end).toMatchObject({ kind: 'failed', message: 'the repair came to something else' });
  expect(databases.get('a.db')?.pages).toEqual([]);
  expect(databases.get('a.db')?.position().txid).toBe(0);
});

test.each([
  ['beyond the end', 3, modelPage(1)],
  ['before the first', 0, modelPage(1)],
  ['of another size', 1, new Uint8Array(100)],
  ['that there is none of', 1, new Uint8Array()],
  ['cut off', 1, new Uint8Array(700)],
  ['before one beyond the end', 2, new Uint8Array(1024)],
])('a page %s is refused', async (_, pgno, bytes) => {
  const { peer, end } = serveReplica();
  peer.send(WELCOME, repairMessage(), { kind: 'pages', name: 'a.db', pgno, bytes });
  expect((await end).kind).toBe('malformed');
});

test.each([0, 7, 256, 1000, 131_072])(
  'a repair of pages of %i bytes is refused',
  async (pageSize) => {
    const { peer, end, databases } = serveReplica();
    peer.send(WELCOME, { ...repairMessage(), pageSize });
    expect((await end).kind).toBe('malformed');
    expect(databases.get('a.db')?.pages ?? []).toEqual([]);
  },
);

function databaseMessage(): StreamMessage {
  return { kind: 'database', name: 'a.db', epoch: 3, txid: 9, pageSize: 512, history: HISTORY };
}

function repairMessage(): StreamMessageOf<'repair'> {
  const about = { name: 'a.db', epoch: 3, positionEpoch: 3, txid: 5 };
  return { kind: 'repair', ...about, pageSize: 512, pageCount: 2, history: HISTORY };
}

function ltxMessage(txid: number, { epoch = 3 } = {}): Extract<StreamMessage, { kind: 'ltx' }> {
  const database = new ModelDatabase('a.db');
  database.begin(3);
  for (let at = 1; at <= txid; at += 1) database.commit(new Map([[1, modelPage(at)]]), 1);
  const bytes = database.readFrom(txid)?.bytes ?? new Uint8Array();
  const range = { minTxid: txid, maxTxid: txid, timestampMs: 1 };
  return { kind: 'ltx', name: 'a.db', epoch, ...range, totalBytes: bytes.length, bytes };
}
