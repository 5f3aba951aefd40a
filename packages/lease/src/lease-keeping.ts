import type { RoleChange } from './keeper-machine.ts';
import type { LeaseClock } from './lease-clock.ts';
import type { LeaseStore, LeaseTerm, LeaseView } from './lease-store.ts';
import type { LeaseTimings } from './lease-timings.ts';
import type { NodeIdentity } from './node-identity.ts';
import type { ClockMark } from './term-window.ts';

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
  /** How long a node that gave the lease up to nobody leaves it to others; by default its duration. */
  readonly demoteDelayMs?: number;
  /** False forbids renewals: with a worker, while the main thread shows no life. */
  readonly mayRenew?: () => boolean;
  readonly onChange?: (change: RoleChange) => void;
  /** Each change of until when this node may write; undefined while it may not at all. */
  readonly onWindow?: (window: OpenWindow | undefined) => void;
  /** Each view that the store's watch gives. */
  readonly onView?: (view: LeaseView) => void;
  /** Failures of the store, for the log; each has been answered already. */
  readonly onError?: (error: Error) => void;
  readonly clock?: LeaseClock;
  /** From 0 up to 1; spreads the attempts of candidates. */
  readonly random?: () => number;
}

/** Until when this node may write, on both clocks, and under which epoch. */
export interface OpenWindow extends ClockMark {
  readonly epoch: number;
}

/** What a node asks of whoever keeps its lease, in this thread or in another. */
export interface LeaseKeeping {
  /** The term under which this node leads, valid or not; undefined when it does not lead. */
  readonly term: LeaseTerm | undefined;
  /** What the store last said. */
  readonly view: LeaseView | undefined;
  /**
   * Whether this node may write at this very moment. To be asked before a transaction begins and
   * again right before it commits or is acknowledged; it reads two clocks and nothing else.
   */
  isPrimaryNow(): boolean;
  /**
   * Works until aborted, then gives the lease up if it is held. Whoever aborts has finished what
   * the lease guards, or has handed off before. Once only.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Passes the lease to the node of that name. The right to write ends at once; then `drain`
   * finishes open transactions and confirms that the successor has the last one, while the lease
   * goes on being renewed; then the lease is given up, reserved for the successor.
   *
   * Returns false when the lease was not held, was lost meanwhile, or when `drain` says no; with
   * the last, and when it throws, the right to write comes back.
   *
   * @throws LeaseError `lease_fixed` for a static lease, and what `drain` throws.
   */
  handOff(successorName: string, drain: () => Promise<boolean>): Promise<boolean>;
  /** Gives the lease up after `drain`; others get the first try for `demoteDelayMs`. */
  stepDown(drain: () => Promise<void>): Promise<void>;
  /** Whether this node tries to lead. One that leads already goes on. */
  setCandidate(isCandidate: boolean): void;
  /**
   * Answers a primary whose store is away. True means that this node knows of no higher epoch and
   * does not acquire before `untilMs`, on its own monotonic clock.
   */
  promiseNotToAcquire(epoch: number, untilMs: number): Promise<boolean>;
  /**
   * Records who belongs to the cluster, this node always included. While it is not known whether
   * the store took it, both the old members and the new ones are asked by the fail-safe rule.
   *
   * @throws LeaseError.
   */
  recordMembers(members: readonly NodeIdentity[]): Promise<void>;
}
