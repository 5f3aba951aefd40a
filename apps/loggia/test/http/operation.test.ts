import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DROP_REASONS } from '@loggia/contract';
import { hashPassword } from '../../src/accounts/password.ts';
import { FIREFOX, TestServer } from '../test-server.ts';
import { parsePrometheusText } from './prometheus-text.ts';
import { openSocket, rawExchange, readToEnd } from './raw-exchange.ts';

const READY_TIMEOUT_MS = 30_000;
const DAY_MS = 86_400_000;
const ADDRESS = '203.0.113.77';
const DOCUMENT = new URL('../../../../docs/reference/metrics-endpoint.md', import.meta.url);

let server: TestServer;
let cookie = '';

beforeAll(async () => {
  server = await TestServer.start({ env: { LOGGIA_LOG_LEVEL: 'trace' } });
  const passwordHash = await hashPassword('correct horse');
  const token = server.change((journal) => {
    const nowMs = Date.now();
    const user = journal.users.create({ name: 'ada', passwordHash, nowMs });
    return journal.sessions.create({ userId: user.id, nowMs, expiresMs: nowMs + 20 * DAY_MS });
  });
  cookie = `loggia_session=${token}`;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(server.url + path, { headers, redirect: 'manual' });

/** Asks without an HTTP library that decodes, so that the bytes are those of the wire. */
async function getBytes(path: string, headers: Readonly<Record<string, string>>) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly encoding: string | undefined;
    readonly body: Buffer;
  }>();
  request(server.url + path, { headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () =>
      resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) }),
    );
  })
    .on('error', reject)
    .end();
  return await promise;
}

describe('probes', () => {
  it('say that the process lives, and that it is ready once the event store is loaded', async () => {
    expect((await get('/livez')).status).toBe(200);
    const ready = async () => (await get('/readyz')).status;
    await expect.poll(ready, { timeout: READY_TIMEOUT_MS, interval: 50 }).toBe(200);
    expect(await (await get('/readyz')).text()).toBe('ok');
    const { samples } = parsePrometheusText(await (await get('/metrics')).text()).get(
      'loggia_warehouse_behind_rows',
    ) ?? { samples: new Map() };
    expect(samples.get('loggia_warehouse_behind_rows')).toBe(0);
  });

  it('name what is missing while a new server still loads', async () => {
    await using fresh = await TestServer.start();
    const answers = new Set<string>();
    const look = async () => {
      const response = await fetch(`${fresh.url}/readyz`);
      answers.add(`${response.status} ${await response.text()}`);
      return response.status;
    };
    await expect.poll(look, { timeout: READY_TIMEOUT_MS, interval: 5 }).toBe(200);
    for (const answer of answers) {
      expect(answer).toMatch(/^(200 ok|503 not ready: the event store is loading)$/);
    }
  });
});

describe('GET /metrics', () => {
  it('is in the text format of Prometheus and has what the reference lists', async () => {
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const families = parsePrometheusText(await response.text());
    const served = Array.from(families, ([name, { type }]) => `${name} ${type}`);
    const document = readFileSync(DOCUMENT, 'utf8');
    const rows = document.matchAll(/^\| `(\w+)` \| (\w+) \|/gm);
    const documented = Array.from(rows, ([, name, type]) => `${name} ${type}`);
    expect(served.toSorted()).toEqual(documented.toSorted());
    for (const [name, { help }] of families) {
      if (name.startsWith('loggia_')) {
        const meaning = document.split(`\`${name}\``)[1]?.split('|')[2]?.replaceAll('`', '');
        expect(meaning?.trim()).toBe(help);
      }
    }
  });

  it('counts events, drops, refusals and answers', async () => {
    const read = async (name: string, labels = '') => {
      const families = parsePrometheusText(await (await get('/metrics')).text());
      return families.get(name)?.samples.get(name + labels) ?? 0;
    };
    server.addSite('count.example');
    const event = { n: 'pageview', u: 'https://count.example/', d: 'count.example' };
    const accepted = await read('loggia_events_accepted_total');
    const bots = await read('loggia_events_dropped_total', '{reason="bot"}');
    const bad = await read('loggia_requests_refused_total', '{code="bad_event"}');
    const answers = await read('loggia_http_requests_total', '{route="/api/event",status="202"}');
    await server.sendEvent(event);
    await server.sendEvent(event, { 'user-agent': 'Googlebot/2.1' });
    await server.sendEvent({});
    expect(await read('loggia_events_accepted_total')).toBe(accepted + 1);
    expect(await read('loggia_events_dropped_total', '{reason="bot"}')).toBe(bots + 1);
    expect(await read('loggia_requests_refused_total', '{code="bad_event"}')).toBe(bad + 1);
    expect(await read('loggia_http_requests_total', '{route="/api/event",status="202"}')).toBe(
      answers + 2,
    );
    const events = () => read('loggia_warehouse_events');
    await expect.poll(events, { timeout: READY_TIMEOUT_MS }).toBeGreaterThan(0);
  });

  it('has no label that a client can make up', async () => {
    await get('/made/up/by/a/client');
    await fetch(`${server.url}/livez`, { method: 'PROPFIND' });
    const text = await (await get('/metrics')).text();
    expect(text).not.toContain('made/up');
    expect(text).not.toContain('PROPFIND');
  });
});

describe('the log', () => {
  it('is JSON lines, on the most talkative level, without a trace of visitors', async () => {
    const agent = `${FIREFOX} Distinctive/7.7`;
    server.addSite('quiet.example');
    const headers = { 'user-agent': agent, 'x-forwarded-for': ADDRESS };
    const event = { n: 'pageview', u: 'https://quiet.example/secret-page', d: 'quiet.example' };
    expect((await server.sendEvent(event, headers)).status).toBe(202);
    await server.sendEvent({ ...event, d: 'unknown.example' }, headers);
    await server.sendEvent({ n: 'pageview' }, headers);
    await get('/api/v1/sites/quiet.example', headers);
    await get(`/pixel.gif?d=quiet.example&u=https://quiet.example/secret-page`, headers);
    await get('/nothing/secret-page', headers);
    const raw = `GET / HTTP/1.1\r\nX-Forwarded-For: ${ADDRESS}\r\nUser-Agent: ${agent}\r\nBad\r\n\r\n`;
    await rawExchange(server.url, raw);
    const half = await openSocket(server.url);
    const gone = readToEnd(half);
    half.write(`POST /api/event HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${ADDRESS}\r\n`);
    half.write(`User-Agent: ${agent}\r\nContent-Length: 99\r\n\r\n{"n":"pageview"`);
    half.destroy();
    await gone;
    const login = { method: 'POST', body: 'name=ada&password=wrong-secret' };
    await fetch(`${server.url}/login`, { ...login, headers });
    const output = server.output();
    for (const line of output.trimEnd().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({
        level: expect.any(Number),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        msg: expect.any(String),
      });
    }
    for (const trace of [ADDRESS, 'Distinctive', 'secret-page', 'wrong-secret', '127.0.0.1:5']) {
      expect(output).not.toContain(trace);
    }
  });
});

describe('scripts', () => {
  it('come with a tag, for whoever may keep them, and as small as the browser takes them', async () => {
    const plain = await get('/js/script.js', { 'accept-encoding': 'identity' });
    const etag = plain.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"[\w-]+"$/);
    expect(Object.fromEntries(plain.headers)).toMatchObject({
      'content-type': 'application/javascript; charset=utf-8',
      'cache-control': 'public, max-age=86400, stale-while-revalidate=604800',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'accept-encoding',
    });
    const body = Buffer.from(await plain.arrayBuffer());
    const brotli = await getBytes('/js/script.js', { 'accept-encoding': 'gzip, deflate, br' });
    expect([brotli.encoding, brotliDecompressSync(brotli.body).equals(body)]).toEqual(['br', true]);
    const gzip = await getBytes('/js/script.js', { 'accept-encoding': 'gzip;q=1.0, br;q=0' });
    expect([gzip.encoding, gunzipSync(gzip.body).equals(body)]).toEqual(['gzip', true]);
    const none = await getBytes('/js/script.js', { 'accept-encoding': 'zstd' });
    expect([none.encoding, none.body.equals(body)]).toEqual([undefined, true]);
    for (const tag of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
      const again = await get('/js/script.js', { 'if-none-match': tag });
      expect([tag, again.status, await again.text()]).toEqual([tag, 304, '']);
      expect(again.headers.get('cache-control')).toContain('max-age=86400');
    }
    expect((await get('/js/script.js', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('have the names that pages already use, and no others', async () => {
    for (const name of ['plausible.js', 'script.outbound-links.js', 'script.hash.compat.js']) {
      expect([name, (await get(`/js/${name}`)).status]).toEqual([name, 200]);
    }
    for (const name of ['script.teleport.js', 'other.js', 'script', 'pa-unknown.js', '..%2Fa.js']) {
      const response = await get(`/js/${name}`);
      const body = (await response.json()) as { code: string };
      expect([name, response.status, body.code]).toEqual([name, 404, 'not_found']);
    }
  });

  it('of a site follow its settings', async () => {
    const site = server.addSite('own.example');
    const read = async () => {
      const response = await get(`/js/pa-${site.scriptId}.js`);
      return { text: await response.text(), etag: response.headers.get('etag') };
    };
    const status = async () => (await get(`/js/pa-${site.scriptId}.js`)).status;
    await expect.poll(status, { timeout: 1000, interval: 50 }).toBe(200);
    const before = await read();
    expect(before.text).toContain('own.example');
    expect(before.text).not.toContain('"outboundLinks":true');
    server.change((journal) =>
      journal.sites.update(site.id, { settings: { scriptFeatures: ['outbound-links'] } }),
    );
    await expect
      .poll(async () => (await read()).text, { timeout: 1000, interval: 50 })
      .toContain('"outboundLinks":true');
    expect((await read()).etag).not.toBe(before.etag);
  });
});

describe('pages', () => {
  const overview = async () => await (await get('/', { cookie })).text();

  it('forbid scripts, frames and foreign content, and have none', async () => {
    const html = { accept: 'text/html' };
    for (const [path, headers] of [
      ['/', { cookie }],
      ['/login', {}],
      ['/setup', {}],
      ['/setup?token=%3Cscript%3E', {}],
      ['/nothing<script>', html],
      ['/api/nothing', {}],
    ] as const) {
      const response = await get(path, headers);
      const text = await response.text();
      expect([path, text.includes('<script'), / on\w+=/i.test(text)]).toEqual([path, false, false]);
      expect([path, /\sstyle=|<style/i.test(text)]).toEqual([path, false]);
      if (path.startsWith('/api/')) continue;
      expect({ path, ...Object.fromEntries(response.headers) }).toMatchObject({
        path,
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; (?!.*(?:unsafe|script-src)).*frame-ancestors 'none'$/,
        ),
        'referrer-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
    }
  });

  it('show the numbers of today and what was not counted', async () => {
    server.addSite('today.example');
    const send = (path: string, headers: Readonly<Record<string, string>>) =>
      server.sendEvent(
        { n: 'pageview', u: `https://today.example${path}`, d: 'today.example' },
        headers,
      );
    await send('/', { 'x-forwarded-for': '192.0.2.10' });
    await send('/more', { 'x-forwarded-for': '192.0.2.10' });
    await send('/', { 'x-forwarded-for': '192.0.2.11' });
    for (let count = 0; count < 3; count += 1) await send('/', { 'user-agent': 'Googlebot/2.1' });
    const card = async () => {
      const text = await overview();
      const [, after = ''] = text.split('>today.example</h2>');
      return after.split('</article>')[0]?.replaceAll(/\s+/g, ' ').replaceAll('> <', '><') ?? '';
    };
    const figure = (label: string, value: string) => `<dt>${label}</dt><dd>${value}</dd>`;
    expect(await card()).toContain('2 current visitors');
    expect(await card()).toContain(figure('Visitors', '2'));
    expect(await card()).toContain(figure('Visits', '2'));
    expect(await card()).toContain(figure('Page views', '3'));
    expect(await card()).toContain(figure('Bounce rate', '50 %'));
    await expect.poll(card, { timeout: 30_000, interval: 500 }).toContain('3 not counted today');
    expect(await card()).toContain(`<b>3</b> ${DROP_REASONS.bot}`);
  });

  it('escape what people typed', async () => {
    const response = await fetch(`${server.url}/sites`, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams({ domain: '"><script>alert(1)</script>', timezone: '<b>' }),
    });
    const text = await response.text();
    expect(response.status).toBe(400);
    expect(text).not.toContain('<script>');
    expect(text).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('add a site, which then waits for its first page view', async () => {
    const response = await fetch(`${server.url}/sites`, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams({ domain: 'added.example', timezone: 'Europe/Berlin' }),
      redirect: 'manual',
    });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/']);
    const [, card = ''] = (await overview()).split('>added.example</h2>');
    expect(card).toContain('Waiting for the first page view');
    expect(card).toContain('data-domain=&quot;added.example&quot;');
  });

  it('serve their own style and picture', async () => {
    for (const [path, type] of [
      ['/assets/page.css', 'text/css; charset=utf-8'],
      ['/assets/icon.svg', 'image/svg+xml'],
    ] as const) {
      const response = await get(path);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
      const etag = response.headers.get('etag') ?? '';
      expect((await get(path, { 'if-none-match': etag })).status).toBe(304);
    }
    expect((await get('/favicon.ico')).headers.get('location')).toBe('/assets/icon.svg');
  });
});
