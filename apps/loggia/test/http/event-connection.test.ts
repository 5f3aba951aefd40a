import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIREFOX, TestServer } from '../test-server.ts';
import { openSocket, parseAnswer, rawExchange, readToEnd } from './raw-exchange.ts';

let server: TestServer;
let key: string;

beforeAll(async () => {
  server = await TestServer.start({ env: { LOGGIA_RATE_LIMITS: 'off' } });
  server.addSite('line.example');
  key = server.addKey('stats:read');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** A whole request that tells of a page view; `more` are further lines of its head. */
function event(page: string, ...more: readonly string[]): string {
  return post(
    JSON.stringify({ n: 'pageview', u: `https://line.example${page}`, d: 'line.example' }),
    more,
  );
}

function post(body: string, more: readonly string[] = []): string {
  const lines = [
    'POST /api/event HTTP/1.1',
    'Host: line.example',
    `User-Agent: ${FIREFOX}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...more,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const LIVEZ = 'GET /livez HTTP/1.1\r\nHost: line.example\r\n\r\n';
/** After it, Node's server has the connection, and ends it. */
const LAST = 'GET /livez HTTP/1.1\r\nHost: line.example\r\nConnection: close\r\n\r\n';

async function pagesUnder(prefix: string): Promise<string[]> {
  const rows = await server.query(key, {
    site_id: 'line.example',
    metrics: ['pageviews'],
    date_range: 'all',
    dimensions: ['event:page'],
    filters: [['contains', 'event:page', [prefix]]],
  });
  return rows.map(({ dimensions }) => String(dimensions[0])).sort();
}

function statuses(text: string): number[] {
  return Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
}

/** Writes `parts` one after the other, each when so many answers have come. */
async function converse(...parts: readonly (readonly [answers: number, text: string])[]) {
  const socket = await openSocket(server.url);
  const end = readToEnd(socket);
  for (const [answers, text] of parts) {
    await answersOn(socket, answers);
    socket.write(text);
  }
  return await end;
}

/** Waits until `count` answers have begun on a connection on which nothing was waited for before. */
async function answersOn(socket: Socket, count: number): Promise<void> {
  await expect
    .poll(() => (textOf.get(socket) ?? record(socket)).match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0)
    .toBeGreaterThanOrEqual(count);
}

const textOf = new WeakMap<Socket, string>();

function record(socket: Socket): string {
  textOf.set(socket, '');
  socket.on('data', (chunk: string) => textOf.set(socket, (textOf.get(socket) ?? '') + chunk));
  return '';
}

describe('a connection that carries events', () => {
  it('gets the answer that any connection gets', async () => {
    const plain = parseAnswer(await converse([0, event('/same/1')], [1, LAST]));
    const odd = event('/same/2', 'X-Twice: 1', 'X-Twice: 2');
    const byNode = parseAnswer(await converse([0, odd], [1, LAST]));
    expect(plain?.status).toBe(202);
    expect(Object.keys(plain?.headers ?? {}).sort()).toEqual(
      Object.keys(byNode?.headers ?? {}).sort(),
    );
    const undated = (answer: typeof plain) => ({ ...answer?.headers, date: '' });
    expect(undated(plain)).toEqual(undated(byNode));
    expect(Date.parse(plain?.headers['date'] ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect(await pagesUnder('/same')).toEqual(['/same/1', '/same/2']);
  });

  it('may carry anything afterwards, and events again', async () => {
    const text = await converse(
      [0, event('/mixed/1')],
      [1, event('/mixed/2')],
      [2, LIVEZ],
      [3, event('/mixed/3')],
      [4, LAST],
    );
    expect(statuses(text)).toEqual([202, 202, 200, 202, 200]);
    expect(await pagesUnder('/mixed')).toEqual(['/mixed/1', '/mixed/2', '/mixed/3']);
  });

  it('may carry requests ahead of the answers', async () => {
    const text = await converse(
      [0, event('/ahead/1')],
      [0, event('/ahead/2') + event('/ahead/3') + LIVEZ],
      [0, event('/ahead/4') + LAST],
    );
    expect(statuses(text)).toEqual([202, 202, 202, 200, 202, 200]);
    expect(await pagesUnder('/ahead')).toEqual([1, 2, 3, 4].map((number) => `/ahead/${number}`));
  });

  it('may carry an event in pieces, after whole ones', async () => {
    const whole = event('/pieces/2');
    const text = await converse(
      [0, event('/pieces/1')],
      [1, whole.slice(0, 30)],
      [1, whole.slice(30, -9)],
      [1, whole.slice(-9)],
      [2, LAST],
    );
    expect(statuses(text)).toEqual([202, 202, 200]);
    expect(await pagesUnder('/pieces')).toEqual(['/pieces/1', '/pieces/2']);
  });

  it('is answered also when the sender has sent its last', async () => {
    const socket = await openSocket(server.url);
    const end = readToEnd(socket);
    socket.end(event('/last'));
    expect(statuses(await end)).toEqual([202]);
    expect(await pagesUnder('/last')).toEqual(['/last']);
  });

  it('stays open after an event that is refused', async () => {
    const text = await converse(
      [0, post('{"n":')],
      [1, post('{}')],
      [2, event('/fine')],
      [3, LAST],
    );
    expect(statuses(text)).toEqual([400, 400, 202, 200]);
    expect(text).toContain('"code":"bad_json"');
    expect(text).toContain('"code":"bad_event"');
  });

  it('ends with a wish to close', async () => {
    const text = await rawExchange(server.url, event('/closing', 'Connection: close'));
    expect(statuses(text)).toEqual([202]);
  });

  it('ends without an answer when its sender is gone, and the event is stored', async () => {
    const socket = await openSocket(server.url);
    socket.write(event('/gone'), () => socket.destroy());
    await expect.poll(() => pagesUnder('/gone')).toEqual(['/gone']);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });
});
