import type { AcquireOutcome, LeaseTerm, LeaseView, RenewOutcome } from './lease-store.ts';
import { validUntilMs, type LeaseTimings } from './lease-timings.ts';
import type { NodeIdentity } from './node-identity.ts';

/**
 * What a node does about a lease, as a pure function of what it knows and what has happened.
 *
 *                 acquired                 drain
 *   following ───────────────▶ leading ◀──────────▶ draining
 *       ▲                         │      resume        │ release
 *       │   lost, or no renewal   │                    ▼
 *       └─────────────────────────┴──────────────── releasing
 *
 * 1. At most one request is under way; what comes back for a phase that is over changes nothing (L1).
 * 2. A term is extended only by a renewal or by the acknowledgement of all recorded members, and
 *    counts from when that was asked, not from when it was answered (L2).
 * 3. A node that acknowledged another's term does not begin to acquire before its promise is over (L8).
 * 4. 'draining' and 'releasing' hold the lease without the right to write (L9).
 */
export interface KeeperState {
  readonly phase: KeeperPhase;
  readonly request: 'none' | 'acquire' | 'renew' | 'ask-peers' | 'release';
  /** The attempt under way has been allowed to write. */
  readonly isWriting: boolean;
  readonly isCandidate: boolean;
  readonly startedMs: number;
  /** When the next attempt is due. */
  readonly dueMs: number;
  /** No attempt to acquire begins before: promised to a primary. */
  readonly abstainUntilMs: number;
  /** Nor before this, as long as nobody has led since that epoch, in which this node gave it up. */
  readonly owed: { readonly untilMs: number; readonly epoch: number };
  readonly epochSeen: number;
  readonly members: readonly NodeIdentity[];
}

export type KeeperPhase =
  | { readonly kind: 'following' }
  | { readonly kind: 'leading' | 'draining'; readonly term: LeaseTerm }
  | { readonly kind: 'releasing'; readonly term: LeaseTerm };

/** What never changes. */
export interface KeeperRules {
  readonly selfName: string;
  readonly timings: LeaseTimings;
  /** Whether the acknowledgement of all members stands in for the store while it is away. */
  readonly isFailsafe: boolean;
  /** Whether a node may lead that the last primary did not record as a member. */
  readonly mayLeadUnlisted: boolean;
  /** How long a node that gave the lease up to nobody leaves it to others. */
  readonly demoteDelayMs: number;
}

/** Why a node that led no longer does. */
export type LossReason =
  /** Another holds the lease, or nobody. */
  | 'taken'
  /** The store and the peers were silent until the renew deadline. */
  | 'expired'
  | 'handed-off'
  | 'released';

/** What others want to know. */
export type RoleChange =
  | { readonly kind: 'leading'; readonly term: LeaseTerm }
  | {
      readonly kind: 'following';
      readonly reason: LossReason;
      readonly epoch: number;
      readonly holder?: NodeIdentity;
    };

export type KeeperInput =
  | { readonly kind: 'tick' }
  | { readonly kind: 'view'; readonly view: LeaseView }
  | { readonly kind: 'may-write'; readonly members: readonly NodeIdentity[] }
  | { readonly kind: 'acquired'; readonly outcome: AcquireOutcome }
  | { readonly kind: 'renewed'; readonly outcome: RenewOutcome }
  | { readonly kind: 'peers'; readonly haveAllAgreed: boolean; readonly askedMs: number }
  | { readonly kind: 'members'; readonly members: readonly NodeIdentity[] }
  | { readonly kind: 'candidate'; readonly isCandidate: boolean }
  | { readonly kind: 'promise'; readonly untilMs: number }
  | { readonly kind: 'drain' | 'resume' | 'released' }
  | { readonly kind: 'release'; readonly successorName?: string };

export type KeeperAction =
  | { readonly kind: 'acquire' | 'renew' }
  | { readonly kind: 'ask-peers'; readonly epoch: number }
  | { readonly kind: 'release'; readonly successorName?: string }
  | { readonly kind: 'announce'; readonly change: RoleChange };

export interface KeeperStep {
  readonly state: KeeperState;
  readonly actions: readonly KeeperAction[];
}

/** After how many times the lease's duration a promise is too long to be honest. */
const PROMISE_FACTOR_MAX = 4;

const NOTHING_OWED = { untilMs: -Infinity, epoch: Infinity };

/** A node that has just started. */
export function initialKeeperState(nowMs: number, isCandidate: boolean): KeeperState {
  return {
    phase: { kind: 'following' },
    request: 'none',
    isWriting: false,
    isCandidate,
    startedMs: nowMs,
    dueMs: nowMs,
    abstainUntilMs: -Infinity,
    owed: NOTHING_OWED,
    epochSeen: 0,
    members: [],
  };
}

/** What follows from `input` at `nowMs`, on the monotonic clock. */
export function stepKeeper(
  rules: KeeperRules,
  state: KeeperState,
  input: KeeperInput,
  nowMs: number,
): KeeperStep {
  const step = react(rules, state, input, nowMs);
  const proceeded = proceed(rules, step.state, nowMs);
  return { state: proceeded.state, actions: [...step.actions, ...proceeded.actions] };
}

/** When something is to be done even if nothing happens; infinite while a request is under way. */
export function nextTickMs(rules: KeeperRules, state: KeeperState): number {
  const deadlineMs = renewDeadlineMs(rules, state);
  if (state.request !== 'none' || state.phase.kind === 'releasing') return deadlineMs;
  if (state.phase.kind !== 'following') return Math.min(deadlineMs, state.dueMs);
  return state.isCandidate ? Math.max(state.dueMs, abstainsUntilMs(state)) : Infinity;
}

function abstainsUntilMs({ abstainUntilMs, owed }: KeeperState): number {
  return Math.max(abstainUntilMs, owed.untilMs);
}

/** Why a free lease may not be taken, as far as this node knows by itself. */
export function barFor(
  rules: KeeperRules,
  state: KeeperState,
  view: LeaseView,
  nowMs: number,
): 'abstaining' | 'unlisted' | 'forgotten-promise' | undefined {
  if (nowMs < abstainsUntilMs(state)) return 'abstaining';
  if (!rules.isFailsafe) return undefined;
  const isListed = view.members.some(({ name }) => name === rules.selfName);
  if (view.members.length > 0 && !isListed && !rules.mayLeadUnlisted) return 'unlisted';
  // The process before this one may have promised not to. On Kubernetes each candidate waits that
  // long anyway, since only it can tell that the holder is silent.
  const hasDied = view.epoch > 0 && view.holder === undefined && !view.isReleased;
  const isNew = nowMs < state.startedMs + rules.timings.durationMs;
  const isAlone = !view.members.some(({ name }) => name !== rules.selfName);
  return hasDied && isNew && !isAlone ? 'forgotten-promise' : undefined;
}

/** Whether this node can promise another, primary at `epoch`, not to acquire until `untilMs`. */
export function canPromise(
  rules: KeeperRules,
  state: KeeperState,
  promise: { readonly epoch: number; readonly untilMs: number },
  nowMs: number,
): boolean {
  const isShort = promise.untilMs - nowMs <= PROMISE_FACTOR_MAX * rules.timings.durationMs;
  return state.phase.kind === 'following' && promise.epoch >= state.epochSeen && isShort;
}

/** The members whose acknowledgement counts. */
export function peersOf(rules: KeeperRules, state: KeeperState): NodeIdentity[] {
  return state.members.filter(({ name }) => name !== rules.selfName);
}

function react(
  rules: KeeperRules,
  state: KeeperState,
  input: KeeperInput,
  nowMs: number,
): KeeperStep {
  switch (input.kind) {
    case 'tick':
      return still(state);
    case 'view':
      return still(afterView(state, input.view, nowMs));
    case 'may-write':
      return still({ ...state, isWriting: true, members: input.members });
    case 'acquired':
      return afterAcquire(rules, state, input.outcome, nowMs);
    case 'renewed':
      return afterRenewal(rules, state, input.outcome, nowMs);
    case 'peers':
      return still(afterPeers(rules, state, input, nowMs));
    case 'members':
      return still({ ...state, members: input.members });
    case 'candidate':
      return still({ ...state, isCandidate: input.isCandidate });
    case 'promise':
      return still({
        ...state,
        abstainUntilMs: Math.max(state.abstainUntilMs, input.untilMs),
      });
    case 'drain':
      return still(inPhase(state, 'leading', 'draining'));
    case 'resume':
      return still(inPhase(state, 'draining', 'leading'));
    case 'release':
      return release(rules, state, input.successorName, nowMs);
    case 'released':
      return still({ ...state, request: 'none', phase: { kind: 'following' } });
  }
}

function still(state: KeeperState): KeeperStep {
  return { state, actions: [] };
}

function inPhase(
  state: KeeperState,
  before: 'leading' | 'draining',
  after: 'leading' | 'draining',
): KeeperState {
  const { phase } = state;
  return phase.kind === before ? { ...state, phase: { kind: after, term: phase.term } } : state;
}

/** A lease that has become free is tried for at once. */
function afterView(state: KeeperState, view: LeaseView, nowMs: number): KeeperState {
  const epochSeen = Math.max(state.epochSeen, view.epoch);
  const owed = view.epoch > state.owed.epoch ? NOTHING_OWED : state.owed;
  if (state.phase.kind !== 'following') return { ...state, epochSeen, owed };
  const members = state.request === 'acquire' ? state.members : view.members;
  const dueMs = view.holder === undefined ? Math.min(state.dueMs, nowMs) : state.dueMs;
  return { ...state, epochSeen, owed, members, dueMs };
}

function afterAcquire(
  rules: KeeperRules,
  state: KeeperState,
  outcome: AcquireOutcome,
  nowMs: number,
): KeeperStep {
  const { retryMs } = rules.timings;
  const free = { ...state, request: 'none' as const, isWriting: false, dueMs: nowMs + retryMs };
  switch (outcome.kind) {
    case 'acquired': {
      const { term } = outcome;
      const epochSeen = Math.max(state.epochSeen, term.epoch);
      const leading = { ...free, epochSeen, phase: { kind: 'leading' as const, term } };
      // Paused before the answer was read: the next attempt begins a term of its own.
      if (nowMs >= renewDeadlineMs(rules, leading)) return still({ ...free, epochSeen });
      return { state: leading, actions: [announce({ kind: 'leading', term })] };
    }
    case 'waiting': {
      const dueMs = Math.min(free.dueMs, Math.max(outcome.untilMs, nowMs));
      return still({ ...free, dueMs });
    }
    case 'held':
      return still({ ...free, epochSeen: Math.max(state.epochSeen, outcome.epoch) });
    case 'reserved':
    case 'declined':
    case 'unknown':
      return still(free);
  }
}

function afterRenewal(
  rules: KeeperRules,
  state: KeeperState,
  outcome: RenewOutcome,
  nowMs: number,
): KeeperStep {
  const { phase } = state;
  const free = { ...state, request: 'none' as const, dueMs: nowMs + rules.timings.retryMs };
  if (phase.kind !== 'leading' && phase.kind !== 'draining') return still(free);
  switch (outcome.kind) {
    case 'renewed':
      return still({ ...free, phase: { kind: phase.kind, term: outcome.term } });
    case 'lost': {
      const { holder } = outcome;
      const dueMs = holder === undefined ? nowMs : free.dueMs;
      const change = { reason: 'taken' as const, ...(holder === undefined ? {} : { holder }) };
      return follow({ ...free, dueMs }, phase.term.epoch, change);
    }
    case 'unknown': {
      if (!rules.isFailsafe || state.members.length === 0) return still(free);
      const asking = { ...free, request: 'ask-peers' as const };
      return { state: asking, actions: [{ kind: 'ask-peers', epoch: phase.term.epoch }] };
    }
  }
}

function afterPeers(
  rules: KeeperRules,
  state: KeeperState,
  input: { readonly haveAllAgreed: boolean; readonly askedMs: number },
  nowMs: number,
): KeeperState {
  const { phase } = state;
  const free = { ...state, request: 'none' as const, dueMs: nowMs + rules.timings.retryMs };
  const isHolder = phase.kind === 'leading' || phase.kind === 'draining';
  if (!isHolder || !input.haveAllAgreed) return free;
  const until = Math.max(phase.term.validUntilMs, validUntilMs(rules.timings, input.askedMs));
  const term = { epoch: phase.term.epoch, validUntilMs: until };
  return { ...free, phase: { kind: phase.kind, term } };
}

function release(
  rules: KeeperRules,
  state: KeeperState,
  successorName: string | undefined,
  nowMs: number,
): KeeperStep {
  const { phase } = state;
  const isHolder = phase.kind === 'leading' || phase.kind === 'draining';
  if (!isHolder || state.request !== 'none') return still(state);
  const reason = successorName === undefined ? 'released' : 'handed-off';
  const action: KeeperAction =
    successorName === undefined ? { kind: 'release' } : { kind: 'release', successorName };
  // Others get the first try for a while; whoever gives the lease up means it. Once somebody has led
  // since, and should that one end, this node is as good as any.
  const { timings, demoteDelayMs } = rules;
  const delayMs = successorName === undefined ? demoteDelayMs : timings.durationMs;
  const owed = { untilMs: nowMs + delayMs, epoch: phase.term.epoch };
  const releasing = { ...state, owed, request: 'release' as const };
  return {
    state: { ...releasing, phase: { kind: 'releasing', term: phase.term } },
    actions: [announce({ kind: 'following', reason, epoch: phase.term.epoch }), action],
  };
}

/** Begins what is due. */
function proceed(rules: KeeperRules, state: KeeperState, nowMs: number): KeeperStep {
  const { phase } = state;
  if (phase.kind === 'releasing') return still(state);
  if (phase.kind === 'following') {
    const isDue = nowMs >= Math.max(state.dueMs, abstainsUntilMs(state));
    if (state.request !== 'none' || !state.isCandidate || !isDue) return still(state);
    const acquiring = { ...state, request: 'acquire' as const, isWriting: false };
    return { state: acquiring, actions: [{ kind: 'acquire' }] };
  }
  if (nowMs >= renewDeadlineMs(rules, state)) {
    return follow(state, phase.term.epoch, { reason: 'expired' });
  }
  if (state.request !== 'none' || nowMs < state.dueMs) return still(state);
  return { state: { ...state, request: 'renew' }, actions: [{ kind: 'renew' }] };
}

/** When a holder that could not renew steps down, while its term still has time for that. */
function renewDeadlineMs(rules: KeeperRules, { phase }: KeeperState): number {
  if (phase.kind !== 'leading' && phase.kind !== 'draining') return Infinity;
  const { durationMs, marginMs, renewDeadlineMs } = rules.timings;
  return phase.term.validUntilMs - (durationMs - marginMs) + renewDeadlineMs;
}

function follow(
  state: KeeperState,
  epoch: number,
  change: { readonly reason: LossReason; readonly holder?: NodeIdentity },
): KeeperStep {
  return {
    state: { ...state, phase: { kind: 'following' } },
    actions: [announce({ kind: 'following', epoch, ...change })],
  };
}

function announce(change: RoleChange): KeeperAction {
  return { kind: 'announce', change };
}
