import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIREFOX, TestServer } from './test-server.ts';

let server: TestServer;
let key: string;

beforeAll(async () => {
  server = await TestServer.start();
  key = server.addKey('stats:read', 'events:write');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function numbers(site: string, metrics: readonly string[], more: object = {}) {
  const results = await server.query(key, {
    site_id: site,
    metrics,
    date_range: 'day',
    ...more,
  });
  return results.map((row) => [...row.dimensions, ...row.metrics]);
}

const view = (site: string, path: string) => ({
  n: 'pageview',
  u: `https://${site}${path}`,
  d: site,
});

describe('POST /api/event', () => {
  it('answers 202, and the next query counts the event', async () => {
    server.addSite('one.example');
    const response = await server.sendEvent(view('one.example', '/'));
    expect([response.status, await response.text()]).toEqual([202, 'ok']);
    expect(await numbers('one.example', ['visitors', 'pageviews'])).toEqual([[1, 1]]);
  });

  it('reads long names and application/json as well', async () => {
    server.addSite('long.example');
    const response = await server.sendEvent(
      {
        name: 'Signup',
        url: 'https://long.example/join',
        domain: 'long.example',
        props: { plan: 'pro' },
        revenue: { amount: '12.50', currency: 'EUR' },
      },
      { 'content-type': 'application/json' },
    );
    expect(response.status).toBe(202);
    expect(await numbers('long.example', ['events'], { dimensions: ['event:props:plan'] })).toEqual(
      [['pro', 1]],
    );
  });

  it('stores an event at every site it names, each once', async () => {
    server.addSite('a.example');
    server.addSite('b.example');
    const response = await server.sendEvent({
      ...view('a.example', '/'),
      d: 'a.example,b.example,www.a.example',
    });
    expect(response.status).toBe(202);
    expect(response.headers.get('x-loggia-dropped')).toBeNull();
    expect(await numbers('a.example', ['pageviews'])).toEqual([[1]]);
    expect(await numbers('b.example', ['pageviews'])).toEqual([[1]]);
  });

  it('answers 202 with the reason when an event is dropped', async () => {
    server.addSite('drop.example', 'UTC', {
      excludedPages: ['/admin/**'],
      allowedHosts: ['drop.example'],
      honourOptOut: true,
    });
    const reason = async (event: object, headers = {}) => {
      const response = await server.sendEvent({ ...view('drop.example', '/'), ...event }, headers);
      expect(response.status).toBe(202);
      expect(response.headers.get('x-plausible-dropped')).toBe('1');
      return response.headers.get('x-loggia-dropped');
    };
    expect(await reason({ d: 'nowhere.example' })).toBe('unknown_site');
    expect(await reason({}, { 'user-agent': 'Googlebot/2.1' })).toBe('bot');
    expect(await reason({ u: 'https://drop.example/admin/users' })).toBe('excluded_page');
    expect(await reason({ u: 'https://evil.example/' })).toBe('host_not_allowed');
    expect(await reason({}, { 'sec-gpc': '1' })).toBe('opted_out');
    expect(await reason({ n: 'engagement', e: 3000 })).toBe('no_visit');
    expect(await numbers('drop.example', ['events'])).toEqual([[0]]);
  });

  it('answers 400 with everything that is wrong', async () => {
    const response = await server.sendEvent({ d: 'one.example' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'bad_event',
      errors: ['The name (n) is missing.', 'The URL (u) is missing.'],
    });
    const garbage = await fetch(`${server.url}/api/event`, { method: 'POST', body: '{"n":' });
    expect(garbage.status).toBe(400);
    expect(await garbage.json()).toMatchObject({ code: 'bad_json' });
  });

  it('may be called from a page of any origin', async () => {
    const preflight = await fetch(`${server.url}/api/event`, {
      method: 'OPTIONS',
      headers: { origin: 'https://one.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    const response = await server.sendEvent(view('one.example', '/cors'));
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('takes the client from X-Forwarded-For of a trusted proxy', async () => {
    server.addSite('proxy.example');
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) {
      await server.sendEvent(view('proxy.example', '/'), { 'x-forwarded-for': address });
    }
    expect(await numbers('proxy.example', ['visitors', 'pageviews'])).toEqual([[2, 3]]);
    const debug = await server.sendEvent(view('proxy.example', '/'), {
      'x-forwarded-for': '203.0.113.9, 10.0.0.3',
      'x-debug-request': 'true',
    });
    expect([debug.status, await debug.text()]).toEqual([200, '203.0.113.9']);
  });
});

describe('GET /pixel.gif', () => {
  it('counts a page view and answers with an image', async () => {
    server.addSite('pixel.example');
    const response = await fetch(`${server.url}/pixel.gif?d=pixel.example`, {
      headers: { referer: 'https://pixel.example/plain', 'user-agent': FIREFOX },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/gif']);
    expect((await response.arrayBuffer()).byteLength).toBe(42);
    expect(await numbers('pixel.example', ['pageviews'], { dimensions: ['event:page'] })).toEqual([
      ['/plain', 1],
    ]);
  });
});

describe('POST /api/events', () => {
  const send = (body: string, type = 'application/json') =>
    fetch(`${server.url}/api/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': type },
      body,
    });

  it('forms visits by the timestamps of the items, in whatever order they come', async () => {
    server.addSite('batch.example');
    const at = (minute: number, path: string) => ({
      ...view('batch.example', path),
      timestamp: new Date(Date.UTC(2026, 0, 5, 10, minute)).toISOString(),
      ip: '198.51.100.7',
      user_agent: FIREFOX,
    });
    const response = await send(
      JSON.stringify([at(20, '/c'), at(0, '/a'), at(10, '/b'), at(59, '/d')]),
    );
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ accepted: 4, dropped: [], errors: [] });
    const rows = await numbers('batch.example', ['visits', 'views_per_visit'], {
      date_range: ['2026-01-05', '2026-01-05'],
      dimensions: ['visit:entry_page', 'visit:exit_page'],
    });
    expect(rows).toEqual([
      ['/a', '/c', 1, 3],
      ['/d', '/d', 1, 1],
    ]);
  });

  it('stores the same id once and counts the repeat as accepted', async () => {
    server.addSite('ids.example');
    const item = { ...view('ids.example', '/'), id: 'order-1' };
    const body = JSON.stringify([item, item, { ...item, id: 'order-2' }]);
    expect(await (await send(body)).json()).toMatchObject({ accepted: 3 });
    expect(await (await send(body)).json()).toMatchObject({ accepted: 3 });
    expect(await numbers('ids.example', ['pageviews'])).toEqual([[2]]);
  });

  it('says for each item of NDJSON what became of it', async () => {
    server.addSite('lines.example');
    const lines = [
      JSON.stringify(view('lines.example', '/')),
      'no json',
      JSON.stringify({ n: 'pageview' }),
      JSON.stringify({ ...view('lines.example', '/'), user_agent: 'curl/8.0' }),
      JSON.stringify({ ...view('lines.example', '/'), d: 'nowhere.example' }),
      JSON.stringify({ ...view('lines.example', '/'), timestamp: 'yesterday' }),
    ];
    const response = await send(lines.join('\n'), 'application/x-ndjson');
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      accepted: 1,
      dropped: [
        { index: 3, reason: 'bot' },
        { index: 4, reason: 'unknown_site' },
      ],
      errors: [
        { index: 1, code: 'bad_json', message: 'The line is not valid JSON.' },
        {
          index: 2,
          code: 'bad_event',
          message: 'The URL (u) is missing.',
        },
        {
          index: 5,
          code: 'bad_event',
          message: 'The timestamp is neither ISO 8601 nor Unix milliseconds.',
        },
      ],
    });
  });

  it('refuses more than 10,000 items, and requests without a key that may', async () => {
    const many = await send(`[${'1,'.repeat(10_000)}1]`);
    expect([many.status, ((await many.json()) as { code: string }).code]).toEqual([
      400,
      'bad_batch',
    ]);
    const keyless = await fetch(`${server.url}/api/events`, { method: 'POST', body: '[]' });
    expect(keyless.status).toBe(401);
    const wrong = server.addKey('stats:read');
    const forbidden = await server.ask('POST', '/api/events', { key: wrong, body: [] });
    expect([forbidden.status, ((await forbidden.json()) as { code: string }).code]).toEqual([
      403,
      'forbidden',
    ]);
  });
});
