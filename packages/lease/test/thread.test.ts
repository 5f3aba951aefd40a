import { spawnSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from 'vitest';
import { LeaseThread, parseLeaseTimings, type LeaseThreadOptions } from '../src/index.ts';
import { sharedServer } from './conformance.ts';
import { EtcdServer } from './etcd-server.ts';
import { identityOf, runNode, type RealNode } from './real-node.ts';

const hasEtcd = spawnSync('etcd', ['--version'], { stdio: 'ignore' }).status === 0;

beforeEach((context) => {
  if (!hasEtcd) context.skip('needs etcd: a server that runs while this thread does not');
});

const server = sharedServer(async () =>
  hasEtcd ? EtcdServer.start() : { port: 0, call: async () => ({}), close: async () => undefined },
);
const timings = parseLeaseTimings({ durationMs: 3000, renewDeadlineMs: 2000, retryMs: 300 });

let nodes: RealNode[] = [];
let prefixes = 0;
beforeEach(() => {
  nodes = [];
  prefixes += 1;
  return async () => void (await Promise.all(nodes.map((node) => node.stop())));
});

function start(name: string, options: Partial<LeaseThreadOptions> = {}): RealNode {
  const self = identityOf(name);
  const endpoints = [`http://127.0.0.1:${server().port}`];
  const store = { kind: 'etcd', self, timings, endpoints, prefix: `/thread-${prefixes}` } as const;
  const node = runNode(self, (listeners) => ({
    keeper: new LeaseThread({
      store,
      self,
      timings,
      isCandidate: true,
      epochFloor: () => 10,
      ...options,
      ...listeners,
    }),
    close: async () => undefined,
  }));
  nodes.push(node);
  return node;
}

/** Nothing of this thread runs meanwhile, as in a long statement. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const leads = (node: RealNode) => (): boolean => node.keeper.isPrimaryNow();

describe('a lease kept in a thread of its own', () => {
  it('asks this thread before it takes the lease, and tells it the term', async () => {
    let asked = 0;
    const a = start('node-0', { mayLead: async () => (asked += 1) > 1 });
    await a.until(leads(a));
    expect(asked).toBe(2);
    expect(a.keeper.term?.epoch).toBe(11);
    expect(a.keeper.term?.validUntilMs).toBeLessThan(performance.now() + timings.durationMs);
    expect(a.changes).toMatchObject([{ kind: 'leading', term: { epoch: 11 } }]);
  });

  it('goes on while this thread is busy for longer than the lease lasts', async () => {
    const a = start('node-0', { silenceMaxMs: 60_000 });
    await a.until(leads(a));
    block(timings.durationMs + 500);
    expect(a.keeper.isPrimaryNow()).toBe(true);
    expect(a.changes.length).toBe(1);
  });

  it('ends when this thread shows no life for too long', async () => {
    const a = start('node-0', { silenceMaxMs: 200 });
    await a.until(leads(a));
    block(timings.durationMs);
    expect(a.keeper.isPrimaryNow()).toBe(false);
    await a.until(() => a.changes.length >= 2);
    expect(a.changes[1]).toEqual({ kind: 'following', reason: 'expired', epoch: 11 });
  });

  it('L9: hands off, with the right to write gone at once', async () => {
    const a = start('node-0');
    await a.until(leads(a));
    const b = start('node-1');
    await b.until(() => b.keeper.view?.holder?.id === a.self.id);
    const handingOff = a.keeper.handOff('node-1', async () => true);
    expect(a.keeper.isPrimaryNow()).toBe(false);
    expect(await handingOff).toBe(true);
    await b.until(leads(b));
    expect(b.keeper.term?.epoch).toBe(12);
    expect(a.keeper.isPrimaryNow()).toBe(false);
  });

  it('a drain that fails here fails here, and the right to write comes back', async () => {
    const a = start('node-0');
    await a.until(leads(a));
    const failing = a.keeper.handOff('node-1', () => Promise.reject(new Error('behind')));
    await expect(failing).rejects.toThrow('behind');
    await a.until(leads(a));
    expect(a.changes.length).toBe(1);
  });

  it('records members and promises through the other thread', async () => {
    const a = start('node-0');
    await a.until(leads(a));
    await a.keeper.recordMembers([identityOf('node-9')]);
    await a.until(() => a.keeper.view?.members.length === 2);
    expect(await a.keeper.promiseNotToAcquire(99, performance.now() + 1000)).toBe(false);
    await a.stop();
    await expect(a.keeper.recordMembers([])).rejects.toMatchObject({ code: 'lease_not_held' });
  });

  it('refuses settings before anything starts', () => {
    const self = identityOf('node-0');
    const store = { kind: 'etcd', self, timings, endpoints: [], prefix: '/x' } as const;
    const options = { store, self, timings, isCandidate: true, epochFloor: () => 0 };
    expect(() => new LeaseThread(options)).toThrow(
      expect.objectContaining({ code: 'lease_bad_setting' }),
    );
  });
});
