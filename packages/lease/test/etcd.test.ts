import { spawnSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from 'vitest';
import { EtcdLease, makeNodeIdentity, parseLeaseTimings } from '../src/index.ts';
import { objectsIn } from '../src/json-value.ts';
import { leaseConformance, sharedServer } from './conformance.ts';
import { EtcdServer } from './etcd-server.ts';
import { FaultGate } from './fault-gate.ts';
import type { LeaseWorld, NodeSettings } from './lease-world.ts';
import { ManualClock } from './manual-clock.ts';

const hasEtcd = spawnSync('etcd', ['--version'], { stdio: 'ignore' }).status === 0;

beforeEach((context) => {
  if (!hasEtcd) context.skip('needs etcd: the lease is tried against a real one');
});

const server = sharedServer(async () =>
  hasEtcd ? EtcdServer.start() : { port: 0, call: async () => ({}), close: async () => undefined },
);
let worlds = 0;

interface EtcdWorld extends LeaseWorld {
  readonly prefix: string;
  joinOver(endpoints: readonly string[], name: string, settings?: NodeSettings): EtcdLease;
}

async function makeWorld(): Promise<EtcdWorld> {
  worlds += 1;
  const prefix = `/tandem/world-${worlds}`;
  const gate = await FaultGate.before(server().port);
  const clock = new ManualClock();
  // The server's time is real: long enough not to end by itself in a test.
  const timings = parseLeaseTimings({ durationMs: 60_000, retryMs: 1000 });
  const stores: EtcdLease[] = [];
  let boots = 0;
  const identity = (name: string) => {
    boots += 1;
    return makeNodeIdentity({ name, bootId: `boot${boots}`, advertiseUrl: `http://${name}:20202` });
  };
  const open = (
    endpoints: readonly string[],
    self = identity('node'),
    given: NodeSettings = {},
  ) => {
    const { wallOffsetMs, ...others } = given;
    const clocks = clock.node(wallOffsetMs);
    const store = new EtcdLease({ self, timings, ...others, clock: clocks, endpoints, prefix });
    stores.push(store);
    return store;
  };
  return {
    prefix,
    gate,
    clock,
    timings,
    join: (name, settings) => {
      const self = identity(name);
      return { self, store: open([gate.url], self, settings) };
    },
    joinOver: (endpoints, name, settings) => open(endpoints, identity(name), settings),
    expire: async () => {
      const key = Buffer.from(`${prefix}/leader`).toString('base64');
      const [leader] = objectsIn(await server().call('/v3/kv/range', { key }), 'kvs');
      if (leader !== undefined) await server().call('/v3/lease/revoke', { ID: leader['lease'] });
    },
    forget: async () => {
      const [key, end] = [`${prefix}/`, `${prefix}0`].map((text) =>
        Buffer.from(text).toString('base64'),
      );
      await server().call('/v3/kv/deleterange', { key, range_end: end });
    },
    close: async () => {
      for (const store of stores) await store.close();
      await gate.close();
    },
  };
}

describe('conformance', () => {
  leaseConformance(makeWorld);
});

describe('on etcd', () => {
  let world: EtcdWorld;
  beforeEach(async () => {
    world = await makeWorld();
    return () => world.close();
  });

  it('the server itself ends the lease of a holder that falls silent', async () => {
    const timings = parseLeaseTimings({ durationMs: 2000, renewDeadlineMs: 1500, retryMs: 1000 });
    const [a, b] = [world.join('node-0', { timings }), world.join('node-1')];
    await a.store.acquire(0);
    const end = new AbortController();
    const running = b.store.watch((view) => {
      if (view.epoch === 1 && view.holder === undefined) end.abort();
    }, end.signal);
    await running;
    expect(await b.store.observe()).toMatchObject({ epoch: 1, isReleased: false });
    expect(await b.store.acquire(0)).toMatchObject({ kind: 'acquired', term: { epoch: 2 } });
    expect((await a.store.renew()).kind).toBe('lost');
  });

  it('a deleted key is a lost lease, although the etcd lease lives on', async () => {
    const { store } = world.join('node-0');
    await store.acquire(0);
    const key = Buffer.from(`${world.prefix}/leader`).toString('base64');
    await server().call('/v3/kv/deleterange', { key });
    expect((await store.renew()).kind).toBe('lost');
    expect(await store.acquire(0)).toMatchObject({ kind: 'acquired', term: { epoch: 2 } });
  });

  it('endpoints that cannot be reached are passed over', async () => {
    const store = world.joinOver(['http://127.0.0.1:1', world.gate.url], 'node-0');
    expect((await store.acquire(0)).kind).toBe('acquired');
    expect((await store.renew()).kind).toBe('renewed');
  });

  it('leases with other prefixes do not meet', async () => {
    const other = await makeWorld();
    expect((await world.join('node-0').store.acquire(0)).kind).toBe('acquired');
    expect((await other.join('node-0').store.acquire(0)).kind).toBe('acquired');
    await other.close();
  });

  it('a user signs in, again when the token is no longer known', async () => {
    const own = await EtcdServer.start();
    try {
      await own.call('/v3/auth/role/add', { name: 'root' });
      await own.call('/v3/auth/user/add', { name: 'root', password: 'pw' });
      await own.call('/v3/auth/user/grant', { user: 'root', role: 'root' });
      await own.call('/v3/auth/enable', {});
      const self = makeNodeIdentity({ name: 'node-0', bootId: 'b', advertiseUrl: 'http://node-0' });
      const { timings } = world;
      const endpoints = [`http://127.0.0.1:${own.port}`];
      const settings = { self, timings, endpoints, prefix: '/shop', user: 'root' };
      const wrong = new EtcdLease({ ...settings, password: 'no' });
      expect(await wrong.acquire(0)).toMatchObject({
        kind: 'unknown',
        error: { code: 'lease_denied' },
      });
      const right = new EtcdLease({ ...settings, password: 'pw' });
      expect((await right.acquire(0)).kind).toBe('acquired');
      expect((await right.renew()).kind).toBe('renewed');
      await Promise.all([wrong.close(), right.close()]);
    } finally {
      await own.close();
    }
  });
});
