import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { AcquireOutcome, LeaseStore, LeaseTerm, LeaseView } from '../src/index.ts';
import type { LeaseWorld } from './lease-world.ts';

const RACES = 25;

/** What every lease store that can change hands must do, as tests of the calling file. */
export function leaseConformance(makeWorld: () => Promise<LeaseWorld>): void {
  let world: LeaseWorld;
  beforeEach(async () => {
    world = await makeWorld();
    return () => world.close();
  });

  holding(() => world);
  changingHands(() => world);
  failing(() => world);
  recording(() => world);
}

function holding(given: () => LeaseWorld): void {
  it('one node acquires, the other sees who holds it', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    const sentMs = given().clock.nowMs;
    const { durationMs, marginMs } = given().timings;
    const term = await acquired(a.store, 0);
    expect(term).toEqual({ epoch: 1, validUntilMs: sentMs + durationMs - marginMs });
    expect(await b.store.acquire(0)).toEqual({ kind: 'held', holder: a.self, epoch: 1 });
    expect(await b.store.observe()).toMatchObject({ holder: a.self, epoch: 1, isReleased: false });
  });

  it('L2: a renewal prolongs the term from when it was sent, and keeps the epoch', async () => {
    const { store } = given().join('node-0');
    const { epoch } = await acquired(store, 6);
    expect(epoch).toBe(7);
    given().clock.advance(2000);
    const { durationMs, marginMs } = given().timings;
    const validUntilMs = given().clock.nowMs + durationMs - marginMs;
    expect(await store.renew()).toEqual({ kind: 'renewed', term: { epoch: 7, validUntilMs } });
  });

  it('a holder that goes on renewing keeps the lease for ever', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    await acquired(a.store, 0);
    for (let round = 0; round < 8; round += 1) {
      given().clock.advance(given().timings.durationMs * 0.6);
      expect((await a.store.renew()).kind).toBe('renewed');
      expect(await b.store.acquire(0)).toMatchObject({ kind: 'held', holder: a.self });
    }
  });

  it('nothing is written when the caller may not lead', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    const views: LeaseView[] = [];
    const outcome = await a.store.acquire(0, async (view) => {
      views.push(view);
      return false;
    });
    expect(outcome).toEqual({ kind: 'declined' });
    expect(views).toEqual([{ epoch: 0, members: [], isReleased: false }]);
    expect((await acquired(b.store, 0)).epoch).toBe(1);
  });

  it('renewing what was never acquired is lost', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    await acquired(a.store, 0);
    expect((await b.store.renew()).kind).toBe('lost');
  });

  it('L6: the same node after a restart does not continue the old term', async () => {
    const before = given().join('node-0');
    await acquired(before.store, 0);
    const after = given().join('node-0');
    expect(after.self.id).not.toBe(before.self.id);
    expect(await after.store.acquire(0)).toMatchObject({ kind: 'held', holder: before.self });
    expect((await after.store.renew()).kind).toBe('lost');
    await given().expire();
    expect((await acquired(after.store, 0)).epoch).toBe(2);
  });

  it('L4: wrong wall clocks change nothing', async () => {
    const year = 365 * 86_400_000;
    const a = given().join('node-0', { wallOffsetMs: -year });
    const b = given().join('node-1', { wallOffsetMs: year });
    await acquired(a.store, 0);
    expect(await b.store.acquire(0)).toMatchObject({ kind: 'held' });
    given().clock.advance(given().timings.durationMs * 0.6);
    expect((await a.store.renew()).kind).toBe('renewed');
    given().clock.advance(given().timings.durationMs * 0.6);
    expect(await b.store.acquire(0)).toMatchObject({ kind: 'held' });
    await given().expire();
    expect((await acquired(b.store, 0)).epoch).toBe(2);
    expect(await a.store.renew()).toEqual({ kind: 'lost', holder: b.self });
  });
}

function changingHands(given: () => LeaseWorld): void {
  it('a silent holder loses the lease, and learns who has it', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    await acquired(a.store, 0);
    await b.store.acquire(0);
    await given().expire();
    expect((await acquired(b.store, 0)).epoch).toBe(2);
    expect(await a.store.renew()).toEqual({ kind: 'lost', holder: b.self });
    expect(await a.store.acquire(0)).toEqual({ kind: 'held', holder: b.self, epoch: 2 });
  });

  it('a released lease is free at once', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    await acquired(a.store, 0);
    await a.store.release();
    expect(await b.store.observe()).toMatchObject({ epoch: 1, isReleased: true });
    expect((await b.store.observe()).holder).toBeUndefined();
    expect((await acquired(b.store, 0)).epoch).toBe(2);
    expect((await a.store.renew()).kind).toBe('lost');
  });

  it('releasing what is not held takes nothing from the holder', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    await acquired(a.store, 0);
    await b.store.release();
    expect(await b.store.acquire(0)).toMatchObject({ kind: 'held', holder: a.self });
    await given().expire();
    await acquired(b.store, 0);
    await a.store.release();
    expect((await b.store.renew()).kind).toBe('renewed');
  });

  it('a handed-off lease waits for the successor', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    const c = given().join('node-2');
    await acquired(a.store, 0);
    await a.store.release({ successorName: 'node-2' });
    expect(await b.store.observe()).toMatchObject({ isReleased: true, successorName: 'node-2' });
    const reserved = { kind: 'reserved', successorName: 'node-2' };
    expect(await b.store.acquire(0)).toEqual(reserved);
    expect(await a.store.acquire(0)).toEqual(reserved);
    expect((await acquired(c.store, 0)).epoch).toBe(2);
    expect((await c.store.observe()).successorName).toBeUndefined();
  });

  it('a reservation ends when the successor does not come', async () => {
    const a = given().join('node-0', { reservationMs: 3000 });
    const b = given().join('node-1');
    await acquired(a.store, 0);
    await a.store.release({ successorName: 'node-2' });
    expect((await b.store.acquire(0)).kind).toBe('reserved');
    given().clock.advance(2999);
    expect((await b.store.acquire(0)).kind).toBe('reserved');
    given().clock.advance(1);
    expect((await acquired(b.store, 0)).epoch).toBe(2);
  });

  it('L7: of many who try at once exactly one wins, and every epoch is new', async () => {
    const nodes = [given().join('node-0'), given().join('node-1'), given().join('node-2')];
    const epochs: number[] = [];
    for (let round = 0; round < RACES; round += 1) {
      const outcomes = await Promise.all(nodes.map(({ store }) => store.acquire(0)));
      const winners = outcomes.flatMap((outcome, index) =>
        outcome.kind === 'acquired' ? [{ index, epoch: outcome.term.epoch }] : [],
      );
      expect(winners.length).toBe(1);
      epochs.push(winners[0]?.epoch ?? 0);
      await nodes[winners[0]?.index ?? 0]?.store.release();
    }
    expect(epochs).toEqual([...new Set(epochs)].sort((x, y) => x - y));
  });

  it('L3: epochs rise although the lease was deleted', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    await acquired(a.store, 40);
    await b.store.acquire(0);
    await given().forget();
    expect((await a.store.renew()).kind).toBe('lost');
    expect((await acquired(a.store, 0)).epoch).toBe(42);
    await a.store.release();
    await given().forget();
    // Another process knows it from its log.
    expect((await acquired(b.store, 42)).epoch).toBe(43);
  });
}

function failing(given: () => LeaseWorld): void {
  it('a store that is away leaves everything unknown, and nothing lost', async () => {
    const { gate } = given();
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    await acquired(a.store, 0);
    gate.set('away');
    expect((await a.store.renew()).kind).toBe('unknown');
    expect((await b.store.acquire(0)).kind).toBe('unknown');
    await expect(b.store.observe()).rejects.toMatchObject({ retryable: true });
    gate.set('open');
    expect((await a.store.renew()).kind).toBe('renewed');
    expect((await b.store.acquire(0)).kind).toBe('held');
  });

  it('L5: a store that is too slow leaves everything unknown', async () => {
    const { gate } = given();
    const a = given().join('node-0', { requestTimeoutMs: 300 });
    const b = given().join('node-1', { requestTimeoutMs: 300 });
    await known(() => a.store.acquire(0));
    gate.set('stalled');
    const outcomes = await Promise.all([a.store.renew(), b.store.acquire(0)]);
    expect(outcomes).toMatchObject([
      { kind: 'unknown', error: { code: 'lease_no_answer' } },
      { kind: 'unknown', error: { code: 'lease_no_answer' } },
    ]);
    gate.set('open');
    expect((await known(() => a.store.renew())).kind).toBe('renewed');
  });

  it('a renewal whose answer was lost is no loss', async () => {
    const { gate } = given();
    const a = given().join('node-0', { requestTimeoutMs: 300 });
    await known(() => a.store.acquire(0));
    gate.set('mute');
    expect((await a.store.renew()).kind).toBe('unknown');
    gate.set('open');
    expect(await known(() => a.store.renew())).toMatchObject({
      kind: 'renewed',
      term: { epoch: 1 },
    });
  });

  it('an acquisition whose answer was lost gives no right, and is made good later', async () => {
    const { gate } = given();
    const [a, b] = [given().join('node-0', { requestTimeoutMs: 300 }), given().join('node-1')];
    const mayLead = async (): Promise<boolean> => {
      gate.set('mute');
      return true;
    };
    let outcome = await a.store.acquire(0, mayLead);
    expect(outcome.kind).toBe('unknown');
    expect((await a.store.renew()).kind).toBe('lost');
    gate.set('open');
    while (outcome.kind !== 'acquired') {
      given().clock.advance(100);
      outcome = await a.store.acquire(0);
    }
    expect(outcome.term.epoch).toBeGreaterThanOrEqual(1);
    expect(await b.store.acquire(0)).toMatchObject({ kind: 'held', holder: a.self });
    expect((await known(() => a.store.renew())).kind).toBe('renewed');
  });
}

function recording(given: () => LeaseWorld): void {
  it('the id of the cluster is set once', async () => {
    const nodes = [0, 1, 2, 3].map((number) => given().join(`node-${number}`));
    const ids = await Promise.all(
      nodes.map(({ self, store }) => store.claimClusterId(`cluster of ${self.name}`)),
    );
    const [id = ''] = ids;
    expect(id).toMatch(/^cluster of node-[0-3]$/);
    expect(ids).toEqual([id, id, id, id]);
    const late = given().join('node-4').store;
    expect(await late.claimClusterId('another')).toBe(id);
    await acquired(late, 0);
    await late.release();
    expect((await late.observe()).clusterId).toBe(id);
  });

  it('members are recorded by the holder, and by no other', async () => {
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    const members = [a.self, b.self];
    await expect(a.store.recordMembers(members)).rejects.toMatchObject({ code: 'lease_not_held' });
    await acquired(a.store, 0);
    await a.store.recordMembers(members);
    await expect(b.store.recordMembers([])).rejects.toMatchObject({ code: 'lease_not_held' });
    expect((await b.store.observe()).members).toEqual(members);
    expect((await a.store.renew()).kind).toBe('renewed');
    await a.store.release();
    await expect(a.store.recordMembers([])).rejects.toMatchObject({ code: 'lease_not_held' });
    await acquired(b.store, 0);
    expect((await b.store.observe()).members).toEqual(members);
  });

  it('a watch tells each change, also after the store was away', async () => {
    const { gate } = given();
    const [a, b] = [given().join('node-0'), given().join('node-1')];
    const watch = follow(b.store);
    expect(await watch.until((view) => view.epoch === 0)).toMatchObject({ members: [] });
    await acquired(a.store, 0);
    expect(await watch.until((view) => view.epoch === 1)).toMatchObject({ holder: a.self });
    gate.set('away');
    await watch.untilError();
    gate.set('open');
    await a.store.release({ successorName: 'node-1' });
    expect(await watch.until((view) => view.isReleased)).toMatchObject({ successorName: 'node-1' });
    await acquired(b.store, 0);
    expect(await watch.until((view) => view.epoch === 2)).toMatchObject({ holder: b.self });
    await watch.stop();
  });
}

/** Acquires or fails the test. A lock delay or a lost race is waited for by nobody. */
async function acquired(store: LeaseStore, epochFloor: number): Promise<LeaseTerm> {
  const outcome = await store.acquire(epochFloor);
  if (outcome.kind === 'acquired') return outcome.term;
  throw new Error(`expected to acquire, but: ${JSON.stringify(outcome)}`);
}

/** Tries until the store answered in time, however busy the machine. */
async function known<Outcome extends AcquireOutcome | { readonly kind: string }>(
  attempt: () => Promise<Outcome>,
): Promise<Outcome> {
  for (;;) {
    const outcome = await attempt();
    if (outcome.kind !== 'unknown') return outcome;
  }
}

interface Watch {
  until(isMet: (view: LeaseView) => boolean): Promise<LeaseView | undefined>;
  untilError(): Promise<void>;
  stop(): Promise<void>;
}

function follow(store: LeaseStore): Watch {
  const end = new AbortController();
  let latest: LeaseView | undefined;
  let errors = 0;
  let wake: () => void = () => undefined;
  const note = (): void => wake();
  const running = store.watch(
    (view) => {
      latest = view;
      note();
    },
    end.signal,
    () => {
      errors += 1;
      note();
    },
  );
  const wait = async (isMet: () => boolean): Promise<void> => {
    while (!isMet()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    until: async (isMet) => {
      await wait(() => latest !== undefined && isMet(latest));
      return latest;
    },
    untilError: () => wait(() => errors > 0),
    stop: async () => {
      end.abort();
      await running;
    },
  };
}

/** Starts a server once for a file of tests. */
export function sharedServer<Server extends { close(): Promise<void> }>(
  start: () => Promise<Server>,
): () => Server {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.close());
  return () => {
    if (server === undefined) throw new Error('the server has not been started');
    return server;
  };
}
