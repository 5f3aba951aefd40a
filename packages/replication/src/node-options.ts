import type { LeaseStore, LeaseStoreConfig, LeaseTimings, NodeIdentity } from '@tandem/lease';
import type { AcknowledgementPolicy } from './acknowledgements.ts';
import type { DatabaseSetOptions } from './database-set.ts';
import type { Position } from './epoch-history.ts';
import type { StreamTls } from './stream-client.ts';
import type { StreamAccess } from './stream-server.ts';
import type { StreamClock, StreamLog, StreamSettings } from './stream-source.ts';

export interface ReplicationNodeOptions extends Omit<
  DatabaseSetOptions,
  'quarantine' | 'onApplied' | 'leave'
> {
  readonly identity: NodeIdentity;
  readonly store: LeaseStore;
  /** The same store as plain data: the lease is then kept in a thread of its own. */
  readonly threadStore?: LeaseStoreConfig;
  readonly timings: LeaseTimings;
  readonly isCandidate: boolean;
  /** How long a node that gave the lease up to nobody leaves it to others. */
  readonly demoteDelayMs?: number;
  /** Whether a primary whose lease store is away goes on while all its peers agree. */
  readonly isFailsafe: boolean;
  /** How many nodes the cluster has, this one included, for acknowledgement by a majority. */
  readonly clusterSize: number;
  readonly acknowledge: AcknowledgementPolicy;
  /** An id given by the operator. */
  readonly clusterId?: string;
  readonly onClusterMismatch: 'set-aside' | 'refuse';
  readonly access: StreamAccess;
  readonly token?: string;
  readonly tls?: StreamTls;
  readonly repairBytesPerSecond?: number;
  /** The longest pause before a broken stream is opened again. */
  readonly reconnectDelayMs?: number;
  readonly retention: { readonly ageMaxMs: number; readonly bytesMax: number };
  readonly settings?: Partial<StreamSettings>;
  /** The clocks of streams and, unless a thread keeps it, of the lease; by default the system's. */
  readonly streamClock?: StreamClock;
  readonly log: StreamLog;
}

/** Something that happened to a node. */
export type NodeEvent =
  | { readonly kind: 'role'; readonly role: NodeRole; readonly primary: NodeIdentity | undefined }
  | { readonly kind: 'position'; readonly name: string; readonly position: Position }
  | { readonly kind: 'ready' };

/** `none`: there is no primary that this node knows of. */
export type NodeRole = 'primary' | 'replica' | 'none';
