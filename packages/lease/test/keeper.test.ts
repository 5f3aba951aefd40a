import { beforeEach, describe, expect, it } from 'vitest';
import type { LeaseKeeperOptions, LeaseStoreConfig, PeerQuestion } from '../src/index.ts';
import { FaultGate } from './fault-gate.ts';
import { KubernetesApi } from './kubernetes-api.ts';
import { identityOf, SHORT, startNode, type RealNode } from './real-node.ts';

let api: KubernetesApi;
let gate: FaultGate;
let nodes: RealNode[];

beforeEach(async () => {
  api = await KubernetesApi.start();
  gate = await FaultGate.before(api.port);
  nodes = [];
  return async () => {
    gate.set('open');
    await Promise.all(nodes.map((node) => node.stop()));
    await gate.close();
    await api.close();
  };
});

function start(name: string, options: Partial<LeaseKeeperOptions> = {}): RealNode {
  const self = identityOf(name);
  const store: LeaseStoreConfig = {
    kind: 'kubernetes',
    self,
    timings: SHORT,
    apiServerUrl: gate.url,
    namespace: 'apps',
    leaseName: 'shop',
  };
  const node = startNode(self, store, options);
  nodes.push(node);
  return node;
}

const leads = (node: RealNode) => (): boolean => node.keeper.isPrimaryNow();
const sees = (node: RealNode, other: RealNode) => (): boolean =>
  node.keeper.view?.holder?.id === other.self.id;

describe('a keeper', () => {
  it('leads, is followed, and gives the lease up at its end', async () => {
    const a = start('node-0');
    await a.until(leads(a));
    expect(a.keeper.term?.epoch).toBe(1);
    const b = start('node-1');
    await b.until(sees(b, a));
    expect(b.keeper.isPrimaryNow()).toBe(false);
    expect(b.keeper.term).toBeUndefined();
    await a.stop();
    expect(a.keeper.isPrimaryNow()).toBe(false);
    expect(a.changes.at(-1)).toEqual({ kind: 'following', reason: 'released', epoch: 1 });
    await b.until(leads(b));
    expect(b.changes).toMatchObject([{ kind: 'leading', term: { epoch: 2 } }]);
  });

  it('hands off: no writing while it drains, then the successor leads', async () => {
    const a = start('node-0');
    await a.until(leads(a));
    const [b, c] = [start('node-1'), start('node-2')];
    await Promise.all([b.until(sees(b, a)), c.until(sees(c, a))]);
    const isHandedOff = await a.keeper.handOff('node-2', async () => {
      expect(a.keeper.isPrimaryNow()).toBe(false);
      expect(a.keeper.term).toBeUndefined();
      return true;
    });
    expect(isHandedOff).toBe(true);
    await c.until(leads(c));
    await a.until(sees(a, c));
    expect(c.keeper.term?.epoch).toBe(2);
    expect(b.changes).toEqual([]);
    expect(a.changes.at(-1)).toEqual({ kind: 'following', reason: 'handed-off', epoch: 1 });
  });

  it('a drain that does not succeed gives the right to write back', async () => {
    const a = start('node-0');
    await a.until(leads(a));
    expect(await a.keeper.handOff('node-1', async () => false)).toBe(false);
    expect(a.keeper.isPrimaryNow()).toBe(true);
    const failing = a.keeper.handOff('node-1', () => Promise.reject(new Error('behind')));
    await expect(failing).rejects.toThrow('behind');
    expect(a.keeper.isPrimaryNow()).toBe(true);
    expect(a.changes.length).toBe(1);
  });

  it('leads only as a candidate', async () => {
    const a = start('node-0', { isCandidate: false });
    const b = start('node-1');
    await b.until(leads(b));
    await b.stop();
    await a.until(() => a.keeper.view?.isReleased === true);
    expect(a.changes).toEqual([]);
    a.keeper.setCandidate(true);
    await a.until(leads(a));
    expect(a.keeper.term?.epoch).toBe(2);
  });

  it('does not take the lease while the caller knows of a node that is ahead', async () => {
    let asked = 0;
    const a = start('node-0', { mayLead: async () => (asked += 1) > 3 });
    await a.until(leads(a));
    expect(asked).toBe(4);
  });

  it('begins above the epoch in its own log, and a floor that fails is no permission', async () => {
    let asked = 0;
    const epochFloor = (): number => {
      asked += 1;
      if (asked === 1) throw new Error('the log cannot be read');
      return 30;
    };
    const a = start('node-0', { epochFloor });
    await a.until(leads(a));
    expect(a.keeper.term?.epoch).toBe(31);
    expect(a.errors).toMatchObject([{ message: 'the log cannot be read' }]);
  });

  it('after its lease was deleted it leads anew, in a later epoch', async () => {
    const a = start('node-0');
    await a.until(leads(a));
    api.delete('shop');
    await a.until(() => a.changes.length >= 3);
    expect(a.changes).toMatchObject([
      { kind: 'leading', term: { epoch: 1 } },
      { kind: 'following', reason: 'taken', epoch: 1 },
      { kind: 'leading', term: { epoch: 2 } },
    ]);
  });

  it('steps down when the store is away for too long, and comes back with it', async () => {
    const a = start('node-0');
    await a.until(leads(a));
    gate.set('away');
    await a.until(() => a.changes.length >= 2);
    expect(a.changes.at(-1)).toEqual({ kind: 'following', reason: 'expired', epoch: 1 });
    expect(a.keeper.isPrimaryNow()).toBe(false);
    gate.set('open');
    await a.until(leads(a));
    expect(a.keeper.term?.epoch).toBe(2);
  });
});

describe('the fail-safe rule', () => {
  /** More failed attempts than fit into a lease's duration. */
  const MANY = 2 * Math.ceil(SHORT.durationMs / SHORT.retryMs);

  it('a single node goes on writing while the store is away', async () => {
    const a = start('node-0', { askPeers: async () => false });
    await a.until(leads(a));
    await a.until(() => (a.keeper.view?.members.length ?? 0) === 1);
    gate.set('away');
    const before = a.errors.length;
    await a.until(() => a.errors.length >= before + MANY);
    expect(a.keeper.isPrimaryNow()).toBe(true);
    expect(a.changes.length).toBe(1);
  });

  it('with peers the primary goes on as long as they promise, and they keep the promise', async () => {
    const questions: PeerQuestion[] = [];
    const askPeers = async (question: PeerQuestion): Promise<boolean> => {
      questions.push(question);
      return b.keeper.promiseNotToAcquire(question.epoch, performance.now() + question.durationMs);
    };
    const a = start('node-0', { askPeers });
    const b: RealNode = start('node-1', { askPeers: async () => false, isCandidate: false });
    await a.until(leads(a));
    await a.keeper.recordMembers([b.self]);
    b.keeper.setCandidate(true);
    gate.set('away');
    await a.until(() => a.errors.length >= MANY);
    expect(a.keeper.isPrimaryNow()).toBe(true);
    expect(questions.at(-1)).toEqual({ epoch: 1, peers: [b.self], durationMs: SHORT.durationMs });
    gate.set('open');
    await b.until(sees(b, a));
    expect(b.changes).toEqual([]);
  });

  it('a node that was not recorded as a member does not lead, unless it is told to', async () => {
    const askPeers = async (): Promise<boolean> => false;
    const a = start('node-0', { askPeers });
    await a.until(leads(a));
    await a.until(() => (a.keeper.view?.members.length ?? 0) === 1);
    const [b, c] = [
      start('node-1', { askPeers }),
      start('node-2', { askPeers, mayLeadUnlisted: true }),
    ];
    await Promise.all([b.until(sees(b, a)), c.until(sees(c, a))]);
    await a.stop();
    await c.until(leads(c));
    expect(b.changes).toEqual([]);
  });

  it('no promise for an epoch that is over, for too long, or by a primary', async () => {
    const a = start('node-0', { epochFloor: () => 4 });
    const inTime = (): number => performance.now() + SHORT.durationMs;
    await a.until(leads(a));
    expect(await a.keeper.promiseNotToAcquire(5, inTime())).toBe(false);
    const b = start('node-1');
    await b.until(sees(b, a));
    expect(await b.keeper.promiseNotToAcquire(4, inTime())).toBe(false);
    expect(await b.keeper.promiseNotToAcquire(5, performance.now() + 86_400_000)).toBe(false);
    expect(await b.keeper.promiseNotToAcquire(5, inTime())).toBe(true);
  });
});
