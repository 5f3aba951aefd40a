import { BaseError } from '@tandem/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EpochHistory } from './epoch-history.ts';
import {
  decodeMessage,
  describeFailure,
  encodeMessage,
  inMessages,
  isDatabaseName,
  PROTOCOL_VERSION,
  refusalOf,
  type Frame,
  type StreamMessage,
  type StreamMessageOf,
} from './stream-message.ts';

const count = fc.nat(Number.MAX_SAFE_INTEGER);
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter(isDatabaseName);
const bytes = fc.uint8Array({ maxLength: 60 });
const node = fc.record({ id: text, name: text, advertiseUrl: text });
const position = fc.record({ name, epoch: count, txid: count });
const head = fc.record({ name, epoch: count, txid: count, unsentBytes: count });
const history = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1e12 }), fc.integer({ min: 1, max: 1e12 })), {
    maxLength: 5,
  })
  .map((steps) => {
    let [epoch, firstTxid] = [0, 0];
    let made = EpochHistory.EMPTY;
    for (const [epochs, txids] of steps) {
      epoch += epochs;
      firstTxid += txids;
      made = made.begin(epoch, firstTxid);
    }
    return made;
  });

/** One of each kind; the type makes it all of them. */
const EACH: { readonly [K in StreamMessage['kind']]: fc.Arbitrary<StreamMessageOf<K>> } = {
  hello: record('hello', { version: count, node, clusterId: text, epoch: count }),
  database: record('database', { name, epoch: count, txid: count, pageSize: count, history }),
  listed: fc.constant({ kind: 'listed' }),
  welcome: record('welcome', { clusterId: text, epoch: count, node, members: fc.array(node) }),
  refused: record('refused', { code: text, message: text, hint: text, clusterId: text }),
  members: record('members', { members: fc.array(node) }),
  diverged: record('diverged', { name, epoch: count, sharedTxid: count }),
  ltx: record('ltx', {
    name,
    epoch: count,
    minTxid: count,
    maxTxid: count,
    timestampMs: count,
    totalBytes: count,
    bytes,
  }),
  part: record('part', { bytes }),
  repair: record('repair', {
    name,
    epoch: count,
    positionEpoch: count,
    txid: count,
    pageSize: count,
    pageCount: count,
    history,
  }),
  groups: record('groups', { name, isLast: fc.boolean(), bytes }),
  query: record('query', { name, groups: fc.array(count) }),
  digests: record('digests', { name, group: count, bytes }),
  pages: record('pages', { name, pgno: count, bytes }),
  repaired: record('repaired', { name, epoch: count, digest: text }),
  drop: record('drop', { name, epoch: count }),
  gone: record('gone', { name }),
  ready: fc.constant({ kind: 'ready' }),
  heartbeat: record('heartbeat', { clockMs: count, heads: fc.array(head) }),
  ack: record('ack', { positions: fc.array(position) }),
  offer: record('offer', {
    epoch: count,
    attempt: count,
    isLast: fc.boolean(),
    positions: fc.array(position),
  }),
  accept: record('accept', { attempt: count, problem: text }),
  end: record('end', { reason: text }),
};

const anyMessage: fc.Arbitrary<StreamMessage> = fc.oneof(...Object.values(EACH));

function record<K extends string, Fields extends object>(
  kind: K,
  fields: { [F in keyof Fields]: fc.Arbitrary<Fields[F]> },
): fc.Arbitrary<{ readonly kind: K } & Fields> {
  return fc.record(fields).map((values) => ({ kind, ...values }));
}

/** Whether a frame is refused with the right error, or is exactly what its message is sent as. */
function isRefusedOrWhole(frame: Frame): boolean {
  try {
    const again = encodeMessage(decodeMessage(frame));
    return again.type === frame.type && Buffer.from(frame.payload).equals(again.payload);
  } catch (error) {
    return error instanceof BaseError && error.code === 'stream_bad_message';
  }
}

function plain(message: StreamMessage): unknown {
  return 'bytes' in message ? { ...message, bytes: [...message.bytes] } : message;
}

test.each(Object.entries(EACH))('%s comes back as it was sent', (kind, arbitrary) => {
  fc.assert(
    fc.property(arbitrary as fc.Arbitrary<StreamMessage>, (message) => {
      const back = decodeMessage(encodeMessage(message));
      expect(back.kind).toBe(kind);
      expect(plain(back)).toEqual(plain(message));
    }),
    { numRuns: 50 },
  );
});

test('a message cut at any byte is refused, or is another whole message', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const { type, payload } = encodeMessage(message);
      for (let length = 0; length < payload.length; length += 1) {
        expect(isRefusedOrWhole({ type, payload: payload.subarray(0, length) })).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test('a message with any byte changed is refused, or is another whole message', () => {
  fc.assert(
    fc.property(anyMessage, fc.integer({ min: 1, max: 255 }), (message, mask) => {
      const { type, payload } = encodeMessage(message);
      for (let at = 0; at < payload.length; at += 1) {
        const changed = Uint8Array.from(payload);
        changed[at] = (changed[at] ?? 0) ^ mask;
        expect(isRefusedOrWhole({ type, payload: changed })).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test('random bytes of any type are refused, or are a whole message', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.uint8Array({ maxLength: 80 }), (type, payload) => {
      expect(isRefusedOrWhole({ type, payload })).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('a list that announces more than there is costs nothing', () => {
  const { type, payload } = encodeMessage({ kind: 'query', name: 'a', groups: [1] });
  const lying = Uint8Array.from(payload);
  lying.set([0, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 9);
  expect(() => decodeMessage({ type, payload: lying })).toThrow('too short');
});

test.each(['a.db', 'tenants/7/a.db', '.hidden', 'a..b', 'ü/ß.db', '...'])(
  'a database may be named %s',
  (good) => {
    expect(isDatabaseName(good)).toBe(true);
  },
);

test.each([
  '',
  '/etc/passwd',
  '../a',
  'a/../b',
  'a/..',
  './a',
  'a//b',
  'a/',
  'a\\b',
  'a\0',
  'x'.repeat(1025),
])('no database may be named %j, and no message can name it', (wicked) => {
  expect(isDatabaseName(wicked)).toBe(false);
  const frame = encodeMessage({ kind: 'gone', name: wicked });
  expect(() => decodeMessage(frame)).toThrow('cannot name a database');
});

test('positions are spread over messages that fit', () => {
  expect(inMessages([])).toEqual([[]]);
  const names = Array.from({ length: 2000 }, (_, index) => ({
    name: `${index}`.padEnd(1024, 'x'),
    epoch: 1,
    txid: index,
    unsentBytes: 0,
  }));
  const parts = inMessages(names);
  expect(parts.flat()).toEqual(names);
  for (const heads of parts) {
    const { payload } = encodeMessage({ kind: 'heartbeat', clockMs: 0, heads });
    expect(payload.length).toBeLessThan(1 << 20);
  }
});

const REPLICA = { id: 'n2_1', name: 'n2', advertiseUrl: 'http://n2' };
const PRIMARY = {
  identity: { id: 'n1_1', name: 'n1', advertiseUrl: 'http://n1' },
  clusterId: 'cluster-a',
  epoch: 7,
};
const HELLO: StreamMessageOf<'hello'> = {
  kind: 'hello',
  version: PROTOCOL_VERSION,
  node: REPLICA,
  clusterId: 'cluster-a',
  epoch: 7,
};

test.each([[{}], [{ clusterId: '' }], [{ epoch: 0 }], [{ epoch: 7 }]])(
  'a hello with %j is taken',
  (change) => {
    expect(refusalOf({ ...HELLO, ...change }, PRIMARY)).toBeUndefined();
  },
);

test.each([
  [
    { version: 2 },
    'version_unknown',
    'n2 speaks version 2 of the protocol, this primary version 1.',
  ],
  [{ node: PRIMARY.identity }, 'own_stream', 'n1 has connected to itself.'],
  [
    { clusterId: 'cluster-b' },
    'cluster_differs',
    'n2 belongs to cluster cluster-b, its primary n1 to cluster cluster-a.',
  ],
  [{ epoch: 8 }, 'epoch_outdated', 'n2 has seen epoch 8; this primary is of epoch 7.'],
])('a hello with %j is refused as %s', (change, code, message) => {
  expect(refusalOf({ ...HELLO, ...change }, PRIMARY)).toMatchObject({ code, message });
});

test('a broken rule of the protocol and a failure of this side are told apart', () => {
  const malformed = (() => {
    try {
      return decodeMessage({ type: 0, payload: new Uint8Array() });
    } catch (error) {
      return describeFailure(error);
    }
  })();
  expect(malformed).toMatchObject({ kind: 'malformed' });
  expect(describeFailure(new Error('disk'))).toMatchObject({ kind: 'failed', message: 'disk' });
});
