import { beforeEach, describe, expect, it } from 'vitest';
import { ConsulLease, makeNodeIdentity, parseConsulUrl, parseLeaseTimings } from '../src/index.ts';
import { leaseConformance } from './conformance.ts';
import { ConsulAgent } from './consul-agent.ts';
import { FaultGate } from './fault-gate.ts';
import type { LeaseWorld } from './lease-world.ts';
import { ManualClock } from './manual-clock.ts';

interface ConsulWorld extends LeaseWorld {
  readonly agent: ConsulAgent;
}

const LOCK_DELAY_MS = 1000;

async function makeWorld(): Promise<ConsulWorld> {
  const clock = new ManualClock();
  const agent = await ConsulAgent.start(clock);
  const gate = await FaultGate.before(agent.port);
  const timings = parseLeaseTimings({ durationMs: 15_000, retryMs: 1000 });
  const closings: (() => Promise<void>)[] = [];
  let boots = 0;
  return {
    agent,
    gate,
    clock,
    timings,
    join: (name, settings = {}) => {
      boots += 1;
      const advertiseUrl = `http://${name}:20202`;
      const self = makeNodeIdentity({ name, bootId: `boot${boots}`, advertiseUrl });
      const { wallOffsetMs, ...others } = settings;
      const store = new ConsulLease({
        self,
        timings,
        ...others,
        clock: clock.node(wallOffsetMs),
        url: gate.url,
        key: 'tandem/primary',
      });
      closings.push(() => store.close());
      return { self, store };
    },
    expire: async () => {
      clock.advance(2 * timings.durationMs);
      agent.expire();
      clock.advance(LOCK_DELAY_MS);
    },
    forget: async () => agent.delete('tandem/primary'),
    close: async () => {
      for (const close of closings) await close();
      await gate.close();
      await agent.close();
    },
  };
}

describe('conformance', () => {
  leaseConformance(makeWorld);
});

describe('on Consul', () => {
  let world: ConsulWorld;
  beforeEach(async () => {
    world = await makeWorld();
    return () => world.close();
  });

  it('sessions carry no health checks', async () => {
    await world.join('node-0').store.acquire(0);
    expect(world.agent.sessions).toMatchObject([{ checks: [] }]);
  });

  it('the lock delay after a session that ended by itself is waited for', async () => {
    const [a, b] = [world.join('node-0'), world.join('node-1')];
    await a.store.acquire(0);
    world.clock.advance(30_000);
    expect(await b.store.acquire(0)).toEqual({
      kind: 'waiting',
      untilMs: world.clock.nowMs + LOCK_DELAY_MS,
    });
    world.clock.advance(LOCK_DELAY_MS);
    expect(await b.store.acquire(0)).toMatchObject({ kind: 'acquired', term: { epoch: 2 } });
  });

  it('attempts that fail leave no session behind', async () => {
    const [a, b] = [world.join('node-0'), world.join('node-1')];
    await Promise.all([a.store.acquire(0), b.store.acquire(0)]);
    expect(world.agent.sessions.length).toBe(1);
  });

  it('a key that begins with ours is not ours', async () => {
    const [a, b] = [world.join('node-0'), world.join('node-1')];
    const other = new ConsulLease({
      self: a.self,
      timings: world.timings,
      clock: world.clock.node(),
      url: `${world.gate.url}/tandem`,
      key: 'primary2',
    });
    await other.acquire(70);
    expect(await b.store.acquire(0)).toMatchObject({ kind: 'acquired', term: { epoch: 1 } });
    await other.close();
  });

  it('the token is sent, and a refused one is said to be', async () => {
    world.agent.token = 's3cret';
    const settings = { self: world.join('node-0').self, timings: world.timings, key: 'k' };
    const wrong = new ConsulLease({ ...settings, url: world.gate.url });
    expect(await wrong.acquire(0)).toMatchObject({
      kind: 'unknown',
      error: { code: 'lease_denied' },
    });
    const right = new ConsulLease({
      ...settings,
      url: world.gate.url.replace('//', '//:s3cret@'),
    });
    expect((await right.acquire(0)).kind).toBe('acquired');
    await Promise.all([wrong.close(), right.close()]);
  });

  it('a duration below ten seconds is refused with the reason', () => {
    const timings = parseLeaseTimings({ durationMs: 9000 });
    const { self } = world.join('node-0');
    expect(() => new ConsulLease({ self, timings, url: world.gate.url, key: 'k' })).toThrow(
      expect.objectContaining({ code: 'lease_bad_setting', hint: expect.stringContaining('10 s') }),
    );
  });

  it('an address as in litefs.yml is taken apart', () => {
    expect(parseConsulUrl('https://:t%20k@consul.example:8501/apps/shop/')).toEqual({
      url: 'https://consul.example:8501',
      token: 't k',
      keyPrefix: 'apps/shop',
    });
  });
});
