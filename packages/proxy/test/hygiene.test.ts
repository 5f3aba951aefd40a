import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ask, askRaw, RawConnection } from './http-client.ts';
import { startApp, startProxy } from './node-fixture.ts';

/** A primary whose application says which requests reached it. */
async function startNode(
  options: Parameters<typeof startProxy>[1] = {},
): Promise<Awaited<ReturnType<typeof startProxy>> & { readonly arrived: string[] }> {
  const arrived: string[] = [];
  const app = await startApp((request, response) => {
    arrived.push(`${request.method} ${request.url}`);
    request.on('error', () => {});
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  const node = await startProxy(app.url, options);
  node.state.become('primary');
  return { ...node, arrived };
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

for (const [what, head, status] of [
  ['a length and chunks', 'Content-Length: 6\r\nTransfer-Encoding: chunked', 400],
  ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 6', 400],
  ['two lengths', 'Content-Length: 6\r\nContent-Length: 5', 400],
  ['one length twice', 'Content-Length: 0\r\nContent-Length: 0', 400],
  ['a list of lengths', 'Content-Length: 0, 0', 400],
  ['a signed length', 'Content-Length: +0', 400],
  ['a hexadecimal length', 'Content-Length: 0x0', 400],
  ['a length beyond counting', 'Content-Length: 99999999999999999999', 400],
  ['an empty length', 'Content-Length: ', 400],
  ['an unknown coding', 'Transfer-Encoding: gzip, chunked', 501],
  ['a coding in disguise', 'Transfer-Encoding: xchunked', 501],
  ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 400],
  ['a blank before the colon', 'Content-Length : 0', 400],
  ['a folded line', 'X-A: b\r\n Content-Length: 0', 400],
  ['two hosts', 'Host: b', 400],
  ['a control character', 'X-A: b\0c', 400],
] as const) {
  test(`a request with ${what} is refused and what follows is not read as a request (X6)`, async () => {
    const node = await startNode();
    const text = await askRaw(
      node.port,
      `POST / HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    );
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(node.arrived).toEqual([]);
    expect(node.proxy.metrics().badRequests).toBeGreaterThan(0);
  });
}

test('chunks from a client of HTTP/1.0 are refused', async () => {
  const node = await startNode();
  const text = await askRaw(
    node.port,
    `POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  );
  expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[^]*bad_framing/);
  expect(node.arrived).toEqual([]);
});

test('a request of HTTP/1.1 without Host is refused', async () => {
  const node = await startNode();
  expect(await askRaw(node.port, 'GET / HTTP/1.1\r\n\r\n')).toContain('has 0 Host headers');
});

test('a chunk that cannot be read ends the request at the application too', async () => {
  const aborted = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const app = await startApp((request) => {
    request.on('error', () => aborted.resolve());
    request.once('data', () => begun.resolve());
  });
  const node = await startProxy(app.url);
  node.state.become('primary');
  const connection = await RawConnection.open(node.port);
  connection.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  await begun.promise;
  const text = await connection.send('zz\r\n').whole();
  expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[^]*bad_framing/);
  await aborted.promise;
});

test('the absolute form of a target is taken apart, and its host counts', async () => {
  const app = await startApp((request, response) => {
    response.end(`${request.url} of ${request.headers.host}`);
  });
  const node = await startProxy(app.url, { passthrough: ['/static/*'] });
  const head = 'HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n';
  const text = await askRaw(node.port, `GET http://app.example/static/x?q=1 ${head}`);
  expect(text).toMatch(/\/static\/x\?q=1 of app\.example$/);
  expect(node.proxy.metrics().passthroughs).toBe(1);
  const bare = await askRaw(node.port, `GET http://app.example?q=1 ${head}`);
  expect(bare).toMatch(/\/\?q=1 of app\.example$/);
});

test('CONNECT and TRACE are refused', async () => {
  const node = await startNode();
  const trace = await askRaw(node.port, 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(trace).toMatch(/^HTTP\/1.1 405 Method Not Allowed\r\n[^]*Allow: GET/);
  const connect = await askRaw(node.port, 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(connect).toMatch(/^HTTP\/1.1 405 Method Not Allowed\r\n/);
  expect(node.arrived).toEqual([]);
});

test('OPTIONS of everything is passed on', async () => {
  const node = await startNode();
  await askRaw(node.port, 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(node.arrived).toEqual(['OPTIONS *']);
});

test('a head that does not come in time is refused', async () => {
  const node = await startNode({ headerTimeoutMs: 40 });
  const connection = await RawConnection.open(node.port);
  const text = await connection.send('GET / HTTP/1.1\r\nHost: a\r\n').whole();
  expect(text).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
  expect(node.arrived).toEqual([]);
});

test('a body that does not come in time is refused, and ends at the application', async () => {
  const node = await startNode({ readTimeoutMs: 60, headerTimeoutMs: 40 });
  const connection = await RawConnection.open(node.port);
  connection.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  expect(await connection.whole()).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
});

test('a head that is too large is refused', async () => {
  const node = await startNode({ headerBytesMax: 2048 });
  const text = await askRaw(
    node.port,
    `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${'x'.repeat(4000)}\r\n\r\n`,
  );
  expect(text).toMatch(/^HTTP\/1.1 431 Request Header Fields Too Large\r\n/);
});

test('more connections than allowed are dropped and counted', async () => {
  const node = await startNode({ connectionsMax: 1 });
  const kept = await RawConnection.open(node.port);
  await kept.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').until('ok');
  const dropped = await RawConnection.open(node.port);
  expect(await dropped.whole()).toBe('');
  expect(node.proxy.metrics().connectionsDropped).toBe(1);
  kept.socket.destroy();
});

test('a client that sends too many requests ahead is cut off', async () => {
  const app = await startApp(() => {});
  const node = await startProxy(app.url, { pipelinedMax: 4 });
  const text = await askRaw(node.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(6));
  expect(text).toBe('');
});

test('an application that does not speak HTTP is a 502', async () => {
  const app = await startApp(() => {});
  app.server.on('connection', (socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
  const node = await startProxy(app.url);
  const reply = await ask(node.port);
  expect(reply).toMatchObject({ status: 502 });
  expect(reply.headers['tandem-error']).toBe('target_failed');
});

test('an address in use and options that cannot work are refused with a hint', async () => {
  const node = await startNode();
  const listen = { host: '127.0.0.1', port: node.port };
  await expect(startProxy('http://127.0.0.1:1', { listen })).rejects.toMatchObject({
    code: 'listen_failed',
  });
  await expect(startProxy('http://127.0.0.1:1/base')).rejects.toMatchObject({ code: 'bad_option' });
});

/** Pieces that bytes on the wire may be made of, valid or nearly so. */
const PIECE = fc.oneof(
  fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /a HTTP/1.1\r\n',
    'PUT * HTTP/1.0\r\n',
    'HEAD http://h/%zz?# HTTP/1.1\r\n',
    'GET /ws HTTP/1.1\r\n',
    'CONNECT a:1 HTTP/1.1\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'Host: a\r\n',
    'Content-Length: 3\r\n',
    'Content-Length: 0\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Connection: Upgrade, close, Host\r\n',
    'Connection: keep-alive\r\n',
    'Upgrade: websocket\r\n',
    'Upgrade: h2c\r\n',
    'Expect: 100-continue\r\n',
    'Expect: what\r\n',
    'Trailer: X\r\n',
    'TE: trailers\r\n',
    'Cookie: __txid=1.ffff; __txid="\r\n',
    'Tandem-Position: 1.1\r\n',
    'Tandem-Forward: \r\n',
    'Via: 1.1 tandem-, ,x\r\n',
    'X-Forwarded-For: \xff, ,\r\n',
    '\r\n',
    'abc',
    '3\r\nabc\r\n',
    '0\r\n\r\n',
    '0\r\nX: y\r\n\r\n',
    '\0',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
);

test('whatever bytes come, each connection is answered or ended and the proxy goes on', async () => {
  const node = await startNode({ headerTimeoutMs: 2000, readTimeoutMs: 2000 });
  await fc.assert(
    fc.asyncProperty(fc.array(PIECE, { minLength: 1, maxLength: 12 }), async (pieces) => {
      const connection = await RawConnection.open(node.port);
      connection.send(pieces.join(''));
      connection.socket.end();
      await connection.whole();
      expect(connection.text === '' || connection.text.startsWith('HTTP/1.1 ')).toBe(true);
    }),
    { numRuns: 300 },
  );
  expect(await ask(node.port)).toMatchObject({ status: 200, body: 'ok' });
  const { requestsRunning, writesRunning, tunnelsOpen } = node.proxy.metrics();
  expect({ requestsRunning, writesRunning, tunnelsOpen }).toEqual({
    requestsRunning: 0,
    writesRunning: 0,
    tunnelsOpen: 0,
  });
});

test('whatever an application sends, its client gets a whole answer, an error or a cut', async () => {
  const queue: string[] = [];
  const app = await startApp(() => {});
  app.server.removeAllListeners('connection');
  app.server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(queue.shift() ?? '', 'latin1'));
  });
  const node = await startProxy(app.url);
  const part = fc.oneof(
    fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 103 x\r\nLink: <a>\r\n\r\n',
      'HTTP/1.1 101 x\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n',
      'HTTP/1.1 204 \r\n',
      'HTTP/1.0 599 \xe9\r\n',
      'Content-Length: 3\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Trailer: X\r\n',
      'Connection: close, content-length\r\n',
      'Set-Cookie: a=\xff\r\n',
      '\r\n',
      'abc',
      '3\r\nabc\r\n0\r\n\r\n',
    ),
    fc.string({ unit: 'binary-ascii', maxLength: 12 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
      queue.push(parts.join(''), parts.join(''));
      const connection = await RawConnection.open(node.port);
      connection.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      await connection.whole();
      queue.length = 0;
      expect(connection.text === '' || connection.text.startsWith('HTTP/1.1 ')).toBe(true);
    }),
    { numRuns: 200 },
  );
  queue.push('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  expect(await ask(node.port)).toMatchObject({ status: 200, body: 'ok' });
});
