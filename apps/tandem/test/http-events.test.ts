import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { HttpFixture, TOKEN } from './http-fixture.ts';
import { OTHER, PRIMARY, REPLICA, ScriptedNode } from './http-scripted-node.ts';

interface Event {
  readonly type: string;
  readonly id: string;
  readonly db?: string;
  readonly data: Record<string, unknown>;
}

/** Reads an answer event by event. */
class EventStream {
  readonly #lines: AsyncIterator<string>;
  readonly answer: IncomingMessage;

  constructor(answer: IncomingMessage) {
    this.answer = answer;
    this.#lines = linesOf(answer);
  }

  static async open(fixture: HttpFixture, path = '/events'): Promise<EventStream> {
    return new EventStream(await fixture.begin(path));
  }

  /** The next line; undefined at the end. */
  async line(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  async event(): Promise<Event> {
    return JSON.parse((await this.line()) ?? 'null') as Event;
  }

  close(): void {
    this.answer.destroy();
  }
}

async function* linesOf(answer: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const part of answer.setEncoding('utf8')) {
    const lines = (rest + String(part)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

describe('GET /events', () => {
  it('begins with the state and goes on with transactions', async () => {
    await using fixture = await HttpFixture.open();
    const stream = await EventStream.open(fixture);
    expect(stream.answer.headers['content-type']).toBe('application/x-ndjson');
    expect(await stream.event()).toEqual({
      type: 'init',
      id: expect.stringMatching(/^[0-9a-f]{8}-0$/) as string,
      data: {
        isPrimary: true,
        hostname: 'web-0',
        role: 'primary',
        epoch: 3,
        isGap: false,
        positions: { 'app.db': { epoch: 3, txid: 39 } },
      },
    });
    fixture.node.commit(40);
    expect(await stream.event()).toEqual({
      type: 'tx',
      id: expect.stringMatching(/-1$/) as string,
      db: 'app.db',
      data: {
        txID: '0000000000000028',
        postApplyChecksum: '83b05248774ce767',
        pageSize: 4096,
        commit: 2,
        timestamp: '2026-01-02T03:04:05.678Z',
        epoch: 3,
      },
    });
    stream.close();
  });

  it('tells a change of the primary once, and readiness', async () => {
    await using fixture = await HttpFixture.open();
    const stream = await EventStream.open(fixture);
    await stream.event();
    fixture.node.emit({ kind: 'role' });
    fixture.node.state = REPLICA;
    fixture.node.emit({ kind: 'role' });
    fixture.node.emit({ kind: 'role' });
    fixture.node.emit({ kind: 'ready' });
    expect(await stream.event()).toMatchObject({
      type: 'primaryChange',
      data: { isPrimary: false, hostname: 'web-1', role: 'replica', epoch: 3 },
    });
    expect(await stream.event()).toMatchObject({ type: 'ready', data: {} });
    stream.close();
  });

  it('leaves out a database that is gone again', async () => {
    await using fixture = await HttpFixture.open();
    const stream = await EventStream.open(fixture);
    await stream.event();
    fixture.node.emit({ kind: 'position', name: 'gone.db', position: { epoch: 3, txid: 1 } });
    fixture.node.commit(40);
    expect((await stream.event()).db).toBe('app.db');
    stream.close();
  });

  it('ends with a line when the server closes', async () => {
    const fixture = await HttpFixture.open();
    const stream = await EventStream.open(fixture);
    await stream.event();
    const closed = fixture.server.close('This node hands off.');
    expect(await stream.event()).toMatchObject({
      type: 'end',
      data: { reason: 'This node hands off.' },
    });
    expect(await stream.line()).toBeUndefined();
    await closed;
  });

  it('takes so many readers and no more', async () => {
    await using fixture = await HttpFixture.open(undefined, { limits: { eventReadersMax: 1 } });
    const stream = await EventStream.open(fixture);
    expect(fixture.server.counts.eventStreams).toBe(1);
    const refused = await fixture.ask('/events');
    expect([refused.status, refused.json['code']]).toEqual([503, 'busy']);
    stream.close();
    await expect.poll(() => fixture.server.counts.eventStreams).toBe(0);
  });
});

describe('a reader that comes back', () => {
  it('gets what it missed, and nothing twice', async () => {
    await using fixture = await HttpFixture.open();
    const first = await EventStream.open(fixture);
    await first.event();
    fixture.node.commit(40);
    const { id } = await first.event();
    first.close();
    fixture.node.commit(41);
    fixture.node.commit(42);
    const again = await EventStream.open(fixture, `/events?after=${id}`);
    expect((await again.event()).data['txID']).toBe('0000000000000029');
    expect((await again.event()).data['txID']).toBe('000000000000002a');
    fixture.node.commit(43);
    expect((await again.event()).data['txID']).toBe('000000000000002b');
    again.close();
  });

  it('is told of a gap when it was away for too long, or the node has started anew', async () => {
    await using fixture = await HttpFixture.open(undefined, { limits: { eventsMax: 2 } });
    const first = await EventStream.open(fixture);
    const { id } = await first.event();
    first.close();
    for (const txid of [40, 41, 42]) fixture.node.commit(txid);
    for (const after of [id, 'ffffffff-0', 'nonsense', `${id}0`]) {
      const again = await EventStream.open(fixture, `/events?after=${after}`);
      expect(await again.event()).toMatchObject({
        type: 'init',
        data: { isGap: true, positions: { 'app.db': { txid: 42 } } },
      });
      again.close();
    }
  });
});

describe('server-sent events', () => {
  const headers = { accept: 'text/event-stream' };

  it('are what browsers read, and resume by their own header', async () => {
    await using fixture = await HttpFixture.open();
    const stream = new EventStream(await fixture.begin('/events', { headers }));
    expect(stream.answer.headers['content-type']).toBe('text/event-stream');
    expect(await stream.line()).toBe('event: init');
    const idLine = (await stream.line()) ?? '';
    expect(idLine).toMatch(/^id: [0-9a-f]{8}-0$/);
    expect(await stream.line()).toMatch(/^data: \{"type":"init",/);
    expect(await stream.line()).toBe('');
    stream.close();
    fixture.node.commit(40);
    const again = await fixture.begin('/events', {
      headers: { ...headers, 'last-event-id': idLine.slice(4) },
    });
    expect(await new EventStream(again).line()).toBe('event: tx');
    again.destroy();
  });

  it('show signs of life', async () => {
    await using fixture = await HttpFixture.open(undefined, { limits: { eventHeartbeatMs: 1 } });
    const stream = new EventStream(await fixture.begin('/events', { headers }));
    for (let count = 0; count < 4; count += 1) await stream.line();
    expect(await stream.line()).toBe(':');
    stream.close();
  });
});

describe('a reader that does not keep up', () => {
  it('is cut with a line that says so, and the node goes on', async () => {
    const node = new ScriptedNode();
    await using fixture = await HttpFixture.open(node, { limits: { eventsMax: 100 } });
    const slow = await fixture.begin('/events');
    // Unread, until the kernel's buffers and the answer's own are full and the journal has gone on.
    for (let txid = 40; txid < 60_000; txid += 1) node.commit(txid);
    const stream = new EventStream(slow);
    const lines: string[] = [];
    for (let line = await stream.line(); line !== undefined; line = await stream.line()) {
      lines.push(line);
    }
    const last = JSON.parse(lines.at(-1) ?? '') as Event;
    const before = JSON.parse(lines.at(-2) ?? '') as Event;
    expect(last).toMatchObject({
      type: 'end',
      id: before.id,
      data: { reason: 'You read more slowly than events happen; some are lost to you.' },
    });
    expect(lines.length).toBeLessThan(59_000);
    expect(fixture.server.counts).toMatchObject({ eventStreams: 0, eventStreamsCut: 1 });
  });

  it('is let go when it takes nothing at all', async () => {
    const node = new ScriptedNode();
    const limits = { eventsMax: 100, stallTimeoutMs: 20 };
    await using fixture = await HttpFixture.open(node, { limits });
    const socket = await fixture.connect();
    socket.pause();
    socket.write(`GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    await expect.poll(() => fixture.server.counts.eventStreams).toBe(1);
    for (let txid = 40; txid < 60_000; txid += 1) node.commit(txid);
    await expect.poll(() => fixture.server.counts.eventStreamsCut).toBe(1);
    const { text } = await fixture.ask('/metrics');
    expect(text).toContain('tandem_http_event_streams_cut_total 1');
    socket.destroy();
  });
});

it('an event is told on a replica as on the primary', async () => {
  await using fixture = await HttpFixture.open(
    new ScriptedNode({ ...PRIMARY, role: 'replica', primary: OTHER }),
  );
  const stream = await EventStream.open(fixture);
  expect(await stream.event()).toMatchObject({ data: { isPrimary: false, hostname: 'web-1' } });
  fixture.node.commit(40);
  expect(await stream.event()).toMatchObject({ type: 'tx', db: 'app.db' });
  stream.close();
});
