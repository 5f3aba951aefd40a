import type { NodeIdentity } from './node-identity.ts';

/** The right to be primary for one epoch. */
export interface LeaseTerm {
  /** The fencing number. It rises with each term of the cluster and is never used twice. */
  readonly epoch: number;
  /**
   * Until when the holder may act, on the store's monotonic clock: counted from the moment the
   * last successful request was *sent*, less the margin. Infinite for a static lease.
   */
  readonly validUntilMs: number;
}

/** What one attempt to acquire came to. */
export type AcquireOutcome =
  | { readonly kind: 'acquired'; readonly term: LeaseTerm }
  /** Another node holds it; `epoch` is that holder's. */
  | { readonly kind: 'held'; readonly holder: NodeIdentity; readonly epoch: number }
  /** Nobody holds it, and for now only the named node may take it. */
  | { readonly kind: 'reserved'; readonly successorName: string }
  /** Nobody seems to hold it, but it may not be taken before `untilMs`, on the monotonic clock. */
  | { readonly kind: 'waiting'; readonly untilMs: number }
  /** The caller's `mayLead` said no; nothing was written. */
  | { readonly kind: 'declined' }
  /** The store gave no usable answer; it may or may not have acted. */
  | { readonly kind: 'unknown'; readonly error: Error };

/** What one attempt to renew came to. */
export type RenewOutcome =
  | { readonly kind: 'renewed'; readonly term: LeaseTerm }
  /** The lease is gone for certain; `holder` is who has it now, if anyone. */
  | { readonly kind: 'lost'; readonly holder?: NodeIdentity }
  /** The store gave no usable answer. The term goes on until it ends by itself. */
  | { readonly kind: 'unknown'; readonly error: Error };

/** What a lease store says, in one read. */
export interface LeaseView {
  /** Who is recorded as holder. It may have died since. */
  readonly holder?: NodeIdentity;
  /** The highest epoch recorded; 0 before the first. */
  readonly epoch: number;
  readonly clusterId?: string;
  /** The nodes that the primary last recorded, itself included; empty when it never did. */
  readonly members: readonly NodeIdentity[];
  /** Nobody holds the lease because the last holder gave it up, and not because it fell silent. */
  readonly isReleased: boolean;
  /** For whom the last holder reserved it. */
  readonly successorName?: string;
}

/** Asked before the lease is taken; 'no' leaves it as it is. */
export type MayLead = (view: LeaseView) => Promise<boolean>;

export type LeaseKind = 'static' | 'kubernetes' | 'etcd' | 'consul';

/** How a lease is given up. */
export interface ReleaseOptions {
  /** Only the node of this name may acquire during the reservation of the store's settings. */
  readonly successorName?: string;
}

/**
 * Where it is recorded who is primary, seen from one node. Calls of one store come one after the
 * other, but `observe`, `watch`, `claimClusterId` and `recordMembers` may overlap with any.
 */
export interface LeaseStore {
  readonly kind: LeaseKind;
  /**
   * Tries once. The new epoch is above `epochFloor` (the highest in the caller's own log) and
   * above everything that the store has shown, and is written in the same update as the holder (L3).
   */
  acquire(epochFloor: number, mayLead?: MayLead): Promise<AcquireOutcome>;
  /** Renews what `acquire` got. After a request without answer it looks before it decides. */
  renew(): Promise<RenewOutcome>;
  /**
   * Gives the lease up; does nothing when it is not held.
   *
   * @throws LeaseError when the store did not take it; the lease then ends by itself.
   */
  release(options?: ReleaseOptions): Promise<void>;
  /** @throws LeaseError when the store gave no usable answer. */
  observe(): Promise<LeaseView>;
  /**
   * Calls back with the state at first and after each change, until aborted. It reconnects by
   * itself, tells failures to `onError` once per attempt, and never throws for them.
   */
  watch(
    onChange: (view: LeaseView) => void,
    signal: AbortSignal,
    onError?: (error: Error) => void,
  ): Promise<void>;
  /**
   * Records the id of the cluster if there is none yet, and returns the one in force. A static
   * lease keeps none: it returns the candidate, and the caller keeps it on disk.
   *
   * @throws LeaseError when the store gave no usable answer.
   */
  claimClusterId(candidate: string): Promise<string>;
  /**
   * Records who belongs to the cluster, for the fail-safe rule; only the holder may.
   *
   * @throws LeaseError `lease_not_held`, or when the store gave no usable answer.
   */
  recordMembers(members: readonly NodeIdentity[]): Promise<void>;
  /** Lets go of connections. The lease itself stays as it is. */
  close(): Promise<void>;
}
