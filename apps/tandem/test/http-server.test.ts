import { describe, expect, it } from 'vitest';
import { TandemHttpServer } from '../src/http/http-server.ts';
import { ReplicationError } from './http-replication-error.ts';
import { HttpFixture, TOKEN } from './http-fixture.ts';
import { OTHER, PRIMARY, REPLICA, ScriptedNode } from './http-scripted-node.ts';

describe('GET /info', () => {
  it('has the fields of LiteFS, then ours', async () => {
    await using fixture = await HttpFixture.open();
    const { status, json, text, headers } = await fixture.ask('/info');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(text.startsWith('{\n  "clusterID": "LFSC0123456789ABCDEF",\n  "isPrimary": true')).toBe(
      true,
    );
    expect(json).toEqual({
      clusterID: 'LFSC0123456789ABCDEF',
      isPrimary: true,
      candidate: true,
      path: '/data',
      primary: { hostname: 'web-0', url: 'http://web-0:20202' },
      role: 'primary',
      epoch: 3,
      node: {
        name: 'web-0',
        id: 'web-0_u_b',
        litefsId: headers['litefs-id'],
        url: 'http://web-0:20202',
      },
      version: '0.1.0',
      lease: 'etcd',
      ready: true,
      notReady: [],
      stream: 'idle',
      databases: {
        'app.db': {
          epoch: 3,
          txid: 39,
          checksum: '83b05248774ce767',
          lag: { transactions: 0, bytes: 0, seconds: 0 },
        },
      },
      lag: { transactions: 0, bytes: 0, seconds: 0 },
      acknowledgement: { mode: 'one', onTimeout: 'degrade', timeoutMs: 5000 },
      degraded: [],
    });
  });

  it('leaves out a cluster and a primary that are not known', async () => {
    const { clusterId: _, primary: __, ...rest } = REPLICA;
    const node = new ScriptedNode({ ...rest, clusterId: undefined, primary: undefined });
    await using fixture = await HttpFixture.open(node);
    const { json, headers } = await fixture.ask('/info');
    expect(json).not.toHaveProperty('clusterID');
    expect(json).not.toHaveProperty('primary');
    expect(headers['litefs-id']).toMatch(/^[0-9A-F]{16}$/);
    expect(headers).not.toHaveProperty('litefs-cluster-id');
  });
});

it('GET /status tells of the other nodes, logs and counts', async () => {
  await using fixture = await HttpFixture.open();
  const { json, headers } = await fixture.ask('/status');
  expect(headers['litefs-cluster-id']).toBe('LFSC0123456789ABCDEF');
  expect(json).toMatchObject({
    uptimeSeconds: 60,
    highestEpoch: 3,
    databases: {
      'app.db': {
        changedAt: '2026-01-02T03:04:05.678Z',
        bytes: 8192,
        log: { fileCount: 2, bytes: 8400, minTxid: 38, maxTxid: 39 },
      },
    },
    members: [{ name: 'web-0' }, { name: 'web-1' }],
    replicas: [
      {
        name: 'web-1',
        ready: true,
        databases: { 'app.db': { state: 'following', transactionsBehind: 1 } },
      },
    ],
    acknowledgements: { acknowledged: 11, degraded: 1, waiting: 0, blocked: 0 },
    counters: PRIMARY.counters,
  });
});

it('GET /tandem/position answers what other nodes ask for', async () => {
  await using fixture = await HttpFixture.open();
  const { json } = await fixture.ask('/tandem/position');
  expect(json).toEqual({
    name: 'web-0',
    clusterId: 'LFSC0123456789ABCDEF',
    highestEpoch: 3,
    positions: { 'app.db': { epoch: 3, txid: 39 } },
  });
});

describe('POST /tandem/failsafe', () => {
  const ask = { method: 'POST', body: '{"epoch": 4, "durationMs": 15000}' };

  it('passes the question on and answers it', async () => {
    await using fixture = await HttpFixture.open();
    expect((await fixture.ask('/tandem/failsafe', ask)).json).toEqual({ acknowledged: true });
    fixture.node.isFailsafeAcknowledged = false;
    expect((await fixture.ask('/tandem/failsafe', ask)).json).toEqual({ acknowledged: false });
    expect(fixture.node.done).toEqual(['failsafe 4 15000', 'failsafe 4 15000']);
  });

  it('refuses what is no question', async () => {
    await using fixture = await HttpFixture.open();
    for (const body of [
      '',
      'epoch',
      'null',
      '{"epoch": 4}',
      '{"epoch": -1, "durationMs": 1}',
      '{"epoch": 1.5, "durationMs": 1}',
      '{"epoch": "4", "durationMs": 1}',
      '{"epoch": 4, "durationMs": 600001}',
      '{"epoch": 9007199254740992, "durationMs": 1}',
    ]) {
      const { status, json } = await fixture.ask('/tandem/failsafe', { method: 'POST', body });
      expect([body, status, json['code']]).toEqual([body, 400, 'bad_request']);
    }
    expect(fixture.node.done).toEqual([]);
  });

  it('refuses a body that is too large, announced or not', async () => {
    await using fixture = await HttpFixture.open();
    const body = ' '.repeat(65_537);
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const { status, json } = await fixture.ask('/tandem/failsafe', {
        method: 'POST',
        body,
        headers,
      });
      expect([status, json['code']]).toEqual([413, 'body_too_large']);
    }
  });

  it('does not wait for a body for ever', async () => {
    await using fixture = await HttpFixture.open(undefined, { limits: { bodyTimeoutMs: 10 } });
    const socket = await fixture.connect();
    socket.write(
      `POST /tandem/failsafe HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 9\r\n\r\n{`,
    );
    const [first] = (await socket.setEncoding('utf8').iterator().next()).value.split('\r\n');
    expect(first).toBe('HTTP/1.1 408 Request Timeout');
    socket.destroy();
  });
});

describe('POST /promote', () => {
  it('resolves when this node is primary', async () => {
    await using fixture = await HttpFixture.open(new ScriptedNode(REPLICA));
    const { status, json } = await fixture.ask('/promote', { method: 'POST' });
    expect(status).toBe(200);
    expect(json).toEqual({ isPrimary: true, wasPrimary: false, epoch: 3, node: 'web-0' });
    expect(fixture.node.done).toEqual(['promote']);
  });

  it('does nothing on the primary', async () => {
    await using fixture = await HttpFixture.open();
    const { status, json } = await fixture.ask('/promote', { method: 'POST' });
    expect([status, json['wasPrimary']]).toEqual([200, true]);
    expect(fixture.node.done).toEqual([]);
  });

  it('is refused with a static lease, on no candidate, and without a primary', async () => {
    for (const [state, status, code] of [
      [{ ...REPLICA, leaseKind: 'static' as const }, 409, 'static_lease'],
      [{ ...REPLICA, isCandidate: false }, 409, 'not_candidate'],
      [{ ...REPLICA, role: 'none' as const, primary: undefined }, 503, 'no_primary'],
    ] as const) {
      await using fixture = await HttpFixture.open(new ScriptedNode(state));
      const reply = await fixture.ask('/promote', { method: 'POST' });
      expect([reply.status, reply.json['code']]).toEqual([status, code]);
      expect(typeof reply.json['hint']).toBe('string');
      expect(fixture.node.done).toEqual([]);
    }
  });

  it('answers a time-out when it takes too long, whatever the node does', async () => {
    const node = new ScriptedNode(REPLICA);
    node.onPromote = () => new Promise(() => {});
    await using fixture = await HttpFixture.open(node, { limits: { operationTimeoutMs: 10 } });
    const { status, json } = await fixture.ask('/promote', { method: 'POST' });
    expect([status, json['code']]).toEqual([504, 'timeout']);
  });

  it('tells the message, hint and code of a failure below', async () => {
    const node = new ScriptedNode(REPLICA);
    node.onPromote = async () => {
      throw new ReplicationError();
    };
    await using fixture = await HttpFixture.open(node);
    const { status, json } = await fixture.ask('/promote', { method: 'POST' });
    expect(status).toBe(503);
    expect(json).toEqual({
      code: 'unavailable',
      error: 'app.db is locked.',
      hint: 'Wait.',
      cause: 'database_locked',
    });
  });
});

describe('POST /handoff', () => {
  it('takes a name, the id of LiteFS’s form, or nothing', async () => {
    await using named = await HttpFixture.open();
    const { status, json } = await named.ask('/handoff?name=web-1', { method: 'POST' });
    expect([status, json]).toEqual([200, { isPrimary: false, primary: 'web-1' }]);
    expect(named.node.done).toEqual(['hand off to web-1']);

    await using other = await HttpFixture.open(
      new ScriptedNode({ ...PRIMARY, identity: OTHER, primary: OTHER }),
    );
    const { headers } = await other.ask('/info');
    await using byId = await HttpFixture.open();
    const id = String(headers['litefs-id']);
    await byId.ask(`/handoff?nodeID=${id.toLowerCase()}`, { method: 'POST' });
    expect(byId.node.done).toEqual(['hand off to web-1']);

    await using any = await HttpFixture.open();
    await any.ask('/handoff', { method: 'POST' });
    expect(any.node.done).toEqual(['hand off to anyone']);
  });

  it('refuses a node that is not connected, and says who is', async () => {
    await using fixture = await HttpFixture.open();
    const { status, json } = await fixture.ask('/handoff?name=web-9', { method: 'POST' });
    expect([status, json['code'], json['hint']]).toEqual([
      404,
      'unknown_node',
      'Connected are: web-1.',
    ]);
  });

  it('is refused by a replica, which says where the primary is', async () => {
    await using fixture = await HttpFixture.open(new ScriptedNode(REPLICA));
    const { status, json } = await fixture.ask('/handoff', { method: 'POST' });
    expect([status, json['code'], json['hint']]).toEqual([
      503,
      'not_primary',
      'Ask web-1 at http://web-1:20202.',
    ]);
  });

  it('is refused with a static lease, to itself, and with two targets', async () => {
    await using fixture = await HttpFixture.open(
      new ScriptedNode({ ...PRIMARY, leaseKind: 'static' }),
    );
    expect((await fixture.ask('/handoff', { method: 'POST' })).json['code']).toBe('static_lease');
    fixture.node.state = PRIMARY;
    for (const query of ['name=web-0', 'name=web-1&nodeID=0', 'name=web-1&name=web-1']) {
      const { status } = await fixture.ask(`/handoff?${query}`, { method: 'POST' });
      expect([query, status]).toEqual([query, 400]);
    }
    expect(fixture.node.done).toEqual([]);
  });
});

describe('the probes', () => {
  it('/livez answers anyone', async () => {
    await using fixture = await HttpFixture.open();
    const { status, json } = await fixture.ask('/livez', { isKnown: false });
    expect([status, json]).toEqual([200, { alive: true }]);
  });

  it('/readyz lists what is in the way', async () => {
    await using fixture = await HttpFixture.open();
    expect((await fixture.ask('/readyz', { isKnown: false })).status).toBe(200);
    fixture.node.state = { ...REPLICA, obstacles: ['The first sync is not done.', 'B.'] };
    const { status, json } = await fixture.ask('/readyz', { isKnown: false });
    expect(status).toBe(503);
    expect(json).toEqual({
      code: 'not_ready',
      error: 'The first sync is not done. B.',
      ready: false,
      role: 'replica',
      reasons: ['The first sync is not done.', 'B.'],
    });
  });
});

describe('what is not there', () => {
  it('is 404 with the paths that are', async () => {
    await using fixture = await HttpFixture.open();
    const { status, json } = await fixture.ask('/infos', { isKnown: false });
    expect([status, json['code']]).toEqual([404, 'not_found']);
    expect(json['hint']).toContain('/info, /status');
  });

  it('is 405 with Allow when the method is wrong', async () => {
    await using fixture = await HttpFixture.open();
    for (const [path, method, allow] of [
      ['/info', 'POST', 'GET, HEAD'],
      ['/promote', 'GET', 'POST'],
      ['/halt', 'GET', 'POST, DELETE'],
      ['/export', 'DELETE', 'GET, HEAD'],
      ['/info', 'PATCH', 'GET, HEAD'],
    ] as const) {
      const { status, headers } = await fixture.ask(path, { method });
      expect([path, status, headers.allow]).toEqual([path, 405, allow]);
    }
  });

  it('is 501 with what replaces it, for what only LiteFS has', async () => {
    await using fixture = await HttpFixture.open();
    for (const [path, method] of [
      ['/halt', 'POST'],
      ['/halt', 'DELETE'],
      ['/tx', 'POST'],
    ] as const) {
      const { status, json } = await fixture.ask(path, { method });
      expect([path, status, json['code']]).toEqual([path, 501, 'replaced']);
      expect(json['hint']).toContain('tandem run --with-write-lock');
    }
  });
});

it('HEAD answers as GET, without the body', async () => {
  await using fixture = await HttpFixture.open();
  const full = await fixture.ask('/info');
  const { status, headers, text } = await fixture.ask('/info', { method: 'HEAD' });
  expect([status, headers['content-length'], text]).toEqual([200, String(full.text.length), '']);
});

it('a request with the whole URL, as proxies get it, is understood', async () => {
  await using fixture = await HttpFixture.open();
  expect((await fixture.ask('http://web-0:20202/livez?a=b')).status).toBe(200);
});

describe('bytes that are no request', () => {
  it('are answered in JSON', async () => {
    await using fixture = await HttpFixture.open();
    const text = await fixture.askRaw('\u0016\u0003\u0001 hello\r\n\r\n');
    expect(text).toContain('HTTP/1.1 400 Bad Request\r\n');
    expect(text).toContain('"code": "bad_request"');
  });

  it('are cut off when the head does not end', async () => {
    await using fixture = await HttpFixture.open();
    const text = await fixture.askRaw(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`);
    expect(text).toContain('HTTP/1.1 431 ');
  });
});

describe('an upgrade', () => {
  const bytes =
    'POST /tandem/stream HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tandem/1\r\n\r\n';

  it('is handed over with its socket', async () => {
    await using fixture = await HttpFixture.open(undefined, {
      onUpgrade: (request, socket) => {
        socket.end(`taken over: ${request.url}`);
        return true;
      },
    });
    expect(await fixture.askRaw(bytes)).toBe('taken over: /tandem/stream');
  });

  it('that nobody takes over is refused', async () => {
    await using fixture = await HttpFixture.open();
    const text = await fixture.askRaw(bytes);
    expect(text).toContain('HTTP/1.1 404 Not Found\r\n');
    expect(text).toContain('"code": "not_found"');
  });

  it('to HTTP/2, which some clients offer with any request, is ignored', async () => {
    await using fixture = await HttpFixture.open();
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' };
    expect((await fixture.ask('/livez', { headers })).json).toEqual({ alive: true });
  });
});

describe('metrics', () => {
  it('need the token, unless they are declared open', async () => {
    await using fixture = await HttpFixture.open();
    expect((await fixture.ask('/metrics', { isKnown: false })).status).toBe(401);
    const { text, headers } = await fixture.ask('/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('tandem_role{role="primary"} 1\n');
    expect(text).toContain('tandem_http_requests_total{route="/metrics",status="401"} 1\n');
    await using open = await HttpFixture.open(undefined, { isMetricsOpen: true });
    expect((await open.ask('/metrics', { isKnown: false })).status).toBe(200);
    expect((await open.ask('/info', { isKnown: false })).status).toBe(401);
  });

  it('do not grow with the paths that clients make up', async () => {
    await using fixture = await HttpFixture.open();
    await fixture.ask('/a');
    await fixture.ask('/b');
    const { answers } = fixture.server.counts;
    expect(answers).toEqual([{ route: 'none', status: 404, count: 2 }]);
  });
});

it('GET /debug/vars has the numbers as JSON', async () => {
  await using fixture = await HttpFixture.open();
  const { json } = await fixture.ask('/debug/vars');
  expect(json).toMatchObject({ tandem: { role: 'primary' }, http: { eventStreams: 0 } });
  expect(Object(json['process']).residentBytes).toBeGreaterThan(1e6);
});

it('an address that is taken is refused with the sentence that says what to do', async () => {
  await using fixture = await HttpFixture.open();
  const other = new TandemHttpServer({
    node: new ScriptedNode(),
    access: {},
    importFolder: fixture.folder.file('other'),
    onUpgrade: () => false,
    clock: { nowMs: () => 0 },
  });
  const address = { host: '127.0.0.1', port: fixture.port };
  await expect(other.listen(address)).rejects.toMatchObject({
    code: 'listen_failed',
    message: `The HTTP interface cannot listen on 127.0.0.1 port ${fixture.port} (EADDRINUSE).`,
    hint: expect.stringContaining('Another program') as string,
  });
  await other.close();
});

it('a server that closes finishes the answers that are under way', async () => {
  const node = new ScriptedNode(REPLICA);
  const called = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  node.onPromote = () => {
    called.resolve();
    return done.promise;
  };
  const fixture = await HttpFixture.open(node);
  const answer = fixture.ask('/promote', { method: 'POST' });
  await called.promise;
  const closed = fixture.server.close();
  done.resolve();
  expect((await answer).status).toBe(200);
  await closed;
  await expect(fixture.ask('/livez')).rejects.toThrow('ECONNREFUSED');
  expect(node.listenerCount).toBe(0);
});

it('a server that closes does not wait longer than it may', async () => {
  const node = new ScriptedNode(REPLICA);
  const called = Promise.withResolvers<void>();
  node.onPromote = () => {
    called.resolve();
    return new Promise(() => {});
  };
  const fixture = await HttpFixture.open(node, { limits: { closeTimeoutMs: 10 } });
  const outcome = fixture.ask('/promote', { method: 'POST' }).catch((error: unknown) => error);
  await called.promise;
  await fixture.server.close();
  expect(String(await outcome)).toContain('socket hang up');
});
