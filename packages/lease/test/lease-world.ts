import type { LeaseStore, LeaseTimings, NodeIdentity } from '../src/index.ts';
import type { FaultGate } from './fault-gate.ts';
import type { ManualClock } from './manual-clock.ts';

/** How a node of a test differs from others. */
export interface NodeSettings {
  readonly wallOffsetMs?: number;
  readonly timings?: LeaseTimings;
  readonly reservationMs?: number;
  readonly requestTimeoutMs?: number;
}

/** A node of a test: one start of one process, with its own view of the lease. */
export interface LeaseNode {
  readonly self: NodeIdentity;
  readonly store: LeaseStore;
}

/** One lease in one lease store, of which the conformance suite knows nothing else. */
export interface LeaseWorld {
  /** The monotonic clock of all nodes. */
  readonly clock: ManualClock;
  readonly gate: FaultGate;
  readonly timings: LeaseTimings;
  join(name: string, settings?: NodeSettings): LeaseNode;
  /** Makes all leases end that are not renewed, as if their holders had died. */
  expire(): Promise<void>;
  /** Somebody deletes all that the store keeps of this lease. */
  forget(): Promise<void>;
  close(): Promise<void>;
}
