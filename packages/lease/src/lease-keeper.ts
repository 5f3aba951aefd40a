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
} from './keeper-machine.ts';
import { systemLeaseClock, type LeaseClock } from './lease-clock.ts';
import { LeaseError } from './lease-error.ts';
import type { LeaseTerm, LeaseView } from './lease-store.ts';
import type { LeaseKeeperOptions, LeaseKeeping } from './lease-keeping.ts';
import { mergedMembers } from './merged-members.ts';
import type { NodeIdentity } from './node-identity.ts';
import { TermWindow, type ClockMark } from './term-window.ts';
import { untilAborted } from './until-aborted.ts';

/** Holds one lease or follows who does: acquires, renews, steps down, hands off. */
export class LeaseKeeper implements LeaseKeeping {
  readonly #options: LeaseKeeperOptions;
  readonly #rules: KeeperRules;
  readonly #clock: LeaseClock;
  readonly #window: TermWindow;
  #state: KeeperState;
  #view: LeaseView | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  #isEnding = false;
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
      demoteDelayMs: options.demoteDelayMs ?? options.timings.durationMs,
    };
    this.#state = initialKeeperState(this.#clock.monotonicMs(), options.isCandidate);
  }

  get term(): LeaseTerm | undefined {
    return this.#state.phase.kind === 'leading' ? this.#state.phase.term : undefined;
  }

  get view(): LeaseView | undefined {
    return this.#view;
  }

  isPrimaryNow(): boolean {
    return this.#state.phase.kind === 'leading' && this.#window.isOpen();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    const { store, onError } = this.#options;
    const watching = store.watch(
      (view) => this.#see(view),
      signal,
      (error) => onError?.(error),
    );
    this.#feed({ kind: 'tick' });
    await untilAborted(signal);
    this.#isEnding = true;
    this.#feed({ kind: 'candidate', isCandidate: false });
    this.#feed({ kind: 'drain' });
    await this.#giveUp({ kind: 'release' });
    this.#isRunning = false;
    clearTimeout(this.#timer);
    await watching;
  }

  async handOff(successorName: string, drain: () => Promise<boolean>): Promise<boolean> {
    if (this.#options.store.kind === 'static') {
      await this.#options.store.release({ successorName });
    }
    if (this.#state.phase.kind !== 'leading') return false;
    if (!(await this.#drainBy(drain))) return false;
    return this.#giveUp({ kind: 'release', successorName });
  }

  async stepDown(drain: () => Promise<void>): Promise<void> {
    if (this.#state.phase.kind !== 'leading') return;
    const drained = async (): Promise<boolean> => {
      await drain();
      return true;
    };
    await this.#drainBy(drained);
    await this.#giveUp({ kind: 'release' });
  }

  setCandidate(isCandidate: boolean): void {
    this.#feed({ kind: 'candidate', isCandidate });
  }

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

  /** Whether the caller has drained. If not, the right to write comes back, unless all ends. */
  async #drainBy(drain: () => Promise<boolean>): Promise<boolean> {
    this.#feed({ kind: 'drain' });
    let isDrained = false;
    try {
      isDrained = await drain();
    } finally {
      if (!isDrained && !this.#isEnding) this.#feed({ kind: 'resume' });
    }
    return isDrained;
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
    this.#publish();
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
    if (outcome.kind === 'acquired') this.#open(outcome.term, since);
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
    if (outcome.kind === 'renewed' && this.#holds) this.#open(outcome.term, since);
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
    if (haveAllAgreed && isHolder) this.#open(phase.term, since);
  }

  #open(term: LeaseTerm, since: ClockMark): void {
    this.#window.open(term, since);
    this.#publish();
  }

  #publish(): void {
    const { term } = this;
    const { onWindow } = this.#options;
    onWindow?.(term === undefined ? undefined : { ...this.#window.ends, epoch: term.epoch });
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
    const spread =
      this.#state.phase.kind === 'following' ? (this.#options.random ?? Math.random)() : 0;
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
