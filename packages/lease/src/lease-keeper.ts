import { AssertionError } from '@tandem/base';
import {
  barFor,
  canPromise,
  initialKeeperState,
  nextTickMs,
  peersOf,
  stepKeeper,
  type KeeperAction,
  type KeeperInput,
  type KeeperRules,
  type KeeperState,
  type RoleChange,
} from './keeper-machine.ts';
import { systemLeaseClock, type LeaseClock } from './lease-clock.ts';
import { LeaseError } from './lease-error.ts';
import type { LeaseStore, LeaseTerm, LeaseView } from './lease-store.ts';
import type { LeaseTimings } from './lease-timings.ts';
import { mergedMembers } from './merged-members.ts';
import type { NodeIdentity } from './node-identity.ts';
import { TermWindow } from './term-window.ts';

/** What the primary asks each recorded peer while the store is away. */
export interface PeerQuestion {
  readonly epoch: number;
  readonly peers: readonly NodeIdentity[];
  /** For how long each peer is to promise not to acquire, counted from when it is asked. */
  readonly durationMs: number;
}

export interface LeaseKeeperOptions {
  readonly store: LeaseStore;
  readonly self: NodeIdentity;
  /** As the store has them. */
  readonly timings: LeaseTimings;
  readonly isCandidate: boolean;
  /** The highest epoch in the own log, asked before each attempt. */
  readonly epochFloor: () => number | Promise<number>;
  /** Says no while a reachable node is ahead of this one, or this one is empty. */
  readonly mayLead?: (view: LeaseView) => Promise<boolean>;
  /**
   * Whether each of the peers acknowledged the epoch and promised. With it the fail-safe rule is
   * on. More than `timings.retryMs` is not waited for.
   */
  readonly askPeers?: (question: PeerQuestion) => Promise<boolean>;
  /** Whether a node may lead that the last primary did not record; by default false. */
  readonly mayLeadUnlisted?: boolean;
  /** False forbids renewals: with a worker, while the main thread shows no life. */
  readonly mayRenew?: () => boolean;
  readonly onChange?: (change: RoleChange) => void;
  /** Each view that the store's watch gives. */
  readonly onView?: (view: LeaseView) => void;
  /** Failures of the store, for the log; each has been answered already. */
  readonly onError?: (error: Error) => void;
  readonly clock?: LeaseClock;
  /** From 0 up to 1; spreads the attempts of candidates. */
  readonly random?: () => number;
}

/** Holds one lease or follows who does: acquires, renews, steps down, hands off. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #rules: KeeperRules;
  readonly #clock: LeaseClock;
  readonly #window: TermWindow;
  #state: KeeperState;
  #view: LeaseView | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  #afterRequest: (() => void)[] = [];
  #recording: Promise<void> = Promise.resolve();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemLeaseClock;
    this.#window = new TermWindow(this.#clock);
    this.#rules = {
      selfName: options.self.name,
      timings: options.timings,
      isFailsafe: options.askPeers !== undefined,
      mayLeadUnlisted: options.mayLeadUnlisted ?? false,
    };
    this.#state = initialKeeperState(this.#clock.monotonicMs(), options.isCandidate);
  }

  /** The term under which this node leads, valid or not; undefined when it does not lead. */
  get term(): LeaseTerm | undefined {
    return this.#state.phase.kind === 'leading' ? this.#state.phase.term : undefined;
  }

  /** What the store last said. */
  get view(): LeaseView | undefined {
    return this.#view;
  }

  /**
   * Whether this node may write at this very moment. To be asked before a transaction begins and
   * again right before it commits or is acknowledged; it reads two clocks and nothing else.
   */
  isPrimaryNow(): boolean {
    return this.#state.phase.kind === 'leading' && this.#window.isOpen();
  }

  /**
   * Works until aborted, then gives the lease up if it is held. Whoever aborts has finished what
   * the lease guards, or has handed off before.
   */
  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    const { store, onError } = this.#options;
    const watching = store.watch((view) => this.#see(view), signal, (error) => onError?.(error));
    this.#feed({ kind: 'tick' });
    if (!signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
    }
    this.#feed({ kind: 'candidate', isCandidate: false });
    this.#feed({ kind: 'drain' });
    await this.#giveUp({ kind: 'release' });
    this.#isRunning = false;
    clearTimeout(this.#timer);
    await watching;
  }

  /**
   * Passes the lease to the node of that name. The right to write ends at once; then `drain`
   * finishes open transactions and confirms that the successor has the last one, while the lease
   * goes on being renewed; then the lease is given up, reserved for the successor.
   *
   * Returns false, with the right to write back, when `drain` did or the lease was lost meanwhile.
   *
   * @throws LeaseError `lease_fixed` for a static lease, and what `drain` throws.
   */
  async handOff(successorName: string, drain: () => Promise<boolean>): Promise<boolean> {
    if (this.#options.store.kind === 'static') {
      await this.#options.store.release({ successorName });
    }
    if (this.#state.phase.kind !== 'leading') return false;
    this.#feed({ kind: 'drain' });
    let isDrained = false;
    try {
      isDrained = await drain();
    } finally {
      if (!isDrained) this.#feed({ kind: 'resume' });
    }
    if (!isDrained) return false;
    return this.#giveUp({ kind: 'release', successorName });
  }

  /** Gives the lease up after `drain`; others get the first try for a lease's duration. */
  async stepDown(drain: () => Promise<void>): Promise<void> {
    if (this.#state.phase.kind !== 'leading') return;
    this.#feed({ kind: 'drain' });
    await drain();
    await this.#giveUp({ kind: 'release' });
  }

  /** Whether this node tries to lead. One that leads already goes on. */
  setCandidate(isCandidate: boolean): void {
    this.#feed({ kind: 'candidate', isCandidate });
  }

  /**
   * Answers a primary whose store is away. True means that this node knows of no higher epoch and
   * does not acquire before `untilMs`, on its own monotonic clock.
   */
  async promiseNotToAcquire(epoch: number, untilMs: number): Promise<boolean> {
    const floor = await this.#options.epochFloor();
    const isPossible = (): boolean =>
      floor <= epoch &&
      canPromise(this.#rules, this.#state, { epoch, untilMs }, this.#clock.monotonicMs());
    if (!isPossible()) return false;
    this.#feed({ kind: 'promise', untilMs });
    if (this.#state.request === 'acquire' && this.#state.isWriting) {
      await new Promise<void>((resolve) => void this.#afterRequest.push(resolve));
    }
    return isPossible();
  }

  /**
   * Records who belongs to the cluster. While it is not known whether the store took it, both the
   * old members and the new ones are asked by the fail-safe rule.
   *
   * @throws LeaseError.
   */
  recordMembers(members: readonly NodeIdentity[]): Promise<void> {
    const recorded = this.#recording.then(() => this.#record(members));
    this.#recording = recorded.catch(() => undefined);
    return recorded;
  }

  async #record(members: readonly NodeIdentity[]): Promise<void> {
    const all = mergedMembers([this.#options.self], members);
    this.#feed({ kind: 'members', members: mergedMembers(all, this.#state.members) });
    await this.#options.store.recordMembers(all);
    this.#feed({ kind: 'members', members: all });
  }

  /** Once nothing is under way any more; whether there was something to give up. */
  async #giveUp(input: KeeperInput): Promise<boolean> {
    for (;;) {
      await this.#settle();
      if (this.#phaseKind() !== 'draining') return false;
      this.#feed(input);
      if (this.#phaseKind() !== 'releasing') continue;
      await this.#settle();
      return true;
    }
  }

  #phaseKind(): KeeperState['phase']['kind'] {
    return this.#state.phase.kind;
  }

  /** Waits until no request is under way. */
  async #settle(): Promise<void> {
    while (this.#state.request !== 'none') {
      await new Promise<void>((resolve) => void this.#afterRequest.push(resolve));
    }
  }

  #see(view: LeaseView): void {
    this.#view = view;
    this.#options.onView?.(view);
    this.#feed({ kind: 'view', view });
  }

  #feed(input: KeeperInput): void {
    const before = this.#state.request;
    const step = stepKeeper(this.#rules, this.#state, input, this.#clock.monotonicMs());
    this.#state = step.state;
    for (const action of step.actions) this.#perform(action);
    if (before !== this.#state.request) {
      const waiting = this.#afterRequest;
      this.#afterRequest = [];
      for (const resolve of waiting) resolve();
    }
    this.#arm();
  }

  #perform(action: KeeperAction): void {
    if (action.kind === 'announce') {
      if (action.change.kind === 'following') this.#window.close();
      else if (this.#rules.isFailsafe) this.#listSelf();
      this.#options.onChange?.(action.change);
      return;
    }
    void this.#request(action);
  }

  async #request(action: Exclude<KeeperAction, { kind: 'announce' }>): Promise<void> {
    const { store } = this.#options;
    switch (action.kind) {
      case 'acquire':
        return this.#acquire();
      case 'renew':
        return this.#renew();
      case 'ask-peers':
        return this.#askPeers(action.epoch);
      case 'release': {
        const { successorName } = action;
        const options = successorName === undefined ? {} : { successorName };
        await store.release(options).catch((error: unknown) => this.#report(error));
        this.#feed({ kind: 'released' });
      }
    }
  }

  async #acquire(): Promise<void> {
    const { store, epochFloor } = this.#options;
    const since = this.#window.mark();
    const outcome = await orUnknown(async () =>
      store.acquire(await epochFloor(), (view) => this.#mayLead(view)),
    );
    if (outcome.kind === 'unknown') this.#report(outcome.error);
    if (outcome.kind === 'acquired') this.#window.open(outcome.term, since);
    this.#feed({ kind: 'acquired', outcome });
  }

  async #mayLead(view: LeaseView): Promise<boolean> {
    const isBarred = (): boolean =>
      !this.#state.isCandidate ||
      barFor(this.#rules, this.#state, view, this.#clock.monotonicMs()) !== undefined;
    if (isBarred()) return false;
    const mayLead = await this.#isOf(this.#options.mayLead?.(view) ?? Promise.resolve(true));
    // A promise may have been given while others were asked.
    if (!mayLead || isBarred()) return false;
    this.#feed({ kind: 'may-write', members: view.members });
    return true;
  }

  /** A question that fails is answered with no. */
  async #isOf(answer: Promise<boolean>): Promise<boolean> {
    try {
      return await answer;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }

  async #renew(): Promise<void> {
    const { store, mayRenew } = this.#options;
    const since = this.#window.mark();
    const error = new LeaseError('lease_no_answer', 'The main thread shows no life.');
    const outcome =
      mayRenew?.() === false
        ? ({ kind: 'unknown', error } as const)
        : await orUnknown(() => store.renew());
    if (outcome.kind === 'unknown') this.#report(outcome.error);
    this.#feed({ kind: 'renewed', outcome });
    if (outcome.kind === 'renewed' && this.#holds) this.#window.open(outcome.term, since);
  }

  async #askPeers(epoch: number): Promise<void> {
    const { askPeers, timings, mayRenew } = this.#options;
    const since = this.#window.mark();
    const peers = peersOf(this.#rules, this.#state);
    const question = { epoch, peers, durationMs: timings.durationMs };
    let haveAllAgreed = mayRenew?.() !== false;
    if (haveAllAgreed && peers.length > 0) {
      const answer = askPeers?.(question) ?? Promise.resolve(false);
      haveAllAgreed = await this.#isOf(inTime(answer, timings.retryMs));
    }
    this.#feed({ kind: 'peers', haveAllAgreed, askedMs: since.monotonicMs });
    const { phase } = this.#state;
    const isHolder = phase.kind === 'leading' || phase.kind === 'draining';
    if (haveAllAgreed && isHolder) this.#window.open(phase.term, since);
  }

  get #holds(): boolean {
    const kind = this.#phaseKind();
    return kind === 'leading' || kind === 'draining';
  }

  /** A primary that is no member could not be the only one that the fail-safe rule asks. */
  #listSelf(): void {
    const { members } = this.#state;
    if (members.some(({ id }) => id === this.#options.self.id)) return;
    void this.recordMembers(members).catch((error: unknown) => this.#report(error));
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (!this.#isRunning) return;
    const atMs = nextTickMs(this.#rules, this.#state);
    if (atMs === Infinity) return;
    const spread = this.#state.phase.kind === 'following' ? (this.#options.random ?? Math.random)() : 0;
    const delayMs = atMs - this.#clock.monotonicMs() + spread * this.#rules.timings.retryMs * 0.2;
    this.#timer = setTimeout(() => this.#feed({ kind: 'tick' }), Math.max(0, delayMs));
  }

  #report(error: unknown): void {
    this.#options.onError?.(error instanceof Error ? error : new Error(String(error)));
  }
}

/** What a store or a caller's function throws leaves the lease as unknown; an assertion does not. */
async function orUnknown<Outcome>(
  attempt: () => Promise<Outcome>,
): Promise<Outcome | { readonly kind: 'unknown'; readonly error: Error }> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof AssertionError) throw error;
    return { kind: 'unknown', error };
  }
}

/** The answer, or false when it takes too long. */
async function inTime(answer: Promise<boolean>, limitMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), limitMs);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
