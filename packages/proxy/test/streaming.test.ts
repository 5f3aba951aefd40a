import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent,
  request as openRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { ask, askRaw, RawConnection, readReply } from './http-client.ts';
import { startApp, startProxy, type RunningNode } from './node-fixture.ts';

const MEBIBYTE = 1_048_576;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** A replica before a primary, in front of an application: what is asked is a write and goes through both. */
async function startPair(
  listener: Listener,
  options: Parameters<typeof startProxy>[1] = {},
): Promise<{ readonly replica: RunningNode; readonly primary: RunningNode }> {
  const app = await startApp(listener);
  const primary = await startProxy(app.url, { alwaysForward: ['*'], ...options });
  primary.state.become('primary');
  const replica = await startProxy(app.url, { alwaysForward: ['*'], ...options });
  replica.state.become('replica', primary.url);
  return { replica, primary };
}

for (const framing of ['a length', 'chunks']) {
  test(`5 MB with ${framing} go up and come back unchanged through two proxies`, async () => {
    const { replica } = await startPair((request, response) => void request.pipe(response));
    const block = Buffer.alloc(65_536);
    for (let at = 0; at < block.length; at += 1) block[at] = (at * 31) % 251;
    const sent = createHash('sha256');
    const blocks = Readable.from(
      (function* () {
        for (let count = 0; count < 80; count += 1) {
          sent.update(block);
          yield block;
        }
      })(),
    );
    const headers = framing === 'chunks' ? {} : { 'Content-Length': 80 * block.length };
    const upload = openRequest({ port: replica.port, host: '127.0.0.1', method: 'POST', headers });
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    const uploaded = pipeline(blocks, upload);
    const [answer] = await answered;
    const received = createHash('sha256');
    let bytes = 0;
    for await (const chunk of answer) {
      received.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    await uploaded;
    expect(bytes).toBe(80 * block.length);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });
}

test('a client that uploads faster than the application reads is held back (X9)', async () => {
  const taken = Promise.withResolvers<IncomingMessage>();
  const { primary } = await startPair((request, response) => {
    taken.resolve(request);
    request.on('end', () => response.end('all'));
  });
  const total = 64 * MEBIBYTE;
  const upload = openRequest({
    port: primary.port,
    host: '127.0.0.1',
    method: 'POST',
    headers: { 'Content-Length': total },
  });
  const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
  const block = Buffer.alloc(MEBIBYTE);
  let written = 0;
  // Stops when the way is full: nobody has read anything, and nothing keeps 64 MB in memory.
  while (written < total) {
    const isClear = upload.write(block);
    written += block.length;
    if (isClear) continue;
    const drained = once(upload, 'drain');
    const isStuck = await Promise.race([drained.then(() => false), stuckFor(upload)]);
    if (isStuck) break;
  }
  expect(written).toBeLessThan(32 * MEBIBYTE);
  (await taken.promise).resume();
  for (; written < total; written += block.length) {
    if (!upload.write(block)) await once(upload, 'drain');
  }
  upload.end();
  const [answer] = await answered;
  expect(await readReply(answer)).toMatchObject({ status: 200, body: 'all' });
});

/** Resolves with true when many turns of the event loop have moved nothing. */
async function stuckFor(upload: { readonly writableLength: number }): Promise<boolean> {
  for (let turns = 0, length = -1; turns < 200; turns += 1) {
    if (upload.writableLength !== length) turns = 0;
    length = upload.writableLength;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}

test('server-sent events come one by one, and silence does not end the stream (X8)', async () => {
  const streams: ServerResponse[] = [];
  const { replica } = await startPair(
    (request, response) => {
      if (request.url !== '/events') return;
      response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
      response.flushHeaders();
      streams.push(response);
    },
    { writeTimeoutMs: 1000, primaryAnswerTimeoutMs: 800 },
  );
  const connection = await RawConnection.open(replica.port);
  connection.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
  await connection.until('text/event-stream');
  streams[0]?.write('data: 1\n\n');
  await connection.until('data: 1\n\n');
  // An answer that is no stream is given up meanwhile by the time-outs that the stream outlives.
  const late = await ask(replica.port, { path: '/silent' });
  expect(late.status).toBe(504);
  streams[0]?.write('data: 2\n\n');
  await connection.until('data: 2\n\n');
  streams[0]?.end();
  await connection.until('\r\n0\r\n\r\n');
  connection.socket.destroy();
});

test('a client that leaves a stream ends it at the application', async () => {
  const left = Promise.withResolvers<void>();
  const { replica } = await startPair((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: 1\n\n');
    response.once('close', () => left.resolve());
  });
  const connection = await RawConnection.open(replica.port);
  connection.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await connection.until('data: 1');
  connection.socket.destroy();
  await expect(left.promise).resolves.toBeUndefined();
});

test('a client that goes away in the middle of its body ends the request at the application', async () => {
  const broken = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { replica } = await startPair((request) => {
    request.on('error', () => broken.resolve());
    request.once('data', () => begun.resolve());
    request.on('end', () => broken.reject(new Error('half a body was taken for a whole one')));
  });
  const connection = await RawConnection.open(replica.port);
  connection.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  await begun.promise;
  connection.socket.destroy();
  await expect(broken.promise).resolves.toBeUndefined();
});

for (const version of ['1.1', '1.0']) {
  test(`an answer that breaks off is never complete for a client of HTTP/${version} (X4)`, async () => {
    const { replica, primary } = await startPair((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      response.write('half of', () => response.socket?.destroy());
    });
    for (const node of [replica, primary]) {
      const connection = await RawConnection.open(node.port);
      connection.send(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`);
      const text = await connection.whole();
      expect(text).not.toContain('\r\n0\r\n\r\n');
      expect(connection.wasReset).toBe(true);
    }
  });
}

test('trailers go both ways', async () => {
  const { replica } = await startPair((request, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' });
    request.on('end', () => {
      response.write(`te: ${request.headersDistinct['te']?.join(', ') ?? ''}; `);
      response.addTrailers({ 'X-Sum': request.trailers['x-sum'] ?? 'none' });
      response.end(JSON.stringify(request.trailers));
    });
    request.resume();
  });
  const bytes =
    'POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\n' +
    'Trailer: X-Sum, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '3\r\nabc\r\n0\r\nX-Sum: 42\r\nTandem-Forward: x\r\n\r\n';
  const text = await askRaw(replica.port, bytes);
  expect(text).toContain('te: trailers; ');
  expect(text).toContain('{"x-sum":"42"}');
  expect(text).toMatch(/\r\n0\r\nX-Sum: 42\r\n\r\n$/);
});

test('HEAD, 204 and 304 have their fields and no body, and the connection goes on', async () => {
  const { replica } = await startPair((request, response) => {
    if (request.url === '/304') response.writeHead(304, { ETag: '"e"', 'Content-Length': '5' });
    else if (request.url === '/204') response.writeHead(204);
    else response.writeHead(200, { 'Content-Length': '5' });
    response.end(request.url === '/' ? 'hello' : undefined);
  });
  const connection = await RawConnection.open(replica.port);
  connection.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
  const head = await connection.until('\r\n\r\n');
  expect(head).toContain('Content-Length: 5\r\n');
  expect(head).not.toContain('hello');
  connection.send('GET /304 HTTP/1.1\r\nHost: a\r\n\r\n');
  await connection.until('HTTP/1.1 304 Not Modified');
  connection.send('GET /204 HTTP/1.1\r\nHost: a\r\n\r\n');
  const none = await connection.until('HTTP/1.1 204 No Content');
  expect(none.slice(none.indexOf('HTTP/1.1 204'))).not.toMatch(/content-length|transfer-encoding/i);
  connection.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(await connection.whole()).toMatch(/HTTP\/1.1 200 OK[^]*\r\n\r\nhello$/);
});

test('interim answers reach clients of HTTP/1.1 and no others', async () => {
  const { replica } = await startPair((_request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload', 'x-early': 'yes' });
    response.writeProcessing();
    response.end('final');
  });
  const text = await askRaw(replica.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const [hints = '', processing = '', final = ''] = text.split(/(?=HTTP\/1\.1 \d)/);
  expect(hints).toContain('HTTP/1.1 103 Early Hints\r\n');
  expect(hints.toLowerCase()).toContain('link: </a.css>; rel=preload\r\n');
  expect(processing).toContain('HTTP/1.1 102 Processing\r\n');
  expect(final).toContain('HTTP/1.1 200 OK\r\n');
  const old = await askRaw(replica.port, 'GET / HTTP/1.0\r\n\r\n');
  expect(old).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nfinal$/);
  expect(old).not.toContain('chunked');
});

test('a client of HTTP/1.0 without Host gets its answer, and the application a Host', async () => {
  const { primary } = await startPair((request, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write(`${request.httpVersion} ${request.headers.host} ${request.headers.via}`);
    response.end();
  });
  const text = await askRaw(primary.port, 'GET / HTTP/1.0\r\n\r\n');
  expect(text).toMatch(/\r\n\r\n1\.1 127\.0\.0\.1:\d+ 1\.0 tandem-[0-9a-f]{16}$/);
  expect(text).not.toContain('Trailer');
});

test('a client that waits for 100 Continue gets it when the application wants the body', async () => {
  const { replica } = await startPair((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.end(`got ${body}`));
  });
  const connection = await RawConnection.open(replica.port);
  connection.send(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
  );
  await connection.until('HTTP/1.1 100 Continue\r\n\r\n');
  const text = await connection.send('body').until('got body');
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
  connection.socket.destroy();
});

test('a client that waits for 100 Continue gets a refusal instead, and the connection ends', async () => {
  const app = await startApp(() => {});
  app.server.on('checkContinue', (_request, response: ServerResponse) => {
    response.writeHead(401).end('who are you');
  });
  const node = await startProxy(app.url);
  node.state.become('primary');
  const text = await askRaw(
    node.port,
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
  );
  expect(text).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/);
  expect(text).toContain('Connection: close');
});

test('a body is asked for all the same when the application does not know 100 Continue', async () => {
  const app = await startApp(() => {});
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    request.once('data', (chunk: Buffer) => response.end(`got ${chunk.toString()}`));
  });
  const node = await startProxy(app.url, { continueTimeoutMs: 5 });
  node.state.become('primary');
  const connection = await RawConnection.open(node.port);
  connection.send(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
  );
  await connection.until('HTTP/1.1 100 Continue\r\n\r\n');
  const text = await connection.send('body').until('got body');
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
  connection.socket.destroy();
});

test('requests sent ahead are answered in order, one after the other', async () => {
  const order: string[] = [];
  const { replica } = await startPair((request, response) => {
    order.push(`begin ${request.url}`);
    request.resume();
    // Long enough for the next request to come through, if it were let.
    void (async () => {
      for (let turns = 0; turns < 500; turns += 1) await new Promise(setImmediate);
      order.push(`end ${request.url}`);
      response.end(`<${request.url}>`);
    })();
  });
  const text = await askRaw(
    replica.port,
    'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab' +
      'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n' +
      'GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  expect(text.match(/<\/\d>/g)).toEqual(['</1>', '</2>', '</3>']);
  expect(order).toEqual(['begin /1', 'end /1', 'begin /2', 'end /2', 'begin /3', 'end /3']);
});

test('connections of clients and to the application are used again', async () => {
  const seen = new Set<unknown>();
  const app = await startApp((request, response) => {
    seen.add(request.socket);
    response.end('ok');
  });
  const node = await startProxy(app.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let count = 1; count <= 5; count += 1) {
    expect(await ask(node.port, { agent })).toMatchObject({ status: 200, body: 'ok' });
  }
  agent.destroy();
  expect(seen.size).toBe(1);
});
