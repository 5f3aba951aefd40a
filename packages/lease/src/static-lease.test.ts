import { describe, expect, it } from 'vitest';
import { makeNodeIdentity } from './node-identity.ts';
import { StaticLease, type StaticRule } from './static-lease.ts';

const URL_OF_PRIMARY = 'http://node-0.nodes:20202';

function join(name: string, primary: StaticRule, epoch?: number): StaticLease {
  const self = makeNodeIdentity({ name, bootId: 'boot', advertiseUrl: `http://${name}:20202` });
  const fixed = epoch === undefined ? {} : { epoch };
  return new StaticLease({ self, primary, primaryUrl: URL_OF_PRIMARY, ...fixed });
}

describe('a static lease', () => {
  it('is held by the node that the rule names, for ever, each time in a later epoch', async () => {
    const lease = join('node-0', { kind: 'name', name: 'node-0' });
    const term = { epoch: 8, validUntilMs: Infinity };
    expect(await lease.acquire(7)).toEqual({ kind: 'acquired', term });
    expect(await lease.renew()).toEqual({ kind: 'renewed', term });
    await lease.release();
    expect(await lease.renew()).toEqual({ kind: 'lost' });
    expect(await lease.acquire(0)).toMatchObject({ term: { epoch: 9 } });
  });

  it('with one rule for all nodes never makes two primaries', async () => {
    const rules: StaticRule[] = [
      { kind: 'name', name: 'node-0' },
      { kind: 'ordinal', ordinal: 0 },
    ];
    for (const rule of rules) {
      const outcomes = await Promise.all(
        ['node-0', 'node-1', 'node-10'].map((name) => join(name, rule).acquire(0)),
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(['acquired', 'held', 'held']);
      expect(outcomes[2]).toMatchObject({
        holder: { name: 'node-0', advertiseUrl: URL_OF_PRIMARY },
      });
    }
  });

  it('cannot be handed off, and says what to do instead', async () => {
    const lease = join('node-0', { kind: 'name', name: 'node-0' });
    await lease.acquire(0);
    await expect(lease.release({ successorName: 'node-1' })).rejects.toMatchObject({
      code: 'lease_fixed',
      hint: expect.stringContaining('configuration of all nodes'),
    });
    expect((await lease.renew()).kind).toBe('renewed');
  });

  it('asks before it leads, and keeps no cluster id', async () => {
    const lease = join('node-0', { kind: 'name', name: 'node-0' });
    expect(await lease.acquire(0, async () => false)).toEqual({ kind: 'declined' });
    expect(await lease.claimClusterId('c1')).toBe('c1');
    await expect(lease.recordMembers()).rejects.toMatchObject({ code: 'lease_not_held' });
  });

  it('takes a fixed epoch, but not one below that of its own log', async () => {
    const rule: StaticRule = { kind: 'name', name: 'node-0' };
    const lease = join('node-0', rule, 5);
    expect(await lease.acquire(5)).toMatchObject({ term: { epoch: 5 } });
    await expect(lease.acquire(6)).rejects.toMatchObject({ code: 'lease_bad_setting' });
    expect(() => join('node-0', rule, 0)).toThrow('no whole number');
  });

  it('refuses an ordinal rule for a name without one', () => {
    expect(() => join('server', { kind: 'ordinal', ordinal: 0 })).toThrow(
      expect.objectContaining({ code: 'lease_bad_node_name' }),
    );
  });

  it('tells its one state to a watch, until aborted', async () => {
    const end = new AbortController();
    const views: unknown[] = [];
    const lease = join('node-1', { kind: 'name', name: 'node-0' });
    await lease.watch((view) => {
      views.push(view.holder?.name);
      end.abort();
    }, end.signal);
    expect(views).toEqual(['node-0']);
  });
});
