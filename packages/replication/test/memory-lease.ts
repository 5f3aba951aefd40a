import {
  type AcquireOutcome,
  type LeaseStore,
  type LeaseView,
  type MayLead,
  type NodeIdentity,
  type ReleaseOptions,
  type RenewOutcome,
  systemLeaseClock,
} from '@tandem/lease';
import { TEST_TIMINGS } from './cluster.ts';

/** A lease store of one process, in the place of etcd: the same rules, without the network. */
export class MemoryLeases {
  holder: NodeIdentity | undefined;
  epoch = 0;
  expiresMs = 0;
  successorName: string | undefined;
  clusterId: string | undefined;
  members: readonly NodeIdentity[] = [];
  /** Names of nodes that cannot reach the store. */
  readonly unreachable = new Set<string>();
  readonly #watchers = new Set<() => void>();

  store(self: NodeIdentity): LeaseStore {
    return new MemoryLease(this, self);
  }

  get isTaken(): boolean {
    return this.holder !== undefined && systemLeaseClock.monotonicMs() < this.expiresMs;
  }

  get view(): LeaseView {
    const { holder, epoch, clusterId, members, successorName } = this;
    return {
      epoch,
      members,
      isReleased: holder === undefined,
      ...(holder === undefined ? {} : { holder }),
      ...(clusterId === undefined ? {} : { clusterId }),
      ...(successorName === undefined ? {} : { successorName }),
    };
  }

  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => void this.#watchers.delete(onChange);
  }

  changed(): void {
    for (const onChange of this.#watchers) onChange();
  }
}

class MemoryLease implements LeaseStore {
  readonly kind = 'etcd';
  readonly #leases: MemoryLeases;
  readonly #self: NodeIdentity;

  constructor(leases: MemoryLeases, self: NodeIdentity) {
    this.#leases = leases;
    this.#self = self;
  }

  async acquire(epochFloor: number, mayLead?: MayLead): Promise<AcquireOutcome> {
    const leases = this.#leases;
    if (this.#isCutOff) return { kind: 'unknown', error: new Error('cut off') };
    if (leases.isTaken && leases.holder !== undefined) {
      return { kind: 'held', holder: leases.holder, epoch: leases.epoch };
    }
    const { successorName } = leases;
    const isReserved = successorName !== undefined && successorName !== this.#self.name;
    if (isReserved) return { kind: 'reserved', successorName };
    if (mayLead !== undefined && !(await mayLead(leases.view))) return { kind: 'declined' };
    if (leases.isTaken) return { kind: 'unknown', error: new Error('another was faster') };
    leases.epoch = Math.max(leases.epoch, epochFloor) + 1;
    leases.holder = this.#self;
    leases.successorName = undefined;
    return { kind: 'acquired', term: this.#extend() };
  }

  async renew(): Promise<RenewOutcome> {
    if (this.#isCutOff) return { kind: 'unknown', error: new Error('cut off') };
    if (!this.#isHolder || !this.#leases.isTaken) return { kind: 'lost' };
    return { kind: 'renewed', term: this.#extend() };
  }

  async release({ successorName }: ReleaseOptions = {}): Promise<void> {
    if (!this.#isHolder) return;
    this.#leases.holder = undefined;
    this.#leases.successorName = successorName;
    this.#leases.changed();
  }

  async observe(): Promise<LeaseView> {
    if (this.#isCutOff) throw new Error('cut off');
    return this.#leases.view;
  }

  async watch(onChange: (view: LeaseView) => void, signal: AbortSignal): Promise<void> {
    const tell = (): void => {
      if (!this.#isCutOff) onChange(this.#leases.view);
    };
    tell();
    const stop = this.#leases.watch(tell);
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    stop();
  }

  async claimClusterId(candidate: string): Promise<string> {
    this.#leases.clusterId ??= candidate;
    return this.#leases.clusterId;
  }

  async recordMembers(members: readonly NodeIdentity[]): Promise<void> {
    this.#leases.members = members;
  }

  async close(): Promise<void> {}

  get #isCutOff(): boolean {
    return this.#leases.unreachable.has(this.#self.name);
  }

  get #isHolder(): boolean {
    return this.#leases.holder?.id === this.#self.id;
  }

  #extend(): { epoch: number; validUntilMs: number } {
    const nowMs = systemLeaseClock.monotonicMs();
    this.#leases.expiresMs = nowMs + TEST_TIMINGS.durationMs;
    this.#leases.changed();
    const { epoch } = this.#leases;
    return { epoch, validUntilMs: nowMs + TEST_TIMINGS.durationMs - TEST_TIMINGS.marginMs };
  }
}
