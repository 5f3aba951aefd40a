import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  KubernetesLease,
  makeNodeIdentity,
  parseLeaseTimings,
  type LeaseView,
} from '../src/index.ts';
import { objectIn } from '../src/json-value.ts';
import { leaseConformance } from './conformance.ts';
import { FaultGate } from './fault-gate.ts';
import { KubernetesApi } from './kubernetes-api.ts';
import type { LeaseWorld } from './lease-world.ts';
import { ManualClock } from './manual-clock.ts';

interface KubernetesWorld extends LeaseWorld {
  readonly api: KubernetesApi;
  readonly tokenFile: string;
}

async function makeWorld(): Promise<KubernetesWorld> {
  const api = await KubernetesApi.start();
  const gate = await FaultGate.before(api.port);
  const clock = new ManualClock();
  const timings = parseLeaseTimings({ durationMs: 15_000, retryMs: 1000 });
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-'));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'first\n');
  const closings: (() => Promise<void>)[] = [];
  let boots = 0;
  return {
    api,
    gate,
    clock,
    timings,
    tokenFile,
    join: (name, settings = {}) => {
      boots += 1;
      const advertiseUrl = `http://${name}:20202`;
      const self = makeNodeIdentity({ name, uid: 'u1', bootId: `boot${boots}`, advertiseUrl });
      const { wallOffsetMs, ...others } = settings;
      const store = new KubernetesLease({
        self,
        timings,
        ...others,
        clock: clock.node(wallOffsetMs),
        apiServerUrl: gate.url,
        namespace: 'apps',
        leaseName: 'shop',
        tokenFile,
      });
      closings.push(() => store.close());
      return { self, store };
    },
    expire: async () => clock.advance(timings.durationMs),
    forget: async () => {
      api.delete('shop');
      clock.advance(timings.durationMs);
    },
    close: async () => {
      for (const close of closings) await close();
      await gate.close();
      await api.close();
      await rm(folder, { recursive: true });
    },
  };
}

describe('conformance', () => {
  leaseConformance(makeWorld);
});

describe('on Kubernetes', () => {
  let world: KubernetesWorld;
  beforeEach(async () => {
    world = await makeWorld();
    return () => world.close();
  });

  it('no request is a PATCH, and every time has six digits', async () => {
    const { store } = world.join('node-0');
    await store.acquire(0);
    await store.renew();
    await store.recordMembers([]);
    await store.release({ successorName: 'node-1' });
    expect(world.api.requests).not.toContain('PATCH');
    const spec = objectIn(world.api.object('shop') ?? {}, 'spec');
    expect(spec).toMatchObject({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      leaseTransitions: 0,
    });
    expect(spec['renewTime']).toMatch(/\.\d{6}Z$/);
  });

  it('a renewal is stored although the wall clock stands still', async () => {
    const [a, b] = [world.join('node-0'), world.join('node-1')];
    await a.store.acquire(0);
    await b.store.acquire(0);
    const before = world.api.object('shop');
    expect((await a.store.renew()).kind).toBe('renewed');
    expect(world.api.object('shop')).not.toEqual(before);
  });

  it('a candidate waits for the duration in the record, from when it first saw it', async () => {
    const a = world.join('node-0', { timings: parseLeaseTimings({ durationMs: 60_000 }) });
    await a.store.acquire(0);
    world.clock.advance(600_000);
    const { store } = world.join('node-1');
    expect((await store.acquire(0)).kind).toBe('held');
    world.clock.advance(59_999);
    expect((await store.acquire(0)).kind).toBe('held');
    world.clock.advance(1);
    expect(await store.acquire(0)).toMatchObject({ kind: 'acquired', term: { epoch: 2 } });
  });

  it('a deleted lease is not taken before its holder must have noticed', async () => {
    const [a, b] = [world.join('node-0'), world.join('node-1')];
    await a.store.acquire(0);
    await b.store.acquire(0);
    world.clock.advance(5000);
    world.api.delete('shop');
    const untilMs = world.clock.nowMs + 10_000;
    expect(await b.store.acquire(0)).toEqual({ kind: 'waiting', untilMs });
    world.clock.advance(10_000);
    expect(await b.store.acquire(0)).toMatchObject({ kind: 'acquired', term: { epoch: 2 } });
  });

  it('annotations, labels and fields of others are kept', async () => {
    const { store } = world.join('node-0');
    await store.claimClusterId('c1');
    world.api.annotate('shop', { 'example.com/owner': 'ops' });
    await store.acquire(0);
    world.api.annotate('shop', { 'example.com/note': 'kept' });
    expect((await store.renew()).kind).toBe('renewed');
    await store.release();
    const { annotations } = objectIn(world.api.object('shop') ?? {}, 'metadata');
    expect(annotations).toMatchObject({ 'example.com/owner': 'ops', 'example.com/note': 'kept' });
    expect((await store.observe()).clusterId).toBe('c1');
  });

  it('an epoch is above leaseTransitions, which another elector may have counted', async () => {
    const { store } = world.join('node-0');
    await store.claimClusterId('c1');
    world.api.setSpec('shop', { holderIdentity: '', leaseTransitions: 17 });
    expect(await store.acquire(0)).toMatchObject({ term: { epoch: 18 } });
  });

  it('a replaced token is read again, and a refused one is said to be', async () => {
    const { store } = world.join('node-0');
    world.api.token = 'first';
    expect((await store.acquire(0)).kind).toBe('acquired');
    world.api.token = 'second';
    expect(await store.renew()).toMatchObject({ kind: 'unknown', error: { code: 'lease_denied' } });
    await writeFile(world.tokenFile, 'second');
    expect((await store.renew()).kind).toBe('renewed');
  });

  it('a watch goes on after the server has forgotten where it was (410)', async () => {
    const [a, b] = [world.join('node-0'), world.join('node-1')];
    await a.store.acquire(0);
    const end = new AbortController();
    const views: LeaseView[] = [];
    const first = Promise.withResolvers<void>();
    const running = b.store.watch((view) => {
      views.push(view);
      first.resolve();
      if (view.isReleased) end.abort();
    }, end.signal);
    await first.promise;
    world.api.compact();
    await a.store.release();
    await running;
    expect(views[0]).toMatchObject({ holder: a.self });
    expect(views.at(-1)).toMatchObject({ epoch: 1, isReleased: true });
  });

  it('a missing permission names the verb that the Role lacks', async () => {
    const { store } = world.join('node-0');
    world.api.forbidden = 'POST';
    const outcome = await store.acquire(0);
    expect(outcome).toMatchObject({ kind: 'unknown', error: { code: 'lease_denied' } });
    expect(outcome).toMatchObject({ error: { hint: expect.stringContaining("'create'") } });
  });

  it('a namespace that does not exist is an error, not a race that was lost', async () => {
    const { self } = world.join('node-0');
    const access = { apiServerUrl: world.gate.url, namespace: 'others', leaseName: 'shop' };
    const store = new KubernetesLease({ self, timings: world.timings, ...access });
    const outcome = await store.acquire(0);
    expect(outcome).toMatchObject({ kind: 'unknown', error: { code: 'lease_bad_answer' } });
    await store.close();
  });
});
