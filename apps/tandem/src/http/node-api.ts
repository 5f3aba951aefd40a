import type { NodeIdentity } from '@tandem/lease';
import type { ProxyMetrics } from '@tandem/proxy';
import type { NodeRole, QuarantineKind } from '@tandem/replication';

/** The name of a state of a database. */
export interface NodePosition {
  readonly epoch: number;
  readonly txid: number;
}

/** How far a database is behind the primary's; all zeros on the primary. */
export interface NodeLag {
  readonly transactions: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** What a node keeps of a database's transactions. */
export interface LogExtent {
  readonly fileCount: number;
  readonly bytes: number;
  /** The first and last transaction in it; both 0 when it is empty. */
  readonly minTxid: number;
  readonly maxTxid: number;
}

/** A database of the node. */
export interface DatabaseStatus {
  /** Relative path with '/' between folders. */
  readonly name: string;
  readonly position: NodePosition;
  /** The rolling checksum of LTX as 16 hexadecimal digits, where it is at hand. */
  readonly checksum?: string;
  readonly pageSize: number;
  readonly pageCount: number;
  /** When the last transaction was made, in Unix milliseconds, where that is at hand. */
  readonly changedAtMs?: number;
  /** Undefined on a replica that has not heard of any primary yet. */
  readonly lag: NodeLag | undefined;
  readonly log: LogExtent;
  /** Transactions of applications captured here since the database was opened. */
  readonly commitCount: number;
  /** The SQLite that wrote its first page last; undefined when nobody has. */
  readonly sqlite: { readonly version: string; readonly hasWalResetBug: boolean } | undefined;
}

/** A replica that is connected to this node, which is primary. */
export interface ReplicaStatus {
  readonly node: NodeIdentity;
  /** Whether it has had everything there was when it connected. */
  readonly isReady: boolean;
  readonly databases: readonly ReplicaDatabaseStatus[];
}

/** One database of a connected replica. */
export interface ReplicaDatabaseStatus {
  readonly name: string;
  readonly state: 'following' | 'repairing';
  readonly acknowledged: NodePosition | undefined;
  readonly transactionsBehind: number;
}

/** How writes are confirmed, and how that is going. */
export interface AcknowledgementStatus {
  readonly mode: 'none' | 'one' | 'majority';
  readonly timeoutMs: number;
  readonly onTimeout: 'degrade' | 'block';
  /** Totals of the present term; undefined while this node is not primary. */
  readonly counts:
    | {
        readonly acknowledged: number;
        readonly degraded: number;
        readonly waiting: number;
        readonly blocked: number;
      }
    | undefined;
  /** Databases whose last transactions are not confirmed as the mode wants. */
  readonly degradedNames: readonly string[];
}

/** Things that happen to a node and are counted since the start of the process. */
export const NODE_COUNTERS = {
  roleChanges: 'Times that this node became primary or stopped being primary.',
  handOffs: 'Hand-offs that this node, as primary, completed.',
  handOffsFailed: 'Hand-offs that this node, as primary, was asked for and that failed.',
  streamsOpened: 'Streams from a primary that have begun.',
  transactionsApplied: 'Transactions of a primary that this node has applied.',
  repairs: 'Databases brought in step by sending the pages that differ, or all.',
  foreignWrites: 'Writes of applications on a replica that were found and set aside.',
  walRestarts: 'Times that the WAL of a database began anew, all of it having been captured.',
  gaps: 'Databases that had changed unseen before the start, so that all pages were compared.',
  databasesRefused: 'Databases found that could not be replicated at the first try.',
  transactionsLostToBackup:
    'Transactions that went from the log before they were backed up, as it had no room.',
} as const;

export type NodeCounter = keyof typeof NODE_COUNTERS;

/** Everything the interface tells of a node. */
export interface NodeStatus {
  /** The program's version. */
  readonly version: string;
  readonly startedAtMs: number;
  readonly identity: NodeIdentity;
  /** Undefined until the node has joined a cluster. */
  readonly clusterId: string | undefined;
  readonly role: NodeRole;
  readonly isCandidate: boolean;
  readonly leaseKind: 'static' | 'kubernetes' | 'etcd' | 'consul';
  /** The folder with the databases. */
  readonly folder: string;
  /** Of the present term, or the highest that this node has heard of. */
  readonly epoch: number;
  readonly highestEpoch: number;
  /** The primary, this node included; undefined when none is known. */
  readonly primary: NodeIdentity | undefined;
  /** What keeps this node from being ready, as sentences. Empty: it is ready. */
  readonly obstacles: readonly string[];
  /** The stream from the primary, in a word: `following`, `catching-up`, `connecting`, `idle`. */
  readonly streamState: string;
  readonly databases: readonly DatabaseStatus[];
  /** The nodes of the cluster as the lease knows them. */
  readonly members: readonly NodeIdentity[];
  /** Empty on a replica. */
  readonly replicas: readonly ReplicaStatus[];
  readonly acknowledgement: AcknowledgementStatus;
  readonly counters: Readonly<Record<NodeCounter, number>>;
  /** Cases set aside since the start of the process. */
  readonly quarantines: Readonly<Record<QuarantineKind, number>>;
  /** Undefined when there is no proxy. */
  readonly proxy?: ProxyMetrics;
}

/** What this node tells others of itself: the answer of `GET /tandem/position`. */
export interface NodeReport {
  readonly name: string;
  readonly clusterId: string | undefined;
  readonly highestEpoch: number;
  readonly positions: Readonly<Record<string, NodePosition>>;
}

/** Something that changed on the node. The events of a `ReplicationNode` are of this form. */
export type NodeChange =
  | { readonly kind: 'role' }
  /** The database has transactions through a new one; several at once are one change. */
  | { readonly kind: 'position'; readonly name: string; readonly position: NodePosition }
  | { readonly kind: 'ready' };

/** A copy of a database as it is at one position, for a download. */
export interface DatabaseCopy {
  readonly position: NodePosition;
  readonly sizeBytes: number;
  /** The file's bytes from the first to the last. Read once at most. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Lets go of the copy, read or not. Called exactly once. */
  readonly close: () => void | Promise<void>;
}

/** The question of a primary whose lease store is away. */
export interface FailsafeQuestion {
  readonly epoch: number;
  readonly durationMs: number;
}

/**
 * The node as the HTTP interface sees it. Methods that fail throw an `HttpApiError`, or any BaseError,
 * whose message and hint the client is then told.
 */
export interface NodeApi {
  /** What the node is now. Cheap enough for every request. */
  status(): NodeStatus;
  /** The same of one database; undefined when there is none of that name. Called for each transaction. */
  database(name: string): DatabaseStatus | undefined;
  report(): NodeReport;
  /** Calls back on each change, until the returned function is called. */
  listen(listener: (change: NodeChange) => void): () => void;
  /**
   * Makes this node primary by asking the primary for a hand-off; resolves when it is. The caller
   * has seen that this node is a candidate and that another one is primary.
   */
  promote(signal: AbortSignal): Promise<void>;
  /** Makes the node of that name primary, or the one that is most in step. This node is primary. */
  handOff(name: string | undefined, signal: AbortSignal): Promise<void>;
  /** Undefined when there is no database of that name. */
  copyDatabase(name: string, signal: AbortSignal): Promise<DatabaseCopy | undefined>;
  /**
   * Checks that the file at `path` is a sound database and puts it in the place of the one named, or
   * adds it, as one transaction. The file is removed by the caller afterwards. This node is primary.
   *
   * @returns the position with it
   * @throws HttpApiError `not_a_database` when it is none, or is damaged.
   */
  importDatabase(name: string, path: string, signal: AbortSignal): Promise<NodePosition>;
  /** Whether this node acknowledges the epoch and will not take the lease for that time. */
  acknowledgeFailsafe(question: FailsafeQuestion): Promise<boolean>;
}
