import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { ERROR_CODES } from '@loggia/contract';
import type { RouteEntry } from '../../src/server/route-table.ts';
import { FIREFOX, TestServer } from '../test-server.ts';
import {
  SITE,
  anything,
  bodies,
  event,
  headers,
  jsonBytes,
  mutation,
  parameter,
  query,
  searchParameters,
} from './fuzz-values.ts';
import { LocalApp } from './local-app.ts';
import { openSocket, parseAnswer, rawExchange, readToEnd, type RawAnswer } from './raw-exchange.ts';

const SEED = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env['FC_RUNS'] ?? 500);
const DAY_MS = 86_400_000;
const TERMS = `seed ${SEED}, ${RUNS} runs`;

let server: TestServer;
let routes: readonly RouteEntry[];
let key = '';
let cookie = '';

beforeAll(async () => {
  server = await TestServer.start({ env: { LOGGIA_RATE_LIMITS: 'off' } });
  await using local = await LocalApp.open();
  routes = local.app.routeTable.list();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** What an earlier test may have deleted is made again. */
beforeEach(() => {
  key = server.addKey('stats:read', 'sites:write', 'events:write');
  server.change((journal) => {
    const nowMs = Date.now();
    if (journal.sites.byDomain(SITE) === undefined) {
      journal.sites.create({ domain: SITE, timezone: 'Europe/Berlin', nowMs });
    }
    const [user = journal.users.create({ name: 'fuzz', passwordHash: '', nowMs })] =
      journal.users.list();
    const session = { userId: user.id, nowMs, expiresMs: nowMs + 20 * DAY_MS };
    cookie = `loggia_session=${journal.sessions.create(session)}`;
  });
});

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** The bytes of a request, with whatever its parts contain. */
function bytesOf({ method, path, headers = {}, body = new Uint8Array() }: Request): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`];
  const all = { Host: SITE, ...headers, Connection: 'close', 'Content-Length': body.length };
  for (const [name, value] of Object.entries(all)) lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

async function send(request: Request): Promise<RawAnswer> {
  const answer = parseAnswer(await rawExchange(server.url, bytesOf(request)));
  if (answer === undefined) throw new Error('There was no answer.');
  return answer;
}

/** Throws unless the answer is one that is documented: no fault of the server, a known code. */
function check(answer: RawAnswer): void {
  const { status, body } = answer;
  if (status >= 500) throw new Error(`${status}: ${body}`);
  if (status < 400 || body === '') return;
  if (!(answer.headers['content-type'] ?? '').startsWith('application/json')) return;
  const { code, error } = JSON.parse(body) as { code: string; error: unknown };
  const known = new Map<string, { status: number }>(Object.entries(ERROR_CODES)).get(code);
  if (known?.status === status && typeof error === 'string') return;
  throw new Error(`not documented: ${status} ${body}`);
}

/** Holds `act` to every value of the run. */
async function forAll<Value>(
  values: fc.Arbitrary<Value>,
  act: (value: Value) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(values, act), { seed: SEED, numRuns: RUNS });
}

/** What is wrong with the server after all that: it ended, is not ready, or logged a failure. */
async function troubles(): Promise<readonly string[]> {
  if (server.process.exitCode !== null) return ['it has ended'];
  const ready = async () => (await fetch(`${server.url}/readyz`)).status;
  await vi.waitUntil(async () => (await ready()) === 200, { timeout: 20_000 });
  const lines = server.output().split('\n');
  return lines.filter((line) => /"level":[56]0/.test(line));
}

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${key}` });

it(`any event is answered (${TERMS})`, async () => {
  await forAll(fc.tuple(event, fc.boolean()), async ([value, isPixel]) => {
    const agent = { 'user-agent': FIREFOX };
    const body = jsonBytes(value);
    check(await send({ method: 'POST', path: '/api/event', headers: agent, body }));
    if (!isPixel) return;
    const params = Object.entries(value).map(([name, each]) => {
      const written = typeof each === 'string' ? each : (JSON.stringify(each) ?? '');
      return `${name}=${encodeURIComponent(written.slice(0, 200).toWellFormed())}`;
    });
    check(await send({ method: 'GET', path: `/pixel.gif?${params.join('&')}` }));
  });
  expect(await troubles()).toEqual([]);
});

it(`every item of any batch is in one of the three heaps (${TERMS})`, async () => {
  const items = fc.array(fc.oneof(event, anything), { maxLength: 20 });
  await forAll(fc.tuple(items, fc.boolean()), async ([batch, isLines]) => {
    const lines = batch.map((item) => JSON.stringify(item)).join('\n');
    const body = isLines ? Buffer.from(lines, 'utf8') : jsonBytes(batch);
    const type = isLines ? 'application/x-ndjson' : 'application/json';
    const sent = { ...bearer(), 'content-type': type };
    const answer = await send({ method: 'POST', path: '/api/events', headers: sent, body });
    expect([answer.status, answer.body]).toEqual([202, expect.any(String)]);
    const { accepted, dropped, errors } = JSON.parse(answer.body) as {
      accepted: number;
      dropped: unknown[];
      errors: unknown[];
    };
    expect(accepted + dropped.length + errors.length).toBe(batch.length);
  });
  expect(await troubles()).toEqual([]);
});

it(`any query is answered, and a good part of them by the engine (${TERMS})`, async () => {
  let answered = 0;
  await forAll(query, async (value) => {
    const path = '/api/v2/query';
    const body = jsonBytes(value);
    const answer = await send({ method: 'POST', path, headers: bearer(), body });
    check(answer);
    if (answer.status === 200) answered += 1;
  });
  expect(answered).toBeGreaterThan(RUNS / 10);
  expect(await troubles()).toEqual([]);
});

it(`any call of version 1 is answered (${TERMS})`, async () => {
  const names = fc.constantFrom('aggregate', 'timeseries', 'breakdown', 'realtime/visitors');
  await forAll(fc.tuple(names, searchParameters), async ([name, params]) => {
    const search = [['site_id', SITE] as const, ...params]
      .map((pair) => pair.map((part) => encodeURIComponent(part.toWellFormed())).join('='))
      .join('&');
    const path = `/api/v1/stats/${name}?${search}`;
    check(await send({ method: 'GET', path, headers: bearer() }));
  });
  expect(await troubles()).toEqual([]);
});

it(`any route answers anything with a documented code (${TERMS})`, async () => {
  const request = fc.record({
    index: fc.nat(),
    caller: fc.constantFrom('nobody', 'key', 'person'),
    param: parameter,
    search: fc.webQueryParameters(),
    some: headers,
    body: bodies,
  });
  await forAll(request, async ({ index, caller, param, search, some, body }) => {
    const route = routes[index % routes.length] ?? { method: 'GET', url: '/' };
    const path = `${route.url.replaceAll(/:\w+/g, () => param)}?${search}`;
    const identity = { nobody: {}, key: bearer(), person: { cookie } }[caller];
    const { method } = route;
    check(await send({ method, path, headers: { ...some, ...identity }, body }));
  });
  expect(await troubles()).toEqual([]);
});

it(`bytes that are no request end a connection and nothing else (${TERMS})`, async () => {
  const whole = bytesOf({ method: 'POST', path: '/api/event', body: jsonBytes({ n: 'pageview' }) });
  const damaged = mutation.map(({ at, remove, insert }) => {
    const from = at % whole.length;
    return Buffer.concat([whole.subarray(0, from), insert, whole.subarray(from + remove)]);
  });
  await forAll(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), async (bytes) => {
    for (const answer of await exchangeAndHangUp(bytes)) check(answer);
  });
  expect(await troubles()).toEqual([]);
});

/** Sends the bytes and the end of the stream, so that nothing waits for more. */
async function exchangeAndHangUp(bytes: Uint8Array): Promise<readonly RawAnswer[]> {
  const socket = await openSocket(server.url);
  const end = readToEnd(socket);
  socket.end(bytes);
  const answers = (await end).split(/(?=HTTP\/1\.1 \d{3} )/).map(parseAnswer);
  return answers.filter((answer) => answer !== undefined);
}

it('nesting without end is refused and costs nothing', async () => {
  const depth = 200_000;
  const nest = (open: string, close: string, inner: string) =>
    open.repeat(depth) + inner + close.repeat(depth);
  const leaf = '["is","event:page",["/"]]';
  const around = (filters: string) =>
    `{"site_id":"${SITE}","metrics":["visits"],"date_range":"day","filters":${filters}}`;
  const fits = Math.floor(900_000 / '["not",]'.length);
  for (const [path, body] of [
    ['/api/event', nest('[', ']', '1')],
    ['/api/event', `{"n":"a","u":"https://a/","d":"${SITE}","p":${nest('[', ']', '1')}}`],
    ['/api/events', nest('[', ']', '1')],
    ['/api/v2/query', nest('[', ']', '1')],
    ['/api/v2/query', around(`[${'["not",'.repeat(fits)}${leaf}${']'.repeat(fits)}]`)],
    ['/api/v2/query', around(`[${'["or",['.repeat(fits / 2)}${leaf}${']]'.repeat(fits / 2)}]`)],
    ['/api/v2/query', around(`[${'["not",'.repeat(500)}${leaf}${']'.repeat(500)}]`)],
    ['/api/v2/query', around(`[["or",[${Array(5000).fill(leaf).join(',')}]]]`)],
    ['/api/v1/sites', nest('{"a":', '}', '1')],
  ] as const) {
    const answer = await send({ method: 'POST', path, headers: bearer(), body: Buffer.from(body) });
    check(answer);
  }
  expect(await troubles()).toEqual([]);
});
