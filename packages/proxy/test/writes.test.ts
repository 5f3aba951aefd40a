import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ask, readReply } from './http-client.ts';
import { freePort, listenLocally, startApp, startProxy, type RunningNode } from './node-fixture.ts';

const TOKEN = 'between-the-nodes';

/** A primary whose application answers `answer`, counts, and says what it was sent. */
async function startPrimary(
  answer = 'written',
): Promise<
  RunningNode & { readonly received: { body: string; headers: Record<string, unknown> }[] }
> {
  const received: { body: string; headers: Record<string, unknown> }[] = [];
  const app = await startApp((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push({ body: `${request.method} ${request.url} ${body}`, headers: request.headers });
      node.state.reach(1, (node.state.position()?.get('')?.txid ?? 0) + 1);
      response.end(answer);
    });
  });
  const node = await startProxy(app.url, { forwardToken: TOKEN });
  node.state.become('primary').reach(1, 0x10);
  return { ...node, received };
}

/** A replica of `primaryUrl` whose application must not be asked. */
async function startReplica(
  primaryUrl: string | undefined,
  options: Parameters<typeof startProxy>[1] = {},
): Promise<RunningNode> {
  const app = await startApp((_request, response) => {
    response.writeHead(500).end('the application of the replica was asked');
  });
  const node = await startProxy(app.url, { forwardToken: TOKEN, ...options });
  node.state.become('replica', primaryUrl);
  return node;
}

test('a write on the primary goes to its application and sets the position that covers it', async () => {
  const primary = await startPrimary();
  const reply = await ask(primary.port, { method: 'POST', path: '/items', body: 'x=1' });
  expect(reply).toMatchObject({ status: 200, body: 'written', cookie: '1.0000000000000011' });
  expect(primary.received).toMatchObject([{ body: 'POST /items x=1' }]);
});

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPPATCH']) {
  test(`a ${method} on a replica is carried out by the primary, with its answer and its cookie`, async () => {
    const primary = await startPrimary();
    const replica = await startReplica(primary.url);
    const reply = await ask(replica.port, { method, path: '/items?a=%20b', body: 'x=1' });
    expect(reply).toMatchObject({ status: 200, body: 'written', cookie: '1.0000000000000011' });
    expect(primary.received).toMatchObject([{ body: `${method} /items?a=%20b x=1` }]);
    expect(replica.proxy.metrics()).toMatchObject({ writesForwarded: 1, writesLocal: 0 });
    expect(primary.proxy.metrics()).toMatchObject({ writesForwarded: 0, writesLocal: 1 });
  });
}

test('a GET of an always-forward path is a write', async () => {
  const primary = await startPrimary();
  const replica = await startReplica(primary.url, { alwaysForward: ['/login*'] });
  expect(await ask(replica.port, { path: '/login/callback?code=1' })).toMatchObject({
    body: 'written',
  });
  expect(await ask(replica.port, { path: '/%6cogin' })).toMatchObject({ body: 'written' });
  expect(await ask(replica.port, { path: '/other' })).toMatchObject({ status: 500 });
});

test('an application sees the same headers whichever node the client came to', async () => {
  const primary = await startPrimary();
  const replica = await startReplica(primary.url);
  const headers = {
    Host: 'app.example',
    'X-Forwarded-For': '203.0.113.9',
    'X-Forwarded-Proto': 'https',
    'Tandem-Forward': 'a guess',
    'Tandem-Refused': 'x',
    Connection: 'keep-alive, X-Hop',
    'X-Hop': 'one hop only',
    'X-End': 'end to end',
    'Proxy-Authorization': 'Basic eA==',
  };
  await ask(primary.port, { method: 'POST', headers });
  await ask(replica.port, { method: 'POST', headers });
  for (const { headers: seen } of primary.received) {
    expect(seen).toMatchObject({
      host: 'app.example',
      'x-forwarded-for': '203.0.113.9, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'app.example',
      'x-end': 'end to end',
      'content-length': '0',
    });
    const names = Object.keys(seen);
    expect(names.filter((name) => /tandem|hop|proxy-/.test(name))).toEqual([]);
  }
  expect(
    primary.received.map(({ headers: seen }) => String(seen['via']).split(', ').length),
  ).toEqual([1, 2]);
});

test('the application cannot speak for the proxy (X3)', async () => {
  const app = await startApp((_request, response) => {
    response.writeHead(503, { 'Tandem-Refused': 'x', 'Tandem-Position': '9.9' }).end('busy');
  });
  const primary = await startProxy(app.url);
  primary.state.become('primary');
  const replica = await startReplica(primary.url);
  const reply = await ask(replica.port, { method: 'POST' });
  expect(reply).toMatchObject({ status: 503, body: 'busy' });
  expect(reply.headers['tandem-refused']).toBeUndefined();
  expect(reply.headers['tandem-position']).toBe('1.0000000000000001');
});

test('a write without a primary waits for one to be known', async () => {
  const primary = await startPrimary();
  const replica = await startReplica(undefined);
  replica.state.onWait = () => void replica.state.become('replica', primary.url);
  expect(await ask(replica.port, { method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
});

test('a write waits for this node to become primary', async () => {
  const node = await startPrimary();
  node.state.become('none');
  node.state.onWait = () => void node.state.become('primary');
  expect(await ask(node.port, { method: 'POST', body: 'x' })).toMatchObject({ body: 'written' });
});

test('a write for which no primary is found is a 503 with a time to come back', async () => {
  const replica = await startReplica(undefined, { primaryRedirectTimeoutMs: 1 });
  const reply = await ask(replica.port, { method: 'POST', body: 'x' });
  expect(reply).toMatchObject({ status: 503 });
  expect(reply.body).toContain('No primary is known');
  expect(reply.headers).toMatchObject({ 'retry-after': '1', 'tandem-error': 'no_primary' });
  expect(replica.proxy.metrics()).toMatchObject({ writesWithoutPrimary: 1 });
});

test('a write whose connection was refused goes to the primary that is known next', async () => {
  const primary = await startPrimary();
  const replica = await startReplica(`http://127.0.0.1:${await freePort()}`);
  const place = replica.state.waitForPrimary;
  const places: (string | undefined)[] = [];
  Object.assign(replica.state, {
    waitForPrimary: async (timeoutMs: number) => {
      const found = await place(timeoutMs);
      places.push(found);
      replica.state.become('replica', primary.url);
      return found;
    },
  });
  const reply = await ask(replica.port, { method: 'POST', body: 'whole' });
  expect(reply).toMatchObject({ status: 200, body: 'written' });
  expect(places).toHaveLength(2);
  expect(primary.received).toMatchObject([{ body: 'POST / whole' }]);
  expect(replica.proxy.metrics().writesRetried).toBe(1);
});

test('a primary that stays unreachable is a 503', async () => {
  const replica = await startReplica(`http://127.0.0.1:${await freePort()}`, {
    primaryRedirectTimeoutMs: 1,
  });
  const reply = await ask(replica.port, { method: 'POST', body: 'x' });
  expect(reply.status).toBe(503);
  expect(reply.headers['tandem-error']).toBe('primary_unreachable');
});

test('a write that may have been received is never sent again (X2)', async () => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const replica = await startReplica(`http://127.0.0.1:${port}`);
  const reply = await ask(replica.port, { method: 'POST', body: 'x' });
  expect(reply.status).toBe(502);
  expect(reply.headers['tandem-error']).toBe('primary_failed');
  expect(reply.body).toContain('Look whether the request took effect');
  expect(connections).toBe(1);
});

test('a silent primary is given up, and its write is not sent again', async () => {
  const app = await startApp(() => {});
  const primary = await startProxy(app.url);
  primary.state.become('primary');
  const replica = await startReplica(primary.url, { primaryAnswerTimeoutMs: 500 });
  const reply = await ask(replica.port, { method: 'POST', body: 'x' });
  expect(reply.status).toBe(504);
  expect(reply.headers['tandem-error']).toBe('primary_timeout');
  expect(primary.proxy.metrics().writesLocal).toBe(1);
});

test('nodes that each think the other is primary end in a 503, not in a loop (X5)', async () => {
  const [one, other] = await Promise.all([
    startReplica(undefined, { primaryRedirectTimeoutMs: 30 }),
    startReplica(undefined, { primaryRedirectTimeoutMs: 30 }),
  ]);
  one.state.become('replica', other.url);
  other.state.become('replica', one.url);
  const reply = await ask(one.port, { method: 'POST', body: 'x' });
  expect(reply.status).toBe(503);
  expect(reply.headers['tandem-error']).toBe('not_primary');
  expect(one.proxy.metrics().writesRefused).toBeGreaterThan(0);
});

test('a refused write is sent to the new primary, its body once more from the start', async () => {
  const primary = await startPrimary();
  const old = await startReplica(undefined, { primaryRedirectTimeoutMs: 0 });
  const replica = await startReplica(old.url);
  old.state.onWait = () => void replica.state.become('replica', primary.url);
  const reply = await ask(replica.port, { method: 'POST', body: 'abc'.repeat(1000) });
  expect(reply).toMatchObject({ status: 200, body: 'written' });
  expect(primary.received).toMatchObject([{ body: `POST / ${'abc'.repeat(1000)}` }]);
});

test('a body too large to keep is offered first, so that a refusal costs nothing', async () => {
  const primary = await startPrimary();
  const old = await startReplica(undefined, { primaryRedirectTimeoutMs: 0 });
  const replica = await startReplica(old.url, { bodyBytesMax: 10 });
  old.state.onWait = () => void replica.state.become('replica', primary.url);
  const reply = await ask(replica.port, { method: 'POST', body: 'abc'.repeat(100_000) });
  expect(reply).toMatchObject({ status: 200, body: 'written' });
  expect(primary.received[0]?.body).toHaveLength('POST / '.length + 300_000);
});

test('a token that is not ours makes no peer: hops are not believed', async () => {
  const primary = await startPrimary();
  const replica = await startReplica(primary.url);
  const via = '1.1 tandem-a, 1.1 tandem-b, 1.1 tandem-c, 1.1 tandem-d';
  const headers = { Via: via, 'Tandem-Forward': 'wrong' };
  expect(await ask(replica.port, { method: 'POST', headers })).toMatchObject({ status: 200 });
  const trusted = { Via: via, 'Tandem-Forward': TOKEN };
  const refused = await ask(replica.port, { method: 'POST', headers: trusted });
  expect(refused.headers).toMatchObject({
    'tandem-error': 'not_primary',
    'tandem-refused': 'not_primary',
  });
});

test('a write that the replicas do not confirm is not reported as done (X7)', async () => {
  const primary = await startPrimary();
  primary.state.confirm = (_kind, timeoutMs) =>
    Promise.resolve({ kind: 'unconfirmed', reason: `0 of 1 replicas within ${timeoutMs} ms` });
  const replica = await startReplica(primary.url);
  for (const { port } of [primary, replica]) {
    const reply = await ask(port, { method: 'POST', body: 'x' });
    expect(reply).toMatchObject({ status: 504, cookie: undefined });
    expect(reply.body).toContain('0 of 1 replicas within 10000 ms');
  }
});

test('a write during which the node ceased to be primary is not reported as done', async () => {
  const app = await startApp((_request, response) => {
    node.state.become('replica', 'http://127.0.0.1:1');
    response.end('written');
  });
  const node = await startProxy(app.url);
  node.state.become('primary');
  const reply = await ask(node.port, { method: 'POST' });
  expect(reply.headers['tandem-error']).toBe('write_unconfirmed');
});

test('an application that does not listen yet is waited for, whatever the method', async () => {
  const port = await freePort();
  const node = await startProxy(`http://127.0.0.1:${port}`, { connectTimeoutMs: 1000 });
  node.state.become('primary');
  const waiting = ask(node.port, { method: 'POST', body: 'early' });
  const later = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.end(`got ${body}`));
  });
  onTestFinished(() => {
    later.close();
    later.closeAllConnections();
  });
  await ask(node.port, { path: '/tandem/health' });
  await listenLocally(later, port);
  expect(await waiting).toMatchObject({ status: 200, body: 'got early' });
});

test('an application that never listens is a 502 that names its address', async () => {
  const port = await freePort();
  const node = await startProxy(`http://127.0.0.1:${port}`, { targetRetryTimeoutMs: 0 });
  const reply = await ask(node.port);
  expect(reply.status).toBe(502);
  expect(reply.body).toContain(`The application at 127.0.0.1:${port} does not listen`);
});

test('an idle connection that the application has closed is replaced for a request that may be repeated', async () => {
  let connections = 0;
  const app = await startApp((_request, response) => response.end('ok'));
  app.server.on('connection', (socket) => {
    connections += 1;
    // Takes the second request on a connection and says nothing, as a server does that just gave up.
    let requests = 0;
    socket.prependListener('data', () => {
      requests += 1;
      if (requests > 1) socket.destroy();
    });
  });
  const node = await startProxy(app.url);
  for (let count = 1; count <= 3; count += 1) {
    expect(await ask(node.port)).toMatchObject({ status: 200, body: 'ok' });
  }
  expect(connections).toBeGreaterThanOrEqual(2);
});

test('an early answer reaches the client although its body was not taken', async () => {
  const app = await startApp((_request, response) => {
    response.writeHead(413, { Connection: 'close' }).end('too large');
  });
  const node = await startProxy(app.url);
  node.state.become('primary');
  const { request } = await import('node:http');
  const answered = Promise.withResolvers<Awaited<ReturnType<typeof readReply>>>();
  const upload = request({ port: node.port, host: '127.0.0.1', method: 'POST' }, (answer) =>
    answered.resolve(readReply(answer)),
  );
  upload.on('error', () => {});
  upload.write('x');
  expect(await answered.promise).toMatchObject({ status: 413, body: 'too large' });
  upload.destroy();
});
