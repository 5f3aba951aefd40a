import { duplexPair, type Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MODEL_SETTINGS, ModelClock } from '../test/stream-model.ts';
import {
  encodeFrameHead,
  FrameDecoder,
  MessageSocket,
  PAYLOAD_BYTES_MAX,
} from './message-framing.ts';
import {
  encodeMessage,
  type Frame,
  type StreamMessage,
  type StreamMessageOf,
} from './stream-message.ts';

const frames = fc.array(
  fc.record({ type: fc.nat(255), payload: fc.uint8Array({ maxLength: 40 }) }),
  { minLength: 1, maxLength: 6 },
);

function onWire(list: readonly Frame[]): Buffer {
  return Buffer.concat(list.flatMap((frame) => [encodeFrameHead(frame), frame.payload]));
}

function takeAll(decoder: FrameDecoder): Frame[] {
  const taken: Frame[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
    // Of some kinds, the payload is only valid until the next is asked for.
    taken.push({ type: frame.type, payload: Uint8Array.from(frame.payload) });
  }
  return taken;
}

function plain(list: readonly Frame[]): unknown {
  return list.map(({ type, payload }) => ({ type, payload: [...payload] }));
}

interface Pair {
  readonly clock: ModelClock;
  readonly near: MessageSocket;
  readonly far: MessageSocket;
  readonly farDuplex: Duplex;
}

function connect(settings = MODEL_SETTINGS): Pair {
  const clock = new ModelClock();
  const [nearDuplex, farDuplex] = duplexPair();
  const near = new MessageSocket(nearDuplex, { clock, settings });
  const far = new MessageSocket(farDuplex, { clock, settings });
  return { clock, near, far, farDuplex };
}

function end(reason: string): StreamMessage {
  return { kind: 'end', reason };
}

const PAGES: StreamMessageOf<'pages'> = {
  kind: 'pages',
  name: 'a.db',
  pgno: 1,
  bytes: new Uint8Array(),
};
const PART: StreamMessage = { kind: 'part', bytes: new Uint8Array() };

test('frames come out whole, cut at every byte', () => {
  fc.assert(
    fc.property(frames, (list) => {
      const wire = onWire(list);
      for (let cut = 0; cut <= wire.length; cut += 1) {
        const decoder = new FrameDecoder();
        decoder.push(wire.subarray(0, cut));
        const early = takeAll(decoder);
        decoder.push(wire.subarray(cut));
        expect(plain([...early, ...takeAll(decoder)])).toEqual(plain(list));
        expect(decoder.isInside).toBe(false);
      }
    }),
    { numRuns: 30 },
  );
});

test('frames come out whole in pieces of any size, single bytes too', () => {
  fc.assert(
    fc.property(
      frames,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (list, sizes) => {
        const wire = onWire(list);
        const decoder = new FrameDecoder();
        const taken: Frame[] = [];
        for (let at = 0, piece = 0; at < wire.length; piece += 1) {
          const size = sizes[piece % sizes.length] ?? 1;
          decoder.push(wire.subarray(at, at + size));
          at += size;
          expect(decoder.hasNext).toBe(decoder.hasNext);
          taken.push(...takeAll(decoder));
        }
        expect(plain(taken)).toEqual(plain(list));
      },
    ),
  );
});

test('only pages and parts are put together where others were', () => {
  const payload = new Uint8Array(60_000).fill(1);
  const other = new Uint8Array(60_000).fill(2);
  const areShared = (type: number): boolean => {
    const decoder = new FrameDecoder();
    const wire = onWire([
      { type, payload },
      { type, payload: other },
    ]);
    for (let at = 0; at < wire.length; at += 7000) decoder.push(wire.subarray(at, at + 7000));
    const first = decoder.next();
    expect(first?.payload).toEqual(Buffer.from(payload));
    expect(decoder.next()?.payload).toEqual(Buffer.from(other));
    return first?.payload[0] === 2;
  };
  const types = Array.from({ length: 30 }, (_, type) => type);
  const shared = [PART, PAGES].map((message) => encodeMessage(message).type);
  expect(types.filter(areShared)).toEqual(shared);
});

test('long bytes go out after what stands before them, and are let go of once', async () => {
  const { near, far } = connect();
  let gone = 0;
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
  near.send({ ...PAGES, bytes }, () => (gone += 1));
  near.send(end('done'), () => (gone += 1));
  const message = await far.next();
  expect(message).toEqual({ ...PAGES, bytes: Buffer.from(bytes) });
  expect(await far.next()).toEqual(end('done'));
  expect(gone).toBe(2);
});

test('a message of full length in single bytes is still joined', () => {
  const frame = { type: 9, payload: new Uint8Array(20_000).fill(7) };
  const decoder = new FrameDecoder();
  for (const byte of onWire([frame])) decoder.push(Uint8Array.of(byte));
  expect(plain(takeAll(decoder))).toEqual(plain([frame]));
});

test('a length beyond the limit is refused before the message has come', () => {
  const decoder = new FrameDecoder();
  const payload = { length: PAYLOAD_BYTES_MAX + 1 };
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length, 0);
  decoder.push(head);
  expect(decoder.hasNext).toBe(true);
  expect(() => decoder.next()).toThrow(`announced a message of ${payload.length} bytes`);
});

test('a request that is no message is refused as one that is too long', () => {
  const decoder = new FrameDecoder();
  decoder.push(Buffer.from('GET / HTTP/1.1\r\n'));
  expect(() => decoder.next()).toThrow('announced a message');
});

test('messages arrive in order and a goodbye comes before the end', async () => {
  const { near, far } = connect();
  for (const reason of ['a', 'b', 'c']) near.send(end(reason));
  near.close();
  for (const reason of ['a', 'b', 'c']) expect(await far.next()).toEqual(end(reason));
  expect(await far.next()).toBeUndefined();
  expect(far.end).toMatchObject({ kind: 'lost', message: 'The other node closed the connection.' });
  expect(near.end).toMatchObject({ kind: 'ended' });
});

test('bytes that came with the upgrade are the first', async () => {
  const [nearDuplex] = duplexPair();
  const clock = new ModelClock();
  const head = onWire([encodeMessage(end('early'))]);
  const near = new MessageSocket(nearDuplex, { clock, settings: MODEL_SETTINGS, head });
  expect(await near.next()).toEqual(end('early'));
  near.close();
});

test('a cut in the middle of a message is told from one between messages', async () => {
  const { near, farDuplex } = connect();
  farDuplex.end(onWire([encodeMessage(end('whole'))]).subarray(0, 9));
  expect(await near.next()).toBeUndefined();
  expect(near.end?.message).toBe(
    'The other node closed the connection in the middle of a message.',
  );
});

test('nothing heard for too long ends the stream', async () => {
  const { near, clock } = connect();
  const next = near.next();
  clock.advance(MODEL_SETTINGS.silenceMsMax - 1);
  expect(near.end).toBeUndefined();
  clock.advance(1);
  expect(await next).toBeUndefined();
  expect(near.end).toEqual({
    kind: 'silent',
    message: 'Nothing was heard from the other node for 20000 ms.',
  });
});

test('a sign of life starts the silence anew', async () => {
  const { near, far, clock } = connect();
  clock.advance(MODEL_SETTINGS.silenceMsMax - 1);
  far.send(end('still here'));
  expect(await near.next()).toEqual(end('still here'));
  clock.advance(MODEL_SETTINGS.silenceMsMax - 1);
  expect(near.end).toBeUndefined();
  clock.advance(1);
  expect(near.end?.kind).toBe('silent');
});

test('a reader that is busy with a message does not take what waits behind it for silence', async () => {
  const { near, far, clock } = connect();
  far.send(end('one'));
  far.send(end('two'));
  expect(await near.next()).toEqual(end('one'));
  expect(near.hasNext || near.end === undefined).toBe(true);
  clock.advance(10 * MODEL_SETTINGS.silenceMsMax);
  expect(await near.next()).toEqual(end('two'));
});

test('a reader that stops reading makes the sender congested, and reading frees it', async () => {
  const { near, far } = connect({ ...MODEL_SETTINGS, sendBufferBytesMax: 100_000 });
  const bytes = new Uint8Array(10_000);
  let sent = 0;
  while (!near.isCongested) {
    near.send({ kind: 'part', bytes });
    sent += 1;
  }
  expect(sent).toBeLessThanOrEqual(12);
  const drained = near.drained();
  for (let received = 0; received < sent; received += 1) {
    expect((await far.next())?.kind).toBe('part');
  }
  await drained;
  expect(near.isCongested).toBe(false);
});

test('a message that has grown beyond the limit is not sent', () => {
  const { near } = connect();
  const bytes = new Uint8Array(PAYLOAD_BYTES_MAX + 1);
  expect(() => near.send({ kind: 'part', bytes })).toThrow('has become too long');
});

test('who closes waits only so long for its last bytes to leave', async () => {
  const { near, farDuplex, clock } = connect();
  farDuplex.pause();
  near.send({ kind: 'part', bytes: new Uint8Array(200_000) });
  near.close();
  const closed = new Promise((resolve) => farDuplex.once('close', resolve));
  clock.advance(MODEL_SETTINGS.lingerMs);
  farDuplex.resume();
  await closed;
  expect(near.end?.kind).toBe('ended');
});
