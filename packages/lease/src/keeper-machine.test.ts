import { describe, expect, it } from 'vitest';
import {
  barFor,
  canPromise,
  initialKeeperState,
  nextTickMs,
  stepKeeper,
  type KeeperInput,
  type KeeperRules,
  type KeeperState,
} from './keeper-machine.ts';
import { LEASE_TIMING_PRESETS } from './lease-timings.ts';

const self = { id: 'a_1', name: 'a', advertiseUrl: 'http://a' };
const peer = { id: 'b_1', name: 'b', advertiseUrl: 'http://b' };
const rules: KeeperRules = {
  selfName: 'a',
  timings: LEASE_TIMING_PRESETS.default,
  isFailsafe: true,
  mayLeadUnlisted: false,
  demoteDelayMs: 7000,
};
const term = { epoch: 3, validUntilMs: 12_500 };
const unknown = { kind: 'unknown', error: new Error('away') } as const;

/** Feeds inputs, each at its time, and gives the last state with all actions. */
function play(...inputs: readonly (readonly [number, KeeperInput])[]) {
  let state: KeeperState = initialKeeperState(0, true);
  const actions: string[] = [];
  for (const [nowMs, input] of inputs) {
    const step = stepKeeper(rules, state, input, nowMs);
    state = step.state;
    for (const action of step.actions) {
      const isChange = action.kind === 'announce';
      actions.push(`${nowMs} ${isChange ? JSON.stringify(action.change) : action.kind}`);
    }
  }
  return { state, actions };
}

const lead: readonly (readonly [number, KeeperInput])[] = [
  [0, { kind: 'tick' }],
  [0, { kind: 'may-write', members: [self, peer] }],
  [5, { kind: 'acquired', outcome: { kind: 'acquired', term } }],
];

describe('the keeper machine', () => {
  it('renews every retry period, never two requests at once', () => {
    const { actions, state } = play(
      ...lead,
      [1000, { kind: 'tick' }],
      [2005, { kind: 'tick' }],
      [2500, { kind: 'tick' }],
      [
        2600,
        { kind: 'renewed', outcome: { kind: 'renewed', term: { epoch: 3, validUntilMs: 14_505 } } },
      ],
    );
    expect(actions).toEqual([
      '0 acquire',
      `5 ${JSON.stringify({ kind: 'leading', term })}`,
      '2005 renew',
    ]);
    expect(nextTickMs(rules, state)).toBe(4600);
  });

  it('asks the peers when a renewal is unknown, and counts from when it asked', () => {
    const { actions, state } = play(
      ...lead,
      [2005, { kind: 'tick' }],
      [4005, { kind: 'renewed', outcome: unknown }],
      [5000, { kind: 'peers', haveAllAgreed: true, askedMs: 4005 }],
    );
    expect(actions.at(-1)).toBe('4005 ask-peers');
    expect(state.phase).toEqual({
      kind: 'leading',
      term: { epoch: 3, validUntilMs: 4005 + 12_500 },
    });
  });

  it('steps down at the renew deadline, before the term ends', () => {
    const { actions, state } = play(
      ...lead,
      [2005, { kind: 'tick' }],
      [4005, { kind: 'renewed', outcome: unknown }],
      [5000, { kind: 'peers', haveAllAgreed: false, askedMs: 4005 }],
      [9999, { kind: 'tick' }],
      [10_000, { kind: 'tick' }],
    );
    expect(actions.slice(-2)).toEqual([
      '9999 renew',
      `10000 ${JSON.stringify({ kind: 'following', epoch: 3, reason: 'expired' })}`,
    ]);
    expect(state.request).toBe('renew');
    expect(term.validUntilMs).toBeGreaterThan(10_000);
  });

  it('an answer that comes after the phase is over changes nothing but who is busy', () => {
    const { state } = play(
      ...lead,
      [9000, { kind: 'tick' }],
      [10_000, { kind: 'tick' }],
      [
        10_100,
        { kind: 'renewed', outcome: { kind: 'renewed', term: { epoch: 3, validUntilMs: 21_500 } } },
      ],
    );
    expect(state.phase).toEqual({ kind: 'following' });
    expect(state.request).toBe('none');
  });

  it('an acquisition that is answered after its deadline is no leading', () => {
    const { state, actions } = play(
      [0, { kind: 'tick' }],
      [10_000, { kind: 'acquired', outcome: { kind: 'acquired', term } }],
    );
    expect(state.phase).toEqual({ kind: 'following' });
    expect(actions).toEqual(['0 acquire']);
  });

  it('after a release it lets others try for a lease, whatever the watch says', () => {
    const free = { epoch: 3, members: [self, peer], isReleased: true };
    const { state, actions } = play(
      ...lead,
      [100, { kind: 'drain' }],
      [200, { kind: 'release', successorName: 'b' }],
      [210, { kind: 'released' }],
      [300, { kind: 'view', view: free }],
    );
    expect(actions.slice(-2)).toEqual([
      `200 ${JSON.stringify({ kind: 'following', reason: 'handed-off', epoch: 3 })}`,
      '200 release',
    ]);
    expect(nextTickMs(rules, state)).toBe(15_200);
  });

  it('L8: keeps what it promised, and promises only what it can', () => {
    const { state } = play([
      0,
      { kind: 'view', view: { epoch: 3, members: [], isReleased: false } },
    ]);
    expect(canPromise(rules, state, { epoch: 3, untilMs: 15_000 }, 0)).toBe(true);
    expect(canPromise(rules, state, { epoch: 2, untilMs: 15_000 }, 0)).toBe(false);
    expect(canPromise(rules, state, { epoch: 3, untilMs: 60_001 }, 0)).toBe(false);
    expect(canPromise(rules, play(...lead).state, { epoch: 9, untilMs: 15_000 }, 5)).toBe(false);
    const promised = stepKeeper(rules, state, { kind: 'promise', untilMs: 15_000 }, 0).state;
    const view = { epoch: 3, members: [self, peer], isReleased: true };
    expect(barFor(rules, promised, view, 14_999)).toBe('abstaining');
    expect(barFor(rules, promised, view, 15_000)).toBeUndefined();
  });

  it('a process that has just started may have forgotten a promise', () => {
    const state = initialKeeperState(1000, true);
    const died = { epoch: 3, members: [self, peer], isReleased: false };
    expect(barFor(rules, state, died, 15_999)).toBe('forgotten-promise');
    expect(barFor(rules, state, died, 16_000)).toBeUndefined();
    expect(barFor(rules, state, { ...died, isReleased: true }, 1000)).toBeUndefined();
    expect(barFor(rules, state, { ...died, members: [self] }, 1000)).toBeUndefined();
    expect(barFor(rules, state, { ...died, epoch: 0, members: [] }, 1000)).toBeUndefined();
    expect(barFor({ ...rules, isFailsafe: false }, state, died, 1000)).toBeUndefined();
  });

  it('a node that is no recorded member does not lead by itself', () => {
    const state = initialKeeperState(0, true);
    const view = { epoch: 3, members: [peer], isReleased: true };
    expect(barFor(rules, state, view, 0)).toBe('unlisted');
    expect(barFor({ ...rules, mayLeadUnlisted: true }, state, view, 0)).toBeUndefined();
  });

  it('leaves a lease that it gave up to nobody to others for the demote delay', () => {
    const { actions } = play(
      ...lead,
      [100, { kind: 'drain' }],
      [100, { kind: 'release' }],
      [110, { kind: 'released' }],
      [7099, { kind: 'tick' }],
      [7100, { kind: 'tick' }],
    );
    expect(actions.slice(-2)).toEqual(['100 release', '7100 acquire']);
  });

  it('is free to lead again once the one that it handed over to has led', () => {
    const next = { epoch: 4, holder: peer, members: [self, peer], isReleased: false };
    const free = { epoch: 4, members: [self, peer], isReleased: true };
    const { actions } = play(
      ...lead,
      [100, { kind: 'drain' }],
      [100, { kind: 'release', successorName: 'b' }],
      [110, { kind: 'released' }],
      [200, { kind: 'view', view: next }],
      [300, { kind: 'view', view: free }],
    );
    expect(actions.slice(-2)).toEqual(['100 release', '300 acquire']);
  });
});
