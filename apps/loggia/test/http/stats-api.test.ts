import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIREFOX, TestServer } from '../test-server.ts';
import { parsePrometheusText } from './prometheus-text.ts';
import { openSocket, readToEnd } from './raw-exchange.ts';

const COUNTER_TIMEOUT_MS = 20_000;
const DAY = '2026-03-05';

let server: TestServer;
let key: string;

beforeAll(async () => {
  server = await TestServer.start({ env: { LOGGIA_QUERIES_CONCURRENT_MAX: '1' } });
  key = server.addKey('stats:read', 'events:write');
  server.addSite('stats.example', 'Europe/Berlin');
  await sendBatch(server, key, [
    at('/', '09:00', 1, { r: 'https://www.google.com/' }),
    at('/a', '09:10', 1),
    at('/', '10:00', 2),
    { ...at('/', '10:05', 2), n: 'Signup', p: { plan: 'pro' } },
  ]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** A page view at a UTC time of the day; Berlin is an hour ahead. */
function at(path: string, time: string, client: number, more: object = {}) {
  return {
    n: 'pageview',
    u: `https://stats.example${path}`,
    d: 'stats.example',
    timestamp: `${DAY}T${time}:00Z`,
    ip: `192.0.2.${client}`,
    user_agent: FIREFOX,
    ...more,
  };
}

async function sendBatch(to: TestServer, withKey: string, body: readonly object[]): Promise<void> {
  const response = await to.ask('POST', '/api/events', { key: withKey, body });
  expect(await response.json()).toEqual({ accepted: body.length, dropped: [], errors: [] });
}

async function ask(method: string, path: string, body?: unknown) {
  const sent = body === undefined ? {} : { body };
  const response = await server.ask(method, path, { key, ...sent });
  return { status: response.status, body: await response.json() };
}

async function counter(of: TestServer, name: string, labels: string): Promise<number> {
  const families = parsePrometheusText(await (await fetch(`${of.url}/metrics`)).text());
  return families.get(name)?.samples.get(name + labels) ?? 0;
}

const base = { site_id: 'stats.example', date_range: [DAY, DAY] };

describe('POST /api/v2/query', () => {
  it('answers in the documented form', async () => {
    const answer = await ask('POST', '/api/v2/query', {
      ...base,
      metrics: ['visitors', 'pageviews', 'bounce_rate'],
      dimensions: ['visit:source'],
      filters: [['is_not', 'visit:country', ['DE']]],
      include: { total_rows: true },
      pagination: { limit: 10, offset: 0 },
    });
    expect(answer).toEqual({
      status: 200,
      body: {
        results: [
          { dimensions: ['Direct / None'], metrics: [1, 1, 0] },
          { dimensions: ['Google'], metrics: [1, 2, 0] },
        ],
        meta: { total_rows: 2 },
        query: {
          site_id: 'stats.example',
          metrics: ['visitors', 'pageviews', 'bounce_rate'],
          date_range: ['2026-03-05T00:00:00+01:00', '2026-03-05T23:59:59+01:00'],
          dimensions: ['visit:source'],
          filters: [['is_not', 'visit:country', ['DE']]],
          order_by: [['visitors', 'desc']],
          include: expect.objectContaining({ total_rows: true }),
          pagination: { limit: 10, offset: 0 },
        },
      },
    });
  });

  it('labels times in the zone of the site', async () => {
    const { body } = await ask('POST', '/api/v2/query', {
      ...base,
      metrics: ['visits'],
      dimensions: ['time:hour'],
      include: { time_labels: true },
    });
    const labels = Array.from(
      { length: 24 },
      (_, hour) => `${DAY} ${String(hour).padStart(2, '0')}:00:00`,
    );
    expect(body).toMatchObject({
      results: [
        { dimensions: [labels[10]], metrics: [1] },
        { dimensions: [labels[11]], metrics: [1] },
      ],
      meta: { time_labels: labels },
    });
  });

  it('is one row without dimensions, also for a person who has logged in', async () => {
    const nowMs = Date.now();
    const token = server.change((journal) => {
      const user = journal.users.create({ name: 'ada', passwordHash: '', nowMs });
      return journal.sessions.create({ userId: user.id, nowMs, expiresMs: nowMs + 1e9 });
    });
    const response = await fetch(`${server.url}/api/v2/query`, {
      method: 'POST',
      headers: { cookie: `loggia_session=${token}` },
      body: JSON.stringify({ ...base, metrics: ['events'] }),
    });
    expect(((await response.json()) as { results: unknown }).results).toEqual([
      { dimensions: [], metrics: [4] },
    ]);
  });

  it.each([
    [400, 'bad_query', {}, /lacks/],
    [400, 'bad_query', [], /object/],
    [400, 'bad_query', { metrics: ['visitors'] }, /lacks/],
    [400, 'bad_query', { ...base, metrics: ['vistors'] }, /vistors/],
    [400, 'bad_query', { ...base, metrics: [] }, /metrics/],
    [400, 'bad_query', { ...base, metrics: ['visits'], dimensions: ['visit:mood'] }, /mood/],
    [400, 'bad_query', { ...base, metrics: ['visits'], date_range: 'soon' }, /soon/],
    [400, 'bad_query', { ...base, metrics: ['visits'], surprise: 1 }, /surprise/],
    [
      400,
      'bad_query',
      { ...base, metrics: ['visits'], filters: [['matches', 'event:page', ['(']]] },
      /regular/,
    ],
    [404, 'unknown_site', { ...base, site_id: 'nowhere.example', metrics: ['visits'] }, /nowhere/],
  ] as const)('refuses with %s %s: %j', async (status, code, query, error) => {
    const answer = await ask('POST', '/api/v2/query', query);
    expect(answer).toEqual({
      status,
      body: expect.objectContaining({ code, error: expect.stringMatching(error) }),
    });
  });

  it('says what was meant, or where to look', async () => {
    const misspelt = await ask('POST', '/api/v2/query', { ...base, metrics: ['vistors'] });
    expect(misspelt.body).toMatchObject({ error: expect.stringContaining("'visitors'") });
    const unknown = { ...base, site_id: 'nowhere.example', metrics: ['visits'] };
    const { body } = await ask('POST', '/api/v2/query', unknown);
    expect(body).toMatchObject({ hint: expect.stringContaining('loggia site list') });
    const broken = await fetch(`${server.url}/api/v2/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: '{"site_id"',
    });
    expect([broken.status, await broken.json()]).toEqual([
      400,
      { code: 'bad_json', error: expect.any(String) },
    ]);
  });
});

describe('/api/v1/stats', () => {
  const day = `site_id=stats.example&period=day&date=${DAY}`;

  it('aggregates, with the change since the period before', async () => {
    const metrics = 'metrics=visitors,pageviews';
    expect(await ask('GET', `/api/v1/stats/aggregate?${day}&${metrics}`)).toEqual({
      status: 200,
      body: { results: { visitors: { value: 2 }, pageviews: { value: 3 } } },
    });
    const compared = `/api/v1/stats/aggregate?${day}&${metrics}&compare=previous_period`;
    expect(await ask('GET', compared)).toMatchObject({
      status: 200,
      body: { results: { visitors: { value: 2, change: 100 } } },
    });
  });

  it('makes time series of a period', async () => {
    const series = `site_id=stats.example&period=custom&date=2026-03-04,2026-03-06`;
    expect(await ask('GET', `/api/v1/stats/timeseries?${series}`)).toEqual({
      status: 200,
      body: {
        results: [
          { date: '2026-03-04', visitors: 0 },
          { date: DAY, visitors: 2 },
          { date: '2026-03-06', visitors: 0 },
        ],
      },
    });
  });

  it('breaks down by a property, with filters and pages', async () => {
    const breakdown = `/api/v1/stats/breakdown?${day}&property=event:page`;
    expect(await ask('GET', `${breakdown}&metrics=visitors,pageviews`)).toEqual({
      status: 200,
      body: {
        results: [
          { page: '/', visitors: 2, pageviews: 2 },
          { page: '/a', visitors: 1, pageviews: 1 },
        ],
      },
    });
    const filters = encodeURIComponent('visit:source==Google');
    expect(await ask('GET', `${breakdown}&filters=${filters}&limit=1&page=2`)).toEqual({
      status: 200,
      body: { results: [{ page: '/a', visitors: 1 }] },
    });
  });

  it('counts the current visitors as a bare number', async () => {
    server.addSite('live.example');
    const path = '/api/v1/stats/realtime/visitors?site_id=live.example';
    const current = async () => {
      const response = await server.ask('GET', path, { key });
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      return await response.text();
    };
    const event = { n: 'pageview', u: 'https://live.example/', d: 'live.example' };
    await expect.poll(async () => (await ask('GET', path)).status, { timeout: 1000 }).toBe(200);
    expect(await current()).toBe('0');
    await server.sendEvent(event, { 'x-forwarded-for': '192.0.2.50' });
    await server.sendEvent(event, { 'x-forwarded-for': '192.0.2.51' });
    expect(await current()).toBe('2');
  });

  it.each([
    ['aggregate?period=day', 400],
    ['aggregate?site_id=nowhere.example', 404],
    ['aggregate?site_id=stats.example&period=fortnight', 400],
    ['aggregate?site_id=stats.example&metrics=mood', 400],
    ['aggregate?site_id=stats.example&filters=rubbish', 400],
    ['timeseries?site_id=stats.example&interval=century', 400],
    ['breakdown?site_id=stats.example', 400],
    ['breakdown?site_id=stats.example&property=visit:mood', 400],
    ['breakdown?site_id=stats.example&property=event:page&limit=0', 400],
    ['realtime/visitors', 400],
  ])('%s is %i', async (path, status) => {
    const answer = await ask('GET', `/api/v1/stats/${path}`);
    expect(answer).toEqual({
      status,
      body: expect.objectContaining({ error: expect.any(String), code: expect.any(String) }),
    });
  });
});

describe('an event that was answered 202', () => {
  it('is in the next query, 200 times in a row and at the same time', async () => {
    server.addSite('now.example');
    const reader = server.addKey('stats:read');
    const missing: string[] = [];
    const turn = async (page: string) => {
      const event = { n: 'pageview', u: `https://now.example${page}`, d: 'now.example' };
      const response = await server.sendEvent(event);
      expect([response.status, response.headers.get('x-loggia-dropped')]).toEqual([202, null]);
      const [row] = await server.query(reader, {
        site_id: 'now.example',
        metrics: ['pageviews'],
        date_range: 'day',
        filters: [['is', 'event:page', [page]]],
      });
      if (row?.metrics[0] !== 1) missing.push(`${page}: ${String(row?.metrics[0])}`);
    };
    const worker = async (name: number) => {
      for (let number = 0; number < 20; number += 1) await turn(`/${name}/${number}`);
    };
    await Promise.all(Array.from({ length: 10 }, (_, name) => worker(name)));
    expect(missing).toEqual([]);
  });
});

describe('limits of queries', () => {
  it('answer 429 with Retry-After to a key that asks too often, and to no other', async () => {
    const eager = server.addKey('stats:read');
    const query = (withKey: string) =>
      server.ask('POST', '/api/v2/query', { key: withKey, body: {} });
    let limited: Response | undefined;
    for (let round = 0; round < 100 && limited === undefined; round += 1) {
      const responses = await Promise.all(Array.from({ length: 50 }, () => query(eager)));
      limited = responses.find(({ status }) => status === 429);
    }
    expect(Number(limited?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await limited?.json()).toMatchObject({ code: 'rate_limited' });
    expect((await query(server.addKey('stats:read'))).status).toBe(400);
  });

  it('end a query that takes too long', async () => {
    await using small = await TestServer.start({ env: { LOGGIA_QUERY_TIMEOUT: '10ms' } });
    const both = small.addKey('stats:read', 'events:write');
    small.addSite('stats.example');
    await sendMany(small, both, 20_000);
    const query = (more: object) =>
      small.ask('POST', '/api/v2/query', { key: both, body: { ...base, ...more } });
    const slow = await query(HEAVY);
    expect([slow.status, slow.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await slow.json()).toMatchObject({
      code: 'query_timeout',
      error: 'The query took longer than 0.01 s.',
      hint: expect.any(String),
    });
    expect((await fetch(`${small.url}/livez`)).status).toBe(200);
  });

  it('refuse an answer with too many rows instead of cutting it', async () => {
    await using small = await TestServer.start({ env: { LOGGIA_QUERY_ROWS_MAX: '100' } });
    const both = small.addKey('stats:read', 'events:write');
    small.addSite('stats.example');
    await sendMany(small, both, 101);
    const query = (limit: number) =>
      small.ask('POST', '/api/v2/query', {
        key: both,
        body: {
          ...base,
          metrics: ['visitors'],
          dimensions: ['event:page'],
          pagination: { limit },
        },
      });
    const whole = await query(1000);
    expect([whole.status, whole.headers.get('retry-after')]).toEqual([503, null]);
    expect(await whole.json()).toMatchObject({ code: 'query_too_large', hint: /page/ });
    const page = (await (await query(100)).json()) as { results: unknown[] };
    expect(page.results).toHaveLength(100);
  });

  it('cancel the query of a client that has gone', async () => {
    await sendMany(server, key, 20_000);
    const impatient = server.addKey('stats:read');
    const body = JSON.stringify({ ...base, ...HEAVY });
    const head =
      `POST /api/v2/query HTTP/1.1\r\nHost: stats.example\r\nConnection: close\r\n` +
      `Authorization: Bearer ${impatient}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const sockets = await Promise.all(Array.from({ length: 8 }, () => openSocket(server.url)));
    const answers = sockets.map(readToEnd);
    for (const socket of sockets) socket.write(head + body);
    expect(await Promise.race(answers)).toMatch(/^HTTP\/1\.1 200 OK/);
    for (const socket of sockets) socket.destroy();
    const cancelled = () =>
      counter(server, 'loggia_requests_refused_total', '{code="query_cancelled"}');
    await expect.poll(cancelled, { timeout: COUNTER_TIMEOUT_MS }).toBeGreaterThan(0);
    const light = { ...base, metrics: ['visitors'] };
    expect(await server.query(impatient, light)).toHaveLength(1);
  });
});

/** Costs the engine some tens of milliseconds over as many events as `sendMany` sends. */
const HEAVY = {
  metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate', 'time_on_page', 'scroll_depth'],
  dimensions: ['event:page'],
  filters: [
    ['has_not_done', ['matches', 'event:page', ['(a|b|c)+x{20,30}y']]],
    ['matches', 'event:page', ['[0-9]+$']],
  ],
};

/** Fills the site with visits of several pages. */
async function sendMany(to: TestServer, withKey: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 10_000) {
    const length = Math.min(10_000, count - from);
    const items = Array.from({ length }, (_, index) => {
      const number = from + index;
      return at(`/many/${number}`, '12:00', 1, {
        ip: `10.${number % 200}.${(number >> 8) % 200}.7`,
      });
    });
    await sendBatch(to, withKey, items);
  }
}
