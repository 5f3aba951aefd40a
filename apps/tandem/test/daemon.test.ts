import { describe, expect, test, type TestContext } from 'vitest';
import { DaemonFixture, needProgram, notes, post, type Daemons } from './daemon-fixture.ts';
import { type DaemonProcess, until } from './daemon-process.ts';
import { EtcdProcess } from './etcd-process.ts';

const LEASE_SECONDS = 3;
const fixture = new DaemonFixture();

async function primaryOf(nodes: readonly DaemonProcess[]): Promise<DaemonProcess> {
  for (const node of nodes) if ((await node.info())['isPrimary'] === true) return node;
  throw new Error('there is no primary');
}

describe('an unmodified Python program under two daemons with a lease in etcd', () => {
  async function cluster(context: TestContext): Promise<Daemons> {
    needProgram(context, 'etcd');
    const etcd = await EtcdProcess.start();
    fixture.onEnd(() => etcd[Symbol.asyncDispose]());
    const lease = `{type: etcd, duration: ${LEASE_SECONDS}s, etcd: {endpoints: ["${etcd.url}"], prefix: /test}}`;
    return fixture.pair(() => [
      `lease: ${lease}`,
      'cluster: {nodes: 2}',
      'acknowledge: {mode: one, timeout: 1s}',
    ]);
  }

  test('no confirmed write is lost when the primary is killed in the middle', async (context) => {
    const { nodes, restart } = await cluster(context);
    const primary = await primaryOf(nodes);
    const index = nodes.indexOf(primary);
    const other = nodes[1 - index];
    if (other === undefined) throw new RangeError('there are two nodes');
    const confirmed: string[] = [];
    const over = new AbortController();
    let killedAt = Infinity;
    let firstAfterMs = Infinity;
    const clients = nodes.map(async (node, client) => {
      for (let count = 0; !over.signal.aborted; count += 1) {
        const text = `${client}-${count}`;
        if ((await post(node, text)) !== 201) continue;
        confirmed.push(text);
        if (performance.now() > killedAt) firstAfterMs = Math.min(firstAfterMs, performance.now());
      }
    });
    await until(() => confirmed.length > 40, 'writes through both proxies');
    await primary.kill();
    killedAt = performance.now();
    await until(() => firstAfterMs < Infinity, 'writes through the other');
    await context.annotate(`writing again after ${Math.round(firstAfterMs - killedAt)} ms`);
    const again = await restart(index).ready();
    await until(async () => (await again.info())['role'] === 'replica', 'the old one follows');
    over.abort();
    await Promise.all(clients);
    const stored = await notes(other);
    const missing = confirmed.filter((text) => !stored.includes(text));
    expect(missing).toEqual([]);
    expect(new Set(stored).size).toBe(stored.length);
    await until(async () => (await notes(again)).length === stored.length, 'both have all');
    expect(await notes(again)).toEqual(stored);
    expect((await other.info())['isPrimary']).toBe(true);
  });

  test('a rolling restart shows no error to clients and loses nothing', async (context) => {
    const { nodes, restart } = await cluster(context);
    const running = [...nodes];
    const statuses: number[] = [];
    const confirmed: string[] = [];
    const over = new AbortController();
    const front = { index: 1 };
    const client = (async () => {
      for (let count = 0; !over.signal.aborted; count += 1) {
        const node = running[front.index];
        if (node === undefined) throw new RangeError('there are two nodes');
        const status = await post(node, `note ${count}`);
        statuses.push(status);
        if (status === 201) confirmed.push(`note ${count}`);
      }
    })();
    for (const index of [0, 1]) {
      // Clients are moved away before a node goes, as a Service does with one that is not ready.
      front.index = 1 - index;
      await until(() => statuses.length > 5, 'some writes');
      expect(await running[index]?.terminate()).toBe(143);
      running[index] = await restart(index).ready();
      statuses.splice(0, 5);
    }
    over.abort();
    await client;
    expect(statuses.filter((status) => status !== 201)).toEqual([]);
    const [first] = running;
    if (first === undefined) throw new RangeError('there are two nodes');
    expect(await notes(first)).toEqual(confirmed);
  });

  test('a node that has only just been made primary hands over when it is ended', async (context) => {
    const { nodes } = await cluster(context);
    const primary = await primaryOf(nodes);
    const other = nodes.find((node) => node !== primary);
    if (other === undefined) throw new RangeError('there are two nodes');
    expect(await post(primary, 'before')).toBe(201);
    await other.ask('POST', '/promote');
    expect(await other.terminate()).toBe(143);
    expect(other.log).not.toContain('stopping without a hand-off');
    expect(await post(primary, 'after')).toBe(201);
    expect(await notes(primary)).toEqual(['before', 'after']);
    expect((await primary.info())['isPrimary']).toBe(true);
  });

  test('a client reads what it has written, on the other node', async (context) => {
    const { nodes } = await cluster(context);
    const primary = await primaryOf(nodes);
    const other = nodes.find((node) => node !== primary);
    for (let count = 0; count < 20; count += 1) {
      const written = await fetch(primary.url, { method: 'POST', body: `note ${count}` });
      await written.text();
      const cookie = written.headers.get('set-cookie')?.split(';')[0] ?? '';
      expect(cookie).toMatch(/^__txid=/);
      const read = await fetch(other?.url ?? '', { headers: { cookie } });
      if (count === 0) expect(await read.json()).toHaveLength(count + 1);
    }
  });
});
