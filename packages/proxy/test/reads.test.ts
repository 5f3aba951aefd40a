import { expect, test } from 'vitest';
import { ask } from './http-client.ts';
import { freePort, startApp, startProxy } from './node-fixture.ts';

const app = (): ReturnType<typeof startApp> =>
  startApp((request, response) => response.end(`${request.method} ${request.url} here`));

test('a read is answered by the local application and tells the position', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url);
  state.reach(2, 0xff);
  const reply = await ask(port, { path: '/items?page=2' });
  expect(reply).toMatchObject({ status: 200, body: 'GET /items?page=2 here' });
  expect(reply.headers['tandem-position']).toBe('2.00000000000000ff');
  expect(reply.headers['set-cookie']).toEqual([
    '__txid=2.00000000000000ff; Path=/; Max-Age=300; HttpOnly; SameSite=Lax',
  ]);
});

test('a secure cookie says so', async () => {
  const { url } = await app();
  const { port } = await startProxy(url, { secureCookie: true, cookieMaxAgeS: 7 });
  const reply = await ask(port);
  expect(reply.headers['set-cookie']).toEqual([
    '__txid=1.0000000000000001; Path=/; Max-Age=7; HttpOnly; SameSite=Lax; Secure',
  ]);
});

for (const [form, headers] of Object.entries({
  'the cookie': { Cookie: 'a=b; __txid=1.5; c=d' },
  'the header': { 'Tandem-Position': '1.0000000000000005' },
  'the cookie of LiteFS': { Cookie: '__txid=0000000000000005' },
  'the newer of header and cookie': { Cookie: '__txid=1.5', 'Tandem-Position': '1.2' },
})) {
  test(`a read waits for the position in ${form}`, async () => {
    const { url } = await app();
    const { port, state, proxy } = await startProxy(url);
    state.onWait = () => void state.reach(1, 5);
    const reply = await ask(port, { headers });
    expect(state.waits).toEqual([new Map([['', { epoch: 1, txid: 5 }]])]);
    expect(reply).toMatchObject({ status: 200, body: 'GET / here' });
    expect(proxy.metrics()).toMatchObject({ readsLocal: 1, readsWaited: 1, readsTimedOut: 0 });
  });
}

test('a read that the node has already reached does not wait, and its cookie is not set again', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url);
  const reply = await ask(port, { headers: { Cookie: '__txid=1.1' } });
  expect(reply.status).toBe(200);
  expect(reply.cookie).toBeUndefined();
  expect(reply.headers['tandem-position']).toBe('1.0000000000000001');
  expect(state.waits).toEqual([]);
});

test('a broken cookie is ignored, a broken position header is refused', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url);
  for (const text of ['zz', '1.', '-1.2', '', '1.ffffffffffffffff', '12', '1.2.3']) {
    const reply = await ask(port, { headers: { Cookie: `__txid=${text}` } });
    expect(reply).toMatchObject({ status: 200, cookie: '1.0000000000000001' });
    const refused = await ask(port, { headers: { 'Tandem-Position': text } });
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.headers['tandem-error']).toBe('bad_position');
  }
  expect(state.waits).toEqual([]);
});

test('a read waits for each database that its client has seen, and for no other', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url);
  state.drop().reach(1, 5, 'a').reach(1, 1, 'b').reach(1, 1, 'c');
  state.onWait = () => void state.reach(1, 2, 'b');
  const reply = await ask(port, { headers: { Cookie: '__txid=a:1.4+b:1.2' } });
  expect(reply).toMatchObject({ status: 200, cookie: 'a:1.5+b:1.2+c:1.1' });
  expect(state.waits).toHaveLength(1);
});

test('a client of more databases than a cookie names waits for what the primary has', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url);
  state.latest = () => new Map([['', { epoch: 1, txid: 3 }]]);
  state.onWait = () => void state.reach(1, 3);
  const reply = await ask(port, { headers: { Cookie: '__txid=*' } });
  expect(reply).toMatchObject({ status: 200, cookie: '1.0000000000000003' });
  expect(state.waits).toEqual(['latest']);
});

test('the cookie of LiteFS says nothing to a node with several databases', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url);
  state.drop().reach(1, 1, 'a').reach(1, 1, 'b');
  const reply = await ask(port, { headers: { Cookie: '__txid=0000000000000005' } });
  expect(reply).toMatchObject({ status: 200, cookie: 'a:1.1+b:1.1' });
  expect(state.waits).toEqual([]);
});

test('a position of a lost epoch is forgiven at once and replaced', async () => {
  const { url } = await app();
  const { port, state, proxy } = await startProxy(url);
  state.lostEpochs.add(0xff);
  const reply = await ask(port, { headers: { Cookie: '__txid=ff.ffff' } });
  expect(reply).toMatchObject({ status: 200, cookie: '1.0000000000000001' });
  expect(proxy.metrics()).toMatchObject({ readsForgiven: 1, readsForwarded: 0 });
});

test('a read that waits too long is answered by the primary', async () => {
  const [local, remote] = await Promise.all([
    app(),
    startApp((_request, response) => response.end('from the primary')),
  ]);
  const primary = await startProxy(remote.url);
  primary.state.become('primary').reach(1, 9);
  const { port, state, proxy } = await startProxy(local.url, { readWaitTimeoutMs: 1 });
  state.become('replica', primary.url);
  const reply = await ask(port, { headers: { Cookie: '__txid=1.8' } });
  expect(reply).toMatchObject({
    status: 200,
    body: 'from the primary',
    cookie: '1.0000000000000009',
  });
  expect(proxy.metrics()).toMatchObject({ readsTimedOut: 1, readsForwarded: 1, readsLocal: 0 });
});

test('a read that waits too long without a primary to ask is a 504 that says why', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url, { readWaitTimeoutMs: 1 });
  for (const primaryUrl of [undefined, `http://127.0.0.1:${await freePort()}`]) {
    state.become('replica', primaryUrl);
    const reply = await ask(port, { headers: { Cookie: '__txid=1.8' } });
    expect(reply.status).toBe(504);
    expect(reply.body).toContain('behind what this client has seen');
  }
});

test('two replicas that are both behind do not pass a read to and fro', async () => {
  const { url } = await app();
  const [one, other] = await Promise.all([
    startProxy(url, { readWaitTimeoutMs: 1 }),
    startProxy(url, { readWaitTimeoutMs: 1 }),
  ]);
  one.state.become('replica', other.url);
  other.state.become('replica', one.url);
  const reply = await ask(one.port, { headers: { Cookie: '__txid=1.8' } });
  expect(reply.status).toBe(504);
  expect(one.proxy.metrics().requests + other.proxy.metrics().requests).toBe(2);
});

test('a primary never waits, and does not shorten what the client has seen', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url);
  state.become('primary');
  const reply = await ask(port, { headers: { Cookie: '__txid=1.8' } });
  expect(reply).toMatchObject({ status: 200, cookie: undefined });
  expect(state.waits).toEqual([]);
});

test('before the first sync a read goes to the primary, or is refused with a time to come back', async () => {
  const [local, remote] = await Promise.all([
    app(),
    startApp((_request, response) => response.end('from the primary')),
  ]);
  const primary = await startProxy(remote.url);
  primary.state.become('primary');
  const { port, state } = await startProxy(local.url);
  state.ready = false;
  const refused = await ask(port);
  expect(refused).toMatchObject({ status: 503 });
  expect(refused.headers).toMatchObject({ 'retry-after': '1', 'tandem-error': 'not_ready' });
  state.become('replica', primary.url);
  expect(await ask(port)).toMatchObject({ status: 200, body: 'from the primary' });
});

test('the position shown is the one after the application answered', async () => {
  const { port, state } = await startProxy(
    (
      await startApp((_request, response) => {
        state.reach(1, 7);
        response.end();
      })
    ).url,
  );
  expect((await ask(port)).cookie).toBe('1.0000000000000007');
});

test('on the primary the position shown is the confirmed one', async () => {
  const { url } = await app();
  const { port, state } = await startProxy(url);
  state.become('primary');
  const kinds: string[] = [];
  state.confirm = (kind) => {
    kinds.push(kind);
    return Promise.resolve({
      kind: 'covered',
      position: new Map([['', { epoch: 1, txid: 0x20 }]]),
    });
  };
  expect((await ask(port)).cookie).toBe('1.0000000000000020');
  expect((await ask(port, { method: 'POST' })).cookie).toBe('1.0000000000000020');
  expect(kinds).toEqual(['read', 'write']);
});

test('an answer that shared caches may keep says nothing of one client', async () => {
  const { port } = await startProxy(
    (
      await startApp((_request, response) => {
        response.setHeader('Cache-Control', 'public, max-age=60').end('style');
      })
    ).url,
  );
  const reply = await ask(port);
  expect(reply).toMatchObject({ status: 200, body: 'style', cookie: undefined });
  expect(reply.headers['tandem-position']).toBeUndefined();
});

test('passthrough paths go straight to the application, without waiting and without a cookie', async () => {
  const { url } = await app();
  const { port, state, proxy } = await startProxy(url, { passthrough: ['/static/*', '*.png'] });
  state.ready = false;
  for (const question of [
    { path: '/static/a/b.js?v=1' },
    { path: '/x.png', headers: { Cookie: '__txid=1.99' } },
    { path: '/static/upload', method: 'POST' },
  ]) {
    const reply = await ask(port, question);
    expect(reply).toMatchObject({ status: 200, cookie: undefined });
    expect(reply.headers['tandem-position']).toBeUndefined();
  }
  expect(await ask(port, { path: '/static' })).toMatchObject({ status: 503 });
  expect(state.waits).toEqual([]);
  expect(proxy.metrics().passthroughs).toBe(3);
});

for (const path of ['/litefs/health', '/tandem/health']) {
  test(`${path} says whether the node can serve, and why not`, async () => {
    const { url } = await app();
    const { port, state } = await startProxy(url, { maxLagMs: 100, passthrough: ['*'] });
    const health = async (): Promise<string> => {
      const { status, body } = await ask(port, { path });
      return `${status} ${body}`;
    };
    state.ready = false;
    expect(await health()).toMatch(/^503 not ready: /);
    state.ready = true;
    state.become('none');
    expect(await health()).toMatch(/^503 no contact: /);
    state.become('replica', 'http://127.0.0.1:1');
    state.lag = undefined;
    expect(await health()).toMatch(/^503 no contact: /);
    state.lag = 101;
    expect(await health()).toMatch(/^503 lag: 101 ms/);
    state.lag = 100;
    expect(await health()).toBe('200 OK\n');
    state.lag = undefined;
    state.become('primary');
    expect(await health()).toBe('200 OK\n');
  });
}
