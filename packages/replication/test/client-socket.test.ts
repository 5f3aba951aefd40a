import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ClientSocket } from '../src/client-socket.ts';
import { MessageSocket } from '../src/message-framing.ts';
import type { StreamMessage } from '../src/stream-message.ts';
import { MODEL_SETTINGS, ModelClock } from './stream-model.ts';

interface Ends {
  readonly near: ClientSocket;
  readonly far: Socket;
}

/** A message with what names its bytes instead of them: they are compared sooner. */
function named(message: StreamMessage | undefined): unknown {
  if (message === undefined || !('bytes' in message)) return message;
  return { ...message, bytes: hash('sha256', message.bytes) };
}

async function connectedEnds(stack: AsyncDisposableStack): Promise<Ends> {
  const server = stack.use(createServer());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const near = new ClientSocket({ host: '127.0.0.1', port });
  const [far] = await once(server, 'connection');
  if (!(far instanceof Socket)) throw new Error('A connection is a socket.');
  stack.defer(() => void [near, far].map((socket) => socket.destroy()));
  return { near, far };
}

test('it is a stream as any until its pieces are lent', async () => {
  await using stack = new AsyncDisposableStack();
  const { near, far } = await connectedEnds(stack);
  const sent = Buffer.alloc(3_000_000, 'piece');
  near.write('question');
  const [question] = await once(far, 'data');
  expect(String(question)).toBe('question');
  far.end(sent);
  const pieces: Uint8Array[] = [];
  for await (const piece of near) pieces.push(piece);
  expect(Buffer.concat(pieces).equals(sent)).toBe(true);
});

test('messages of any length come out as they were sent, and then the end', async () => {
  await using stack = new AsyncDisposableStack();
  const { near, far } = await connectedEnds(stack);
  const options = { clock: new ModelClock(), settings: MODEL_SETTINGS };
  const sender = new MessageSocket(far, options);
  const receiver = new MessageSocket(near, options);
  const lengths = Array.from({ length: 300 }, (_, index) => (index * 7919) % 262_144);
  const messageOf = (length: number, index: number): StreamMessage => {
    const bytes = Buffer.alloc(length, index % 251);
    if (index % 3 === 0) return { kind: 'part', bytes };
    if (index % 3 === 1) return { kind: 'pages', name: 'a.db', pgno: index, bytes };
    return { kind: 'digests', name: 'a.db', group: index, bytes };
  };
  const sending = (async () => {
    for (const [index, length] of lengths.entries()) {
      sender.send(messageOf(length, index));
      await sender.drained();
    }
    sender.close();
  })();
  const lasting: [StreamMessage, number, number][] = [];
  for (const [index, length] of lengths.entries()) {
    const message = await receiver.next();
    expect(named(message)).toEqual(named(messageOf(length, index)));
    if (message?.kind === 'digests') lasting.push([message, length, index]);
  }
  await sending;
  expect(await receiver.next()).toBe(undefined);
  expect(receiver.end).toMatchObject({ kind: 'lost' });
  for (const [message, length, index] of lasting)
    expect(named(message)).toEqual(named(messageOf(length, index)));
});

test('a server that is not there is an error of the stream', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const near = new ClientSocket({ host: '127.0.0.1', port });
  const [error] = await once(near, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
});
