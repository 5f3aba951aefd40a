import { Agent } from 'node:http';
import { expect, test } from 'vitest';
import { ask } from './http-client.ts';
import { startApp, startProxy, type RunningNode } from './node-fixture.ts';

/** Two nodes over one list of writes, `nodes[0]` primary. An application on a replica refuses writes. */
async function startPair(): Promise<{
  readonly nodes: readonly [RunningNode, RunningNode];
  readonly written: string[];
  readonly handOff: () => Promise<void>;
}> {
  const written: string[] = [];
  const start = async (): Promise<RunningNode> => {
    const app = await startApp((request, response) => {
      request.resume();
      request.on('end', () => {
        // The write takes a while, so that a hand-off meets some under way.
        setImmediate(() => {
          if (node.state.role() !== 'primary') {
            response.writeHead(500).end('attempt to write a readonly database');
            return;
          }
          written.push(request.url ?? '');
          node.state.reach(1, written.length);
          response.end('written');
        });
      });
    });
    const node = await startProxy(app.url, { forwardToken: 'secret' });
    return node;
  };
  const nodes = [await start(), await start()] as const;
  let primaryAt = 0;
  const appoint = (): void => {
    const [primary, other] = primaryAt === 0 ? nodes : ([nodes[1], nodes[0]] as const);
    primary.state.become('primary');
    other.state.become('replica', primary.url);
  };
  appoint();
  const handOff = async (): Promise<void> => {
    const old = primaryAt === 0 ? nodes[0] : nodes[1];
    const next = primaryAt === 0 ? nodes[1] : nodes[0];
    old.proxy.pause();
    expect(await old.proxy.drain()).toBe(0);
    old.state.become('none');
    primaryAt = 1 - primaryAt;
    // The new primary knows first, as it is the one that takes the lease.
    next.state.become('primary').reach(1, written.length);
    await ask(next.port, { path: '/tandem/health' });
    old.state.become('replica', next.url);
    old.proxy.resume();
  };
  return { nodes, written, handOff };
}

test('through hand-offs to and fro no client sees an error and every write is made once', async () => {
  const { nodes, written, handOff } = await startPair();
  const agent = new Agent({ keepAlive: true });
  const over = new AbortController();
  const answered: string[] = [];
  const failures: string[] = [];
  const client = async (name: number): Promise<void> => {
    for (let count = 0; !over.signal.aborted; count += 1) {
      const path = `/${name}/${count}`;
      const { port } = nodes[(name + count) % 2 === 0 ? 0 : 1];
      const reply = await ask(port, { method: 'POST', path, body: 'x'.repeat(2000), agent });
      if (reply.status === 200) answered.push(path);
      else failures.push(`${path}: ${reply.status} ${reply.body}`);
    }
  };
  const clients = [0, 1, 2, 3, 4, 5].map(client);
  for (let count = 1; count <= 6; count += 1) {
    const before = answered.length;
    await handOff();
    while (answered.length < before + 20 && failures.length === 0) {
      await ask(nodes[0].port, { path: '/tandem/health' });
    }
  }
  over.abort();
  await Promise.all(clients);
  agent.destroy();
  expect(failures).toEqual([]);
  expect(written.toSorted()).toEqual(answered.toSorted());
  expect(new Set(written).size).toBe(written.length);
  expect(answered.length).toBeGreaterThan(120);
});

test('while paused a write waits and a read does not', async () => {
  const app = await startApp((request, response) => response.end(request.method));
  const node = await startProxy(app.url);
  node.state.become('primary');
  node.proxy.pause();
  let isAnswered = false;
  const write = ask(node.port, { method: 'POST', body: 'x' }).finally(() => {
    isAnswered = true;
  });
  expect(await ask(node.port)).toMatchObject({ status: 200, body: 'GET' });
  while (node.proxy.metrics().writesHeld === 0) await ask(node.port);
  expect(isAnswered).toBe(false);
  expect(node.proxy.metrics()).toMatchObject({ writesRunning: 0, isPaused: true });
  node.proxy.resume();
  expect(await write).toMatchObject({ status: 200, body: 'POST' });
});

test('a pause that lasts too long is a 503 with a time to come back', async () => {
  const app = await startApp((_request, response) => response.end());
  const node = await startProxy(app.url, { primaryRedirectTimeoutMs: 1 });
  node.state.become('primary');
  node.proxy.pause();
  const reply = await ask(node.port, { method: 'POST', body: 'x' });
  expect(reply).toMatchObject({ status: 503 });
  expect(reply.headers['retry-after']).toBe('1');
  expect(reply.body).toContain('The primary is being handed over');
});

test('draining waits for the writes under way, and for no longer than it is told', async () => {
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const app = await startApp((_request, response) => {
    begun.resolve();
    void release.promise.then(() => response.end('done'));
  });
  const node = await startProxy(app.url);
  node.state.become('primary');
  expect(await node.proxy.drain()).toBe(0);
  const write = ask(node.port, { method: 'POST', body: 'x' });
  await begun.promise;
  node.proxy.pause();
  expect(await node.proxy.drain(1)).toBe(1);
  const drained = node.proxy.drain();
  release.resolve();
  expect(await drained).toBe(0);
  expect(await write).toMatchObject({ status: 200, body: 'done' });
});

test('closing lets a request under way finish, and refuses new connections', async () => {
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const app = await startApp((_request, response) => {
    begun.resolve();
    void release.promise.then(() => response.end('done'));
  });
  const node = await startProxy(app.url, { closeTimeoutMs: 10_000 });
  const read = ask(node.port);
  await begun.promise;
  const closed = node.proxy.close();
  while (await ask(node.port, { path: '/tandem/health' }).then(isOpen, () => false));
  release.resolve();
  expect(await read).toMatchObject({ status: 200, body: 'done' });
  await closed;
  await expect(ask(node.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

function isOpen(): boolean {
  return true;
}

test('a closing proxy goes on serving for a moment, unhealthy, and ends connections by its answers', async () => {
  const app = await startApp((_request, response) => response.end('ok'));
  const node = await startProxy(app.url, { closeLingerMs: 1000 });
  const closed = node.proxy.close();
  const health = await ask(node.port, { path: '/tandem/health' });
  expect(health).toMatchObject({ status: 503, body: 'closing: the node is being shut down\n' });
  const agent = new Agent({ keepAlive: true });
  const reply = await ask(node.port, { agent });
  agent.destroy();
  expect(reply).toMatchObject({ status: 200, body: 'ok' });
  expect(reply.headers.connection).toBe('close');
  await closed;
});
