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
} from '../src/keeper-machine.ts';
import { LEASE_TIMING_PRESETS } from '../src/index.ts';
import type { AcquireOutcome, LeaseView, NodeIdentity, RenewOutcome } from '../src/index.ts';
import { validUntilMs } from '../src/lease-timings.ts';

export const TIMINGS = LEASE_TIMING_PRESETS.default;

/** Something that goes wrong for one node for a while. */
export interface Fault {
  readonly kind: 'pause' | 'no-store' | 'no-peers' | 'restart';
  readonly node: number;
  readonly atMs: number;
  readonly forMs: number;
}

export interface SimulationPlan {
  /** `ttl`: the store ends leases, as etcd and Consul; `observed`: candidates do, as Kubernetes. */
  readonly mode: 'ttl' | 'observed';
  readonly isFailsafe: boolean;
  /** How fast each node's clock runs; also says how many nodes there are. */
  readonly rates: readonly number[];
  readonly faults: readonly Fault[];
  /** Chances in use, one after the other and over again: each from 0 up to 1. */
  readonly chances: readonly number[];
}

interface Node {
  readonly index: number;
  readonly identity: NodeIdentity;
  readonly rate: number;
  /** Counts restarts; what comes back for an earlier life is dropped. */
  life: number;
  state: KeeperState;
  epochFloor: number;
  pausedUntilMs: number;
  storeAwayUntilMs: number;
  peersAwayUntilMs: number;
  hold: { lease: number; epoch: number } | undefined;
  stray: number | undefined;
  observed: { version: number; sinceMs: number } | undefined;
}

interface StoreState {
  lease: number;
  holder: Node | undefined;
  epoch: number;
  version: number;
  endsMs: number;
  isReleased: boolean;
}

/** The keepers of several nodes over a scripted store, on one virtual time. */
export class LeaseSimulation {
  readonly #plan: SimulationPlan;
  readonly #nodes: readonly Node[];
  readonly #events: { atMs: number; order: number; run: () => void }[] = [];
  readonly #store: StoreState;
  /** In the order in which the store took them. */
  readonly epochs: number[] = [];
  /** Moments at which two nodes could write. */
  readonly violations: string[] = [];
  #nowMs = 0;
  #order = 0;
  #chance = 0;
  #leases = 0;

  constructor(plan: SimulationPlan) {
    this.#plan = plan;
    this.#store = {
      lease: 0,
      holder: undefined,
      epoch: 0,
      version: 1,
      endsMs: Infinity,
      isReleased: false,
    };
    this.#nodes = plan.rates.map((rate, index) => ({
      index,
      identity: { id: `n-${index}`, name: `n-${index}`, advertiseUrl: 'http://n' },
      rate,
      life: 0,
      state: initialKeeperState(0, true),
      epochFloor: 0,
      pausedUntilMs: 0,
      storeAwayUntilMs: 0,
      peersAwayUntilMs: 0,
      hold: undefined,
      stray: undefined,
      observed: undefined,
    }));
    for (const fault of plan.faults) this.#at(fault.atMs, () => this.#break(fault));
    for (const node of this.#nodes) this.#feed(node, { kind: 'tick' });
  }

  /** Runs until `untilMs`, looking for two primaries after each event. */
  run(untilMs: number): void {
    for (;;) {
      this.#events.sort((x, y) => x.atMs - y.atMs || x.order - y.order);
      const event = this.#events[0];
      if (event === undefined || event.atMs > untilMs) break;
      this.#events.shift();
      this.#nowMs = event.atMs;
      event.run();
      this.#check();
    }
    this.#nowMs = untilMs;
  }

  /** Who may write now. */
  primaries(): string[] {
    return this.#nodes.filter((node) => this.#isPrimary(node)).map(({ identity }) => identity.name);
  }

  #check(): void {
    const primaries = this.primaries();
    if (primaries.length > 1) this.violations.push(`${this.#nowMs}: ${primaries.join(' and ')}`);
  }

  #isPrimary(node: Node): boolean {
    const { phase } = node.state;
    return phase.kind === 'leading' && this.#local(node) < phase.term.validUntilMs;
  }

  #local(node: Node): number {
    return this.#nowMs * node.rate;
  }

  #at(atMs: number, run: () => void): void {
    this.#order += 1;
    this.#events.push({ atMs, order: this.#order, run });
  }

  /** At the node, when it is not paused and has not been started anew since. */
  #atNode(node: Node, delayMs: number, run: () => void): void {
    const { life } = node;
    const attempt = (): void => {
      if (node.life !== life) return;
      if (this.#nowMs < node.pausedUntilMs) this.#at(node.pausedUntilMs, attempt);
      else run();
    };
    this.#at(this.#nowMs + delayMs, attempt);
  }

  #random(): number {
    const { chances } = this.#plan;
    this.#chance += 1;
    return chances[this.#chance % chances.length] ?? 0;
  }

  #latencyMs(): number {
    return 1 + this.#random() ** 4 * 3000;
  }

  #break(fault: Fault): void {
    const node = this.#nodes[fault.node % this.#nodes.length];
    if (node === undefined) return;
    const untilMs = this.#nowMs + fault.forMs;
    if (fault.kind === 'pause') node.pausedUntilMs = untilMs;
    if (fault.kind === 'no-store') node.storeAwayUntilMs = untilMs;
    if (fault.kind === 'no-peers') node.peersAwayUntilMs = untilMs;
    if (fault.kind !== 'restart') return;
    node.life += 1;
    node.hold = undefined;
    node.stray = undefined;
    node.observed = undefined;
    node.pausedUntilMs = 0;
    node.state = initialKeeperState(this.#local(node), true);
    this.#feed(node, { kind: 'tick' });
  }

  #rules(node: Node): KeeperRules {
    return {
      selfName: node.identity.name,
      timings: TIMINGS,
      isFailsafe: this.#plan.isFailsafe,
      mayLeadUnlisted: false,
      demoteDelayMs: 10_000,
    };
  }

  #feed(node: Node, input: KeeperInput): void {
    const rules = this.#rules(node);
    const step = stepKeeper(rules, node.state, input, this.#local(node));
    node.state = step.state;
    for (const action of step.actions) this.#perform(node, action);
    const tickMs = nextTickMs(rules, node.state);
    if (tickMs === Infinity) return;
    const delayMs = Math.max(0, tickMs / node.rate - this.#nowMs) + 0.01;
    this.#atNode(node, delayMs, () => {
      if (nextTickMs(rules, node.state) <= this.#local(node)) this.#feed(node, { kind: 'tick' });
    });
  }

  #perform(node: Node, action: KeeperAction): void {
    if (action.kind === 'acquire') this.#acquire(node);
    if (action.kind === 'renew') this.#renew(node);
    if (action.kind === 'ask-peers') this.#askPeers(node, action.epoch);
  }

  /** One exchange with the store; `undefined` when no answer came in time. */
  #exchange<Answer>(
    node: Node,
    serve: () => Answer,
    onAnswer: (answer: Answer | undefined) => void,
  ): void {
    let isAnswered = false;
    const answer = (value: Answer | undefined): void => {
      if (isAnswered) return;
      isAnswered = true;
      onAnswer(value);
    };
    this.#atNode(node, TIMINGS.retryMs / node.rate, () => answer(undefined));
    if (this.#nowMs < node.storeAwayUntilMs) return;
    this.#at(this.#nowMs + this.#latencyMs(), () => {
      this.#expire();
      const value = serve();
      if (this.#nowMs < node.storeAwayUntilMs) return;
      this.#atNode(node, this.#latencyMs(), () => answer(value));
    });
  }

  #expire(): void {
    const store = this.#store;
    if (this.#plan.mode === 'observed' || this.#nowMs < store.endsMs) return;
    store.holder = undefined;
    store.endsMs = Infinity;
    store.version += 1;
  }

  #view(): LeaseView {
    const { holder, epoch, isReleased } = this.#store;
    const members = this.#nodes.map(({ identity }) => identity);
    const base = { epoch, members, isReleased };
    return holder === undefined ? base : { ...base, holder: holder.identity };
  }

  #acquire(node: Node): void {
    const fail = (error: string): AcquireOutcome => ({ kind: 'unknown', error: new Error(error) });
    const finish = (outcome: AcquireOutcome): void =>
      this.#feed(node, { kind: 'acquired', outcome });
    node.stray = node.hold?.lease ?? node.stray;
    node.hold = undefined;
    const read = (): { view: LeaseView; version: number } => {
      const store = this.#store;
      if (node.stray !== undefined && store.lease === node.stray && this.#plan.mode === 'ttl') {
        store.holder = undefined;
        store.version += 1;
      }
      return { view: this.#view(), version: store.version };
    };
    this.#exchange(node, read, (answer) => {
      if (answer === undefined) return finish(fail('read'));
      const { view, version } = answer;
      const local = this.#local(node);
      if (node.observed?.version !== version) node.observed = { version, sinceMs: local };
      const isOver =
        this.#plan.mode === 'observed' && local >= node.observed.sinceMs + TIMINGS.durationMs;
      const isOwn = this.#plan.mode === 'observed' && view.holder?.id === node.identity.id;
      if (view.holder !== undefined && !isOver && !isOwn) {
        return finish({ kind: 'held', holder: view.holder, epoch: view.epoch });
      }
      if (barFor(this.#rules(node), node.state, view, local) !== undefined) {
        return finish({ kind: 'declined' });
      }
      this.#feed(node, { kind: 'may-write', members: view.members });
      this.#take(node, version, Math.max(view.epoch, node.epochFloor) + 1, finish);
    });
  }

  #take(
    node: Node,
    version: number,
    epoch: number,
    finish: (outcome: AcquireOutcome) => void,
  ): void {
    const sentMs = this.#local(node);
    this.#leases += 1;
    const lease = this.#leases;
    node.stray = lease;
    const write = (): boolean => {
      const store = this.#store;
      if (store.version !== version) return false;
      Object.assign(store, { lease, holder: node, epoch, isReleased: false });
      store.version += 1;
      store.endsMs = this.#nowMs + TIMINGS.durationMs;
      this.epochs.push(epoch);
      return true;
    };
    this.#exchange(node, write, (isTaken) => {
      if (isTaken === undefined) return finish({ kind: 'unknown', error: new Error('write') });
      if (!isTaken) return finish({ kind: 'waiting', untilMs: sentMs });
      node.stray = undefined;
      node.hold = { lease, epoch };
      node.epochFloor = epoch;
      finish({ kind: 'acquired', term: { epoch, validUntilMs: validUntilMs(TIMINGS, sentMs) } });
    });
  }

  #renew(node: Node): void {
    const sentMs = this.#local(node);
    const { hold } = node;
    const finish = (outcome: RenewOutcome): void => this.#feed(node, { kind: 'renewed', outcome });
    if (hold === undefined) return finish({ kind: 'lost' });
    const write = (): boolean => {
      const store = this.#store;
      if (store.holder === undefined || store.lease !== hold.lease) return false;
      store.version += 1;
      store.endsMs = this.#nowMs + TIMINGS.durationMs;
      return true;
    };
    this.#exchange(node, write, (isRenewed) => {
      if (isRenewed === undefined) return finish({ kind: 'unknown', error: new Error('renew') });
      if (!isRenewed) return finish({ kind: 'lost' });
      const term = { epoch: hold.epoch, validUntilMs: validUntilMs(TIMINGS, sentMs) };
      finish({ kind: 'renewed', term });
    });
  }

  #askPeers(node: Node, epoch: number): void {
    const askedMs = this.#local(node);
    const waiting = new Set(peersOf(this.#rules(node), node.state).map(({ name }) => name));
    let isAnswered = false;
    const answer = (haveAllAgreed: boolean): void => {
      if (isAnswered) return;
      isAnswered = true;
      this.#feed(node, { kind: 'peers', haveAllAgreed, askedMs });
    };
    this.#atNode(node, TIMINGS.retryMs / node.rate, () => answer(false));
    for (const peer of this.#nodes.filter(({ identity }) => waiting.has(identity.name))) {
      const isCut = (): boolean =>
        this.#nowMs < node.peersAwayUntilMs || this.#nowMs < peer.peersAwayUntilMs;
      if (isCut()) continue;
      this.#atNode(peer, this.#latencyMs(), () => {
        const local = this.#local(peer);
        const untilMs = local + TIMINGS.durationMs;
        const isPossible =
          peer.epochFloor <= epoch &&
          !peer.state.isWriting &&
          canPromise(this.#rules(peer), peer.state, { epoch, untilMs }, local);
        if (!isPossible || isCut()) return;
        this.#feed(peer, { kind: 'promise', untilMs });
        this.#atNode(node, this.#latencyMs(), () => {
          waiting.delete(peer.identity.name);
          if (waiting.size === 0) answer(true);
        });
      });
    }
  }
}
