import {
  type AcquireOutcome,
  type LeaseStore,
  type LeaseTimings,
  type LeaseView,
  type MayLead,
  type NodeIdentity,
  type ReleaseOptions,
  type RenewOutcome,
  systemLeaseClock,
} from '@tandem/lease';
import { TEST_TIMINGS } from './cluster.ts';
import { asPresentNode } from './fault-network.ts';

/** What a node asks of the store, as plain data. */
export type LeaseQuestion =
  | { readonly kind: 'look' | 'renew' | 'view' }
  | { readonly kind: 'take'; readonly epoch: number; readonly above: number }
  | { readonly kind: 'release'; readonly successorName: string }
  | { readonly kind: 'claim'; readonly clusterId: string }
  | { readonly kind: 'record'; readonly members: readonly NodeIdentity[] };

/** What it answers. */
export type LeaseAnswer =
  | { readonly kind: 'free' | 'view'; readonly view: LeaseView }
  | { readonly kind: 'held'; readonly holder: NodeIdentity; readonly epoch: number }
  | { readonly kind: 'reserved'; readonly successorName: string }
  | { readonly kind: 'yours'; readonly epoch: number }
  | { readonly kind: 'claimed'; readonly clusterId: string }
  | { readonly kind: 'lost' | 'done' };

/** How one node reaches the store; rejects when it does not. */
export interface LeaseLink {
  ask(question: LeaseQuestion): Promise<LeaseAnswer>;
  /** Calls back with the state at first and after each change. */
  watch(onChange: (view: LeaseView) => void): () => void;
}

/** A lease store of one process, in the place of etcd: the same rules, without the network. */
export class MemoryLeases {
  holder: NodeIdentity | undefined;
  epoch = 0;
  expiresMs = 0;
  successorName: string | undefined;
  clusterId: string | undefined;
  members: readonly NodeIdentity[] = [];
  /** Names of nodes whose requests do not arrive. */
  readonly unreachable = new Set<string>();
  /** Names of nodes whose requests arrive, and the answers do not. */
  readonly mute = new Set<string>();
  readonly #timings: LeaseTimings;
  readonly #watchers = new Set<() => void>();
  #isReleased = false;
  #successorUntilMs = 0;
  #expiry: NodeJS.Timeout | undefined;

  constructor(timings: LeaseTimings = TEST_TIMINGS) {
    this.#timings = timings;
  }

  store(self: NodeIdentity): LeaseStore {
    return new MemoryLease(self, this.#timings, this.link(self));
  }

  link(self: NodeIdentity): LeaseLink {
    const { name } = self;
    return {
      ask: async (question) => {
        if (this.unreachable.has(name)) throw new Error('cut off');
        const answer = this.answer(self, question);
        if (this.mute.has(name)) throw new Error('no answer');
        return answer;
      },
      watch: (onChange) => {
        const tell = asPresentNode(() => {
          if (!this.unreachable.has(name) && !this.mute.has(name)) onChange(this.view);
        });
        tell();
        this.#watchers.add(tell);
        return () => void this.#watchers.delete(tell);
      },
    };
  }

  get isTaken(): boolean {
    return this.holder !== undefined && systemLeaseClock.monotonicMs() < this.expiresMs;
  }

  get view(): LeaseView {
    const { holder, epoch, clusterId, members, successorName } = this;
    return {
      epoch,
      members,
      isReleased: this.#isReleased,
      ...(holder === undefined ? {} : { holder }),
      ...(clusterId === undefined ? {} : { clusterId }),
      ...(successorName === undefined ? {} : { successorName }),
    };
  }

  /** What the store does, and says. */
  answer(self: NodeIdentity, question: LeaseQuestion): LeaseAnswer {
    const isHolder = this.holder?.id === self.id && this.isTaken;
    switch (question.kind) {
      case 'view':
        return { kind: 'view', view: this.view };
      case 'look':
        return this.#look(self);
      case 'take': {
        const seen = this.#look(self);
        if (seen.kind !== 'free') return seen;
        if (question.epoch !== this.epoch) return { kind: 'lost' };
        this.epoch = Math.max(this.epoch, question.above) + 1;
        this.holder = self;
        this.successorName = undefined;
        this.#isReleased = false;
        return this.#extend();
      }
      case 'renew':
        return isHolder ? this.#extend() : { kind: 'lost' };
      case 'release':
        if (!isHolder) return { kind: 'lost' };
        this.#free(true);
        this.successorName = question.successorName === '' ? undefined : question.successorName;
        this.#successorUntilMs = systemLeaseClock.monotonicMs() + this.#timings.durationMs;
        this.changed();
        return { kind: 'done' };
      case 'claim':
        this.clusterId ??= question.clusterId;
        this.changed();
        return { kind: 'claimed', clusterId: this.clusterId };
      case 'record':
        if (!isHolder) return { kind: 'lost' };
        this.members = question.members;
        this.changed();
        return { kind: 'done' };
    }
  }

  /** Tells all nodes that are not cut off. */
  changed(): void {
    for (const onChange of this.#watchers) onChange();
  }

  close(): void {
    clearTimeout(this.#expiry);
  }

  #look(self: NodeIdentity): LeaseAnswer {
    const { holder, epoch, successorName } = this;
    if (holder !== undefined && this.isTaken) return { kind: 'held', holder, epoch };
    const isReserved =
      successorName !== undefined &&
      successorName !== self.name &&
      systemLeaseClock.monotonicMs() < this.#successorUntilMs;
    if (isReserved) return { kind: 'reserved', successorName };
    return { kind: 'free', view: this.view };
  }

  #extend(): LeaseAnswer {
    this.expiresMs = systemLeaseClock.monotonicMs() + this.#timings.durationMs;
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#expire(), this.#timings.durationMs + 1);
    this.#expiry.unref();
    this.changed();
    return { kind: 'yours', epoch: this.epoch };
  }

  /** A holder that fell silent is no holder any more, as a key of etcd goes with its lease. */
  #expire(): void {
    if (this.isTaken || this.holder === undefined) return;
    this.#free(false);
    this.changed();
  }

  #free(isReleased: boolean): void {
    this.holder = undefined;
    this.#isReleased = isReleased;
  }
}

/** A lease store as one node sees it, in the process of the store or in another. */
export class MemoryLease implements LeaseStore {
  readonly kind = 'etcd';
  readonly #self: NodeIdentity;
  readonly #timings: LeaseTimings;
  readonly #link: LeaseLink;

  constructor(self: NodeIdentity, timings: LeaseTimings, link: LeaseLink) {
    this.#self = self;
    this.#timings = timings;
    this.#link = link;
  }

  async acquire(epochFloor: number, mayLead?: MayLead): Promise<AcquireOutcome> {
    try {
      const seen = await this.#link.ask({ kind: 'look' });
      if (seen.kind === 'held' || seen.kind === 'reserved') return seen;
      if (seen.kind !== 'free') return { kind: 'unknown', error: new Error(seen.kind) };
      if (mayLead !== undefined && !(await mayLead(seen.view))) return { kind: 'declined' };
      const { epoch } = seen.view;
      const sentMs = systemLeaseClock.monotonicMs();
      const taken = await this.#link.ask({ kind: 'take', epoch, above: epochFloor });
      if (taken.kind === 'held' || taken.kind === 'reserved') return taken;
      if (taken.kind !== 'yours') return { kind: 'unknown', error: new Error(taken.kind) };
      return { kind: 'acquired', term: this.#term(taken.epoch, sentMs) };
    } catch (error) {
      return { kind: 'unknown', error: asError(error) };
    }
  }

  async renew(): Promise<RenewOutcome> {
    const sentMs = systemLeaseClock.monotonicMs();
    try {
      const answer = await this.#link.ask({ kind: 'renew' });
      if (answer.kind !== 'yours') return { kind: 'lost' };
      return { kind: 'renewed', term: this.#term(answer.epoch, sentMs) };
    } catch (error) {
      return { kind: 'unknown', error: asError(error) };
    }
  }

  async release({ successorName = '' }: ReleaseOptions = {}): Promise<void> {
    await this.#link.ask({ kind: 'release', successorName });
  }

  async observe(): Promise<LeaseView> {
    const answer = await this.#link.ask({ kind: 'view' });
    if (answer.kind !== 'view') throw new Error(answer.kind);
    return answer.view;
  }

  async watch(onChange: (view: LeaseView) => void, signal: AbortSignal): Promise<void> {
    const stop = this.#link.watch(onChange);
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    stop();
  }

  async claimClusterId(candidate: string): Promise<string> {
    const answer = await this.#link.ask({ kind: 'claim', clusterId: candidate });
    if (answer.kind !== 'claimed') throw new Error(answer.kind);
    return answer.clusterId;
  }

  async recordMembers(members: readonly NodeIdentity[]): Promise<void> {
    const answer = await this.#link.ask({ kind: 'record', members });
    if (answer.kind !== 'done') throw new Error(`${this.#self.name} does not hold the lease`);
  }

  async close(): Promise<void> {}

  #term(epoch: number, sentMs: number): { epoch: number; validUntilMs: number } {
    const { durationMs, marginMs } = this.#timings;
    return { epoch, validUntilMs: sentMs + durationMs - marginMs };
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
