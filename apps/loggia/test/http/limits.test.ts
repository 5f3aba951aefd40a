import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIREFOX, TestServer } from '../test-server.ts';
import { LocalApp } from './local-app.ts';
import { openSocket, parseAnswer, rawExchange, readToEnd } from './raw-exchange.ts';

const LOG_TIMEOUT_MS = 20_000;

/** Few events per minute, so that the limits are reached. */
let server: TestServer;
let key: string;
/** The answer to a request that stops half-way through its headers. */
let halfAnswer: Promise<string>;

beforeAll(async () => {
  server = await TestServer.start({
    env: { LOGGIA_RATE_LIMIT_CLIENT_PER_MINUTE: '10', LOGGIA_RATE_LIMIT_SITE_PER_MINUTE: '30' },
  });
  key = server.addKey('stats:read', 'events:write', 'sites:read');
  halfAnswer = rawExchange(server.url, 'POST /api/event HTTP/1.1\r\nHost: half.example\r\n');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const view = (site: string, path = '/') => ({
  n: 'pageview',
  u: `https://${site.split(',')[0]}${path}`,
  d: site,
});

async function pageviews(from: TestServer, site: string, withKey: string): Promise<unknown> {
  const query = { site_id: site, metrics: ['pageviews'], date_range: 'all' };
  return (await from.query(withKey, query))[0]?.metrics[0];
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

describe('the rate limit', () => {
  it('of a client answers 429 and says when to come again', async () => {
    server.addSite('client.example');
    const send = (client: string) =>
      server.sendEvent(view('client.example'), { 'x-forwarded-for': client });
    for (let count = 0; count < 10; count += 1) expect((await send('192.0.2.1')).status).toBe(202);
    const response = await send('192.0.2.1');
    const wait = Number(response.headers.get('retry-after'));
    expect([response.status, await codeOf(response)]).toEqual([429, 'rate_limited']);
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(6);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    const pixel = await fetch(`${server.url}/pixel.gif?d=client.example`, {
      headers: { 'x-forwarded-for': '192.0.2.1', referer: 'https://client.example/' },
    });
    expect(pixel.status).toBe(429);
    expect((await send('192.0.2.2')).status).toBe(202);
    expect(await pageviews(server, 'client.example', key)).toBe(11);
  });

  it('of a site lets other sites pass, and stores nothing of an event that it stops', async () => {
    server.addSite('busy.example');
    server.addSite('calm.example');
    const send = (site: string, client: number) =>
      server.sendEvent(view(site), { 'x-forwarded-for': `198.51.100.${client}` });
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async (_, client) => (await send('busy.example', client)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([202]));
    const response = await send('busy.example', 31);
    expect([response.status, await codeOf(response)]).toEqual([429, 'rate_limited']);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await send('calm.example,busy.example', 32)).status).toBe(429);
    expect(await pageviews(server, 'calm.example', key)).toBe(0);
    expect((await send('calm.example', 33)).status).toBe(202);
    const body = [view('calm.example'), view('busy.example')];
    const batch = await server.ask('POST', '/api/events', { key, body });
    expect(batch.status).toBe(429);
    expect(await pageviews(server, 'calm.example', key)).toBe(1);
    expect(await pageviews(server, 'busy.example', key)).toBe(30);
  });
});

describe('a full queue', () => {
  it('answers 503 with Retry-After and has stored exactly what was answered 202', async () => {
    await using small = await TestServer.start({
      env: { LOGGIA_QUEUE_EVENTS_MAX: '20', LOGGIA_RATE_LIMITS: 'off' },
    });
    small.addSite('queue.example');
    const both = small.addKey('events:write', 'stats:read');
    const batch = (count: number, name: string) =>
      small.ask('POST', '/api/events', {
        key: both,
        body: Array.from({ length: count }, (_, number) => ({
          ...view('queue.example', `/${name}/${number}`),
          ip: '192.0.2.7',
          user_agent: FIREFOX,
        })),
      });
    const tooMany = await batch(21, 'never');
    expect([tooMany.status, tooMany.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await tooMany.json()).toMatchObject({ code: 'overloaded', hint: /fewer/ });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, number) => batch(15, `some${number}`)),
    );
    const accepted = answers.filter(({ status }) => status === 202).length;
    for (const response of answers.filter(({ status }) => status !== 202)) {
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await codeOf(response)).toBe('overloaded');
    }
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(60);
    const query = {
      site_id: 'queue.example',
      metrics: ['pageviews'],
      date_range: 'all',
      dimensions: ['event:page'],
    };
    const pages = (await small.query(both, query)).map(({ dimensions }) => String(dimensions[0]));
    expect(pages.filter((page) => page.startsWith('/never'))).toEqual([]);
    expect(pages).toHaveLength(accepted * 15);
    expect((await batch(20, 'after')).status).toBe(202);
  });
});

describe('SIGTERM', () => {
  /** Sends page views one after the other until the server takes no more. */
  async function sendUntilGone(from: TestServer, prefix: string, taken: Set<string>) {
    for (let number = 0; ; number += 1) {
      const path = `${prefix}/${number}`;
      try {
        const response = await from.sendEvent(view('stop.example', path));
        expect(response.status).toBe(202);
        taken.add(path);
      } catch (error) {
        if (error instanceof TypeError) return;
        throw error;
      }
    }
  }

  it('under load loses nothing that was answered, answers what is under way and ends with 0', async () => {
    await using loaded = await TestServer.start({ env: { LOGGIA_RATE_LIMITS: 'off' } });
    loaded.addSite('stop.example');
    const taken = new Set<string>();
    const senders = Array.from({ length: 16 }, (_, sender) =>
      sendUntilGone(loaded, `/s${sender}`, taken),
    );
    const unused = readToEnd(await openSocket(loaded.url));
    const halfHead = rawExchange(loaded.url, 'GET /livez HTTP/1.1\r\nHost: stop.exam');
    const halfBody = rawExchange(
      loaded.url,
      'POST /api/event HTTP/1.1\r\nHost: stop.example\r\nContent-Length: 99\r\n\r\n{"n":',
    );
    const late = await openSocket(loaded.url);
    const lateAnswer = readToEnd(late);
    const body = JSON.stringify(view('stop.example', '/late'));
    late.write(
      `POST /api/event HTTP/1.1\r\nHost: stop.example\r\nUser-Agent: ${FIREFOX}\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
    );
    await expect.poll(() => taken.size, { timeout: LOG_TIMEOUT_MS }).toBeGreaterThan(500);
    loaded.process.kill('SIGTERM');
    const output = () => loaded.output();
    await expect.poll(output, { timeout: LOG_TIMEOUT_MS, interval: 5 }).toContain('Stopping');
    late.write(`${body.slice(10)}GET /readyz HTTP/1.1\r\nHost: stop.example\r\n\r\n`);
    expect(await loaded.ended).toEqual({ code: 0, signal: null });
    await Promise.all([...senders, unused, halfHead, halfBody]);
    const [first = '', second = ''] = (await lateAnswer).split(/(?=HTTP\/1\.1 503)/);
    expect(parseAnswer(first)).toMatchObject({ status: 202 });
    expect(parseAnswer(second)?.body).toContain('the server is stopping');
    expect(output()).toContain('"Stopped."');
    const stored = loaded.change((journal) => journal.tail.readEvents(0, 1_000_000));
    const pages = stored.map((row) => String(row[7]));
    expect(new Set(pages).size).toBe(pages.length);
    expect([...taken, '/late'].filter((path) => !pages.includes(path))).toEqual([]);
  });

  it('ends an idle server, whatever connections are open', async () => {
    await using idle = await TestServer.start();
    expect((await fetch(`${idle.url}/livez`)).status).toBe(200);
    const sockets = await Promise.all([openSocket(idle.url), openSocket(idle.url)]);
    const ends = sockets.map(readToEnd);
    expect(await idle.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await Promise.all(ends);
  });
});

describe('HTTP', () => {
  const head = (line: string, ...headers: readonly string[]) =>
    `${[line, 'Host: any.example', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;

  it('takes the methods it knows and names them otherwise', async () => {
    for (const [method, path, status, allow] of [
      ['GET', '/api/event', 405, 'OPTIONS, POST'],
      ['DELETE', '/livez', 405, 'GET, HEAD'],
      ['POST', '/js/script.js', 405, 'GET, HEAD'],
      ['PATCH', '/api/v1/sites/any.example', 405, 'DELETE, GET, HEAD, PUT'],
      ['PROPFIND', '/', 405, 'GET, HEAD'],
      ['POST', '/nothing', 404, null],
      ['GET', '/api', 404, null],
      ['GET', '/livez/', 404, null],
    ] as const) {
      const response = await fetch(server.url + path, { method });
      expect([method, path, response.status]).toEqual([method, path, status]);
      expect([path, response.headers.get('allow')]).toEqual([path, allow]);
      expect(await codeOf(response)).toBe(status === 404 ? 'not_found' : 'method_not_allowed');
    }
  });

  it('answers HEAD as GET, without the body', async () => {
    server.addSite('head.example');
    const headers = { authorization: `Bearer ${key}`, 'accept-encoding': 'identity' };
    for (const path of ['/livez', '/js/script.js', '/login', '/assets/page.css', '/api/v1/sites']) {
      const [whole, bare] = await Promise.all([
        fetch(server.url + path, { headers }),
        fetch(server.url + path, { headers, method: 'HEAD' }),
      ]);
      expect([path, bare.status, await bare.text()]).toEqual([path, 200, '']);
      const lengthOf = (response: Response) => response.headers.get('content-length');
      expect([path, lengthOf(bare)]).toEqual([path, lengthOf(whole)]);
    }
  });

  it('keeps a connection for further requests', async () => {
    const two = `GET /livez HTTP/1.1\r\nHost: any.example\r\n\r\n${head('GET /livez HTTP/1.1')}`;
    const text = await rawExchange(server.url, two);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(text).toMatch(/keep-alive: timeout=72/i);
  });

  it('refuses bodies, headers and lines that are too long, with a code', async () => {
    const refused = async (bytes: string) => {
      const answer = parseAnswer(await rawExchange(server.url, bytes));
      return [answer?.status, (JSON.parse(answer?.body ?? '{}') as { code?: string }).code];
    };
    const event = 'POST /api/event HTTP/1.1';
    expect(await refused(head(event, 'Content-Length: 1000001'))).toEqual([413, 'body_too_large']);
    const chunk = `f4241\r\n${'x'.repeat(0xf4241)}\r\n0\r\n\r\n`;
    expect(await refused(head(event, 'Transfer-Encoding: chunked') + chunk)).toEqual([
      413,
      'body_too_large',
    ]);
    const batch = ['POST /api/events HTTP/1.1', `Authorization: Bearer ${key}`] as const;
    expect(await refused(head(...batch, 'Content-Length: 67108865'))).toEqual([
      413,
      'body_too_large',
    ]);
    const long = 'x'.repeat(20_000);
    expect(await refused(head('GET /livez HTTP/1.1', `X-Long: ${long}`))).toEqual([
      431,
      'headers_too_large',
    ]);
    expect(await refused(head(`GET /${long} HTTP/1.1`))).toEqual([431, 'headers_too_large']);
    expect(await refused(head(`GET /js/${'x'.repeat(3000)} HTTP/1.1`))).toEqual([
      414,
      'uri_too_long',
    ]);
    expect(await refused(head('GET /%zz HTTP/1.1'))).toEqual([400, 'bad_request']);
    expect(await refused('NONSENSE\r\n\r\n')).toEqual([400, 'bad_request']);
    expect(await refused('GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n')).toEqual([
      400,
      'bad_request',
    ]);
  });

  it('gives up on a request that stops half-way through its headers', async () => {
    const answer = parseAnswer(await halfAnswer);
    expect(answer?.status).toBe(408);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'request_timeout' });
  });
});

describe('X-Forwarded-For', () => {
  const seen = async (header: string) => {
    const headers = { 'x-forwarded-for': header, 'x-debug-request': 'true' };
    const response = await server.sendEvent(view('unknown.example'), headers);
    return [header.slice(0, 40), response.status, await response.text()];
  };

  it.each([
    ['one address', '203.0.113.9', '203.0.113.9'],
    ['a port', '203.0.113.10:4711', '203.0.113.10'],
    ['brackets', '[2001:db8::1]:443', '2001:db8::1'],
    ['trusted hops', '10.9.9.9, 203.0.113.11 , 10.0.0.1', '203.0.113.11'],
    ['an address that the client made up', '203.0.113.12, 198.51.100.200', '198.51.100.200'],
    ['rubbish at the end', '1.2.3.4, rubbish', '127.0.0.1'],
    ['rubbish', 'rubbish', '127.0.0.1'],
    ['nothing between commas', ', ,,', '127.0.0.1'],
    ['no such address', '999.1.1.1', '127.0.0.1'],
    ['a word', 'unknown', '127.0.0.1'],
    ['half a bracket', '[::1', '127.0.0.1'],
    ['a long word', 'a'.repeat(9000), '127.0.0.1'],
    ['very many hops', `${'203.0.113.1,'.repeat(700)} 203.0.113.14`, '203.0.113.14'],
    ['bytes beyond ASCII', '\u00ff\u00fe', '127.0.0.1'],
  ])('with %s', async (_, header, address) => {
    expect(await seen(header)).toEqual([header.slice(0, 40), 200, address]);
  });

  it('is not read at all when the setting says none', async () => {
    await using other = await LocalApp.open({ LOGGIA_CLIENT_IP_HEADER: 'none' });
    const answer = await other.app.inject({
      method: 'POST',
      url: '/api/event',
      headers: {
        'x-forwarded-for': '203.0.113.9',
        forwarded: 'for=203.0.113.9',
        'x-real-ip': '203.0.113.9',
        'x-debug-request': 'true',
      },
      payload: JSON.stringify(view('unknown.example')),
    });
    expect([answer.statusCode, answer.body]).toEqual([200, '127.0.0.1']);
  });
});
