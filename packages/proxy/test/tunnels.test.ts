import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { ask, RawConnection } from './http-client.ts';
import { freePort, startApp, startProxy, type RunningServer } from './node-fixture.ts';

const WEBSOCKET_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A server of WebSockets, just enough: it sends back short text messages under its own name. */
async function startEcho(name: string): Promise<RunningServer & { readonly sockets: Duplex[] }> {
  const sockets: Duplex[] = [];
  const app = await startApp((_request, response) =>
    response.writeHead(426).end('upgrade, please'),
  );
  app.server.on('upgrade', (request, socket: Duplex) => {
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX-Why: rule\r\n\r\nno!');
      return;
    }
    sockets.push(socket);
    const key = String(request.headers['sec-websocket-key']);
    const accept = createHash('sha1')
      .update(key + WEBSOCKET_ID)
      .digest('base64');
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('data', (frame: Buffer) => {
      const opcode = (frame[0] ?? 0) & 15;
      if (opcode === 8) return void socket.end(Buffer.from([0x88, 0]));
      const length = (frame[1] ?? 0) & 127;
      const mask = frame.subarray(2, 6);
      const text = frame.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
      const reply = Buffer.from(`${name}: ${Buffer.from(text).toString()}`);
      socket.write(Buffer.concat([Buffer.from([0x81, reply.length]), reply]));
    });
  });
  return { ...app, sockets };
}

/** Opens a WebSocket with the runtime's own client, sends `text` and gives the first message back. */
async function echo(port: number, path: string, text: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const message = Promise.withResolvers<string>();
  socket.addEventListener('open', () => socket.send(text));
  socket.addEventListener('message', (event: MessageEvent) => message.resolve(String(event.data)));
  socket.addEventListener('error', () => message.reject(new Error('no WebSocket')));
  const answer = await message.promise;
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return answer;
}

const UPGRADE =
  'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a2V5\r\n\r\n';

test('a WebSocket goes to the local application, or to the primary for always-forward paths', async () => {
  const [local, remote] = await Promise.all([startEcho('local'), startEcho('remote')]);
  const primary = await startProxy(remote.url, { alwaysForward: ['/live'] });
  primary.state.become('primary');
  const replica = await startProxy(local.url, {
    alwaysForward: ['/live'],
  });
  replica.state.become('replica', primary.url);
  expect(await echo(replica.port, '/feed', 'hello')).toBe('local: hello');
  expect(await echo(replica.port, '/live', 'hello')).toBe('remote: hello');
  while (replica.proxy.metrics().tunnelsOpen > 0) await ask(replica.port);
  expect(replica.proxy.metrics()).toMatchObject({ tunnels: 2, tunnelsOpen: 0 });
  expect(primary.proxy.metrics()).toMatchObject({ tunnels: 1 });
});

test('no time-out ends a tunnel', async () => {
  const local = await startEcho('local');
  local.server.removeAllListeners('request');
  const node = await startProxy(local.url, { writeTimeoutMs: 1000, readTimeoutMs: 800 });
  const connection = await RawConnection.open(node.port);
  await connection.send(`GET / HTTP/1.1\r\n${UPGRADE}`).until('101 Switching Protocols');
  // What is no tunnel is given up meanwhile.
  expect(await ask(node.port, { path: '/silent' })).toMatchObject({ status: 504 });
  await connection.send('\x81\x82\0\0\0\0hi').until('local: hi');
  connection.socket.destroy();
});

test('a WebSocket waits for what its client has seen, like any read', async () => {
  const local = await startEcho('local');
  const node = await startProxy(local.url);
  node.state.onWait = () => void node.state.reach(1, 5);
  const connection = await RawConnection.open(node.port);
  connection.send(`GET / HTTP/1.1\r\nCookie: __txid=1.5\r\n${UPGRADE}`);
  await connection.until('101 Switching Protocols');
  expect(node.state.waits).toEqual([new Map([['', { epoch: 1, txid: 5 }]])]);
  connection.socket.destroy();
});

test('what a client sends right behind its head is passed on', async () => {
  const local = await startEcho('local');
  const node = await startProxy(local.url);
  const connection = await RawConnection.open(node.port);
  const frame = '\x81\x82\0\0\0\0hi';
  const text = await connection.send(`GET / HTTP/1.1\r\n${UPGRADE}${frame}`).until('local: hi');
  expect(text).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
  connection.socket.destroy();
});

test('an upgrade that the application refuses is answered with its refusal', async () => {
  const local = await startEcho('local');
  const node = await startProxy(local.url);
  const connection = await RawConnection.open(node.port);
  const text = await connection.send(`GET /refused HTTP/1.1\r\n${UPGRADE}`).whole();
  expect(text).toMatch(/^HTTP\/1.1 403 Forbidden\r\n[^]*X-Why: rule\r\n[^]*\r\n\r\nno!$/);
});

test('an upgrade that cannot be passed on is answered with the reason', async () => {
  const node = await startProxy(`http://127.0.0.1:${await freePort()}`, {
    targetRetryTimeoutMs: 0,
    alwaysForward: ['/live'],
    primaryRedirectTimeoutMs: 1,
  });
  const dead = await RawConnection.open(node.port);
  const text = await dead.send(`GET / HTTP/1.1\r\n${UPGRADE}`).whole();
  expect(text).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n/);
  expect(text).toContain('target_unreachable');
  const lost = await RawConnection.open(node.port);
  const lostText = await lost.send(`GET /live HTTP/1.1\r\n${UPGRADE}`).whole();
  expect(lostText).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n[^]*Retry-After: 1\r\n/);
});

test('an offer of HTTP/2 is ignored and the request answered', async () => {
  const app = await startApp((request, response) => {
    response.end(
      `${request.headers.upgrade ?? 'none'} ${request.headersDistinct['http2-settings']?.[0] ?? 'none'}`,
    );
  });
  const node = await startProxy(app.url);
  const reply = await ask(node.port, {
    headers: {
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA',
    },
  });
  expect(reply).toMatchObject({ status: 200, body: 'none none' });
});

test('a tunnel ends on both sides when either ends', async () => {
  const local = await startEcho('local');
  const node = await startProxy(local.url);
  const open = async (): Promise<[RawConnection, Duplex]> => {
    const connection = await RawConnection.open(node.port);
    await connection.send(`GET / HTTP/1.1\r\n${UPGRADE}`).until('101 Switching Protocols');
    const server = local.sockets.at(-1);
    if (server === undefined) throw new Error('the server was not asked');
    return [connection, server];
  };
  const [left, abandoned] = await open();
  const ended = once(abandoned, 'end');
  left.socket.destroy();
  await ended;
  const [cut, dead] = await open();
  dead.destroy();
  await cut.whole();
  expect(node.proxy.metrics().tunnels).toBe(2);
});

test('when a node ceases to be primary, tunnels that could write there end', async () => {
  const local = await startEcho('local');
  const node = await startProxy(local.url, { alwaysForward: ['/live'] });
  node.state.become('primary');
  const [writing, reading] = await Promise.all([
    RawConnection.open(node.port),
    RawConnection.open(node.port),
  ]);
  await writing.send(`GET /live HTTP/1.1\r\n${UPGRADE}`).until('101 Switching Protocols');
  await reading.send(`GET /feed HTTP/1.1\r\n${UPGRADE}`).until('101 Switching Protocols');
  node.proxy.pause();
  node.state.become('replica', 'http://127.0.0.1:1');
  node.proxy.resume();
  expect(await writing.whole()).toMatch(/^HTTP\/1.1 101 /);
  await reading.send('\x81\x82\0\0\0\0hi').until('local: hi');
  expect(node.proxy.metrics().tunnelsOpen).toBe(1);
  await node.proxy.close();
  await reading.whole();
});

test('an upgrade behind an unanswered request ends the connection', async () => {
  const sockets: Socket[] = [];
  const app = await startApp((request) => void sockets.push(request.socket));
  const node = await startProxy(app.url);
  const connection = await RawConnection.open(node.port);
  connection.send(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n${UPGRADE}`);
  expect(await connection.whole()).toBe('');
});
