import { systemLeaseClock, type LeaseClock, type NodeIdentity } from '@tandem/lease';
import type { EpochHistory, Position } from './epoch-history.ts';
import type { NamedPosition } from './stream-message.ts';

/** What a stream needs of time. */
export interface StreamClock extends LeaseClock {
  /** Calls back once after `delayMs`, unless the returned function is called first. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The clocks and timers of this thread. */
export const systemStreamClock: StreamClock = {
  ...systemLeaseClock,
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** One piece of a database's log. */
export interface LoggedFile {
  readonly minTxid: number;
  readonly maxTxid: number;
  /** When the last transaction was made, by the clock of the node that made it. */
  readonly timestampMs: number;
  /** The LTX file. It does not change any more. */
  readonly bytes: Uint8Array;
}

/** A database of the primary, as its streams see it. */
export interface StreamSource {
  /** Relative path with '/' between folders. */
  readonly name: string;
  /** The last captured transaction. */
  position(): Position;
  /** The same object as long as it is the same history. */
  history(): EpochHistory;
  pageSize(): number;
  /** Pages of the database at the position. */
  pageCount(): number;
  /**
   * The file of the log that holds `txid`, which may cover several transactions and begin before it;
   * undefined when the log has it no longer, or the file is too large to be sent as such.
   */
  readHolding(txid: number): LoggedFile | undefined;
  /** How many bytes of the log come after `txid`. An estimate will do: it is shown as lag. */
  bytesAfter(txid: number): number;
  /** Opens a view of one position for a repair. It costs room until it is closed. */
  openView(): RepairView;
}

/** A database as it is at one position, whatever is written meanwhile. */
export interface RepairView {
  readonly position: Position;
  /** The history that names `position`. */
  readonly history: EpochHistory;
  readonly pageSize: number;
  readonly pageCount: number;
  /** Names the content: what a copy's digest must be. */
  readonly digest: string;
  /** 16 bytes for each group of 1,024 pages, the last one included. */
  groupDigests(): Uint8Array;
  /** 16 bytes for each page of the group; zeros for SQLite's lock page. */
  pageDigests(group: number): Uint8Array;
  /** Copies a page to `into`, which has `pageSize` bytes. */
  readPage(pgno: number, into: Uint8Array): void;
  /** Copies pages in a row, from `pgno` on, as many as `into` has room for. */
  readPages(pgno: number, into: Uint8Array): void;
  close(): void;
}

/** An LTX file that has come from the primary, and what came with it. */
export interface ArrivedFile {
  readonly minTxid: number;
  readonly maxTxid: number;
  readonly bytes: Uint8Array;
  /** The epoch that wrote `maxTxid`. */
  readonly epoch: number;
  readonly timestampMs: number;
  /** The primary's history. After the file the database's own is this, adopted through `maxTxid`. */
  readonly history: EpochHistory;
}

/** What a repair makes of a database. */
export interface RepairTarget {
  readonly position: Position;
  readonly history: EpochHistory;
  readonly pageSize: number;
  readonly pageCount: number;
}

/**
 * A database of a replica, as its stream sees it. No two calls overlap: the next is made when the
 * promise of the one before has settled, and no call is cut short when the stream breaks.
 */
export interface StreamSink {
  readonly name: string;
  position(): Position;
  history(): EpochHistory;
  /**
   * 0 while there are no pages. After `beginRepair`, this and the digests are those of the pages from
   * which the repair starts: what an earlier, broken repair has left, else the database itself.
   */
  pageSize(): number;
  /** 16 bytes for each group of 1,024 pages. */
  groupDigests(): Uint8Array;
  /** 16 bytes for each page of the group; zeros for SQLite's lock page and those that are absent. */
  pageDigests(group: number): Uint8Array;
  /**
   * Logs and applies files that follow one another, at least one, all of one epoch and history; they
   * may become one. The first may hold transactions that are here already. They are durable when it
   * returns or resolves.
   */
  apply(files: readonly ArrivedFile[]): void | Promise<void>;
  /** The primary's history has changed; this database holds a prefix of the primary's. */
  adoptHistory(history: EpochHistory): void | Promise<void>;
  /** Sets aside the transactions after `sharedTxid`. A repair follows. */
  quarantineAfter(sharedTxid: number): void | Promise<void>;
  /** Readers go on seeing the database as it is until the repair is committed. */
  beginRepair(target: RepairTarget): RepairWriter;
}

/** A repair in progress on a replica. */
export interface RepairWriter {
  /**
   * Stages pages that differ, from `pgno` on; `bytes` are those of one or more in a row, of use during
   * the call only. It resolves when there is room for more.
   */
  writePages(pgno: number, bytes: Uint8Array): void | Promise<void>;
  /**
   * Makes the database the target: pages written and pages kept, cut to the target's page count.
   * Rejects when the result has another digest than `digest`. Durable when it resolves.
   */
  commit(digest: string): Promise<void>;
  /**
   * Gives up for now, also after a commit that was rejected. What is staged may be kept to spare the
   * next repair its transfer; it is known when this returns or resolves.
   */
  abort(): void | Promise<void>;
}

/** What a stream reports of its replica. */
export interface ReplicaAcknowledgements {
  /** The replica has everything of the database through `position`, durably. */
  acknowledge(name: string, position: Position): void;
  /** The database on the replica is gone or being replaced: what it had counts no longer. */
  forget(name: string): void;
  /** The stream has ended: the replica counts no longer. */
  detach(): void;
}

/** A node that is primary, as its streams see it. It lives as long as the term. */
export interface StreamPrimary {
  readonly identity: NodeIdentity;
  readonly clusterId: string;
  /** The epoch of its term. */
  readonly epoch: number;
  /** Where streams report to: an `Acknowledgements`. */
  readonly acknowledgements: { attach(nodeName: string): ReplicaAcknowledgements };
  databases(): Iterable<StreamSource>;
  database(name: string): StreamSource | undefined;
  /** The nodes of the cluster that are known, itself included. */
  members(): readonly NodeIdentity[];
  /** Another primary has been: this node must step down. */
  outdated(epoch: number, by: NodeIdentity): void;
}

/** What a primary says of itself when it takes a replica on. */
export interface Welcome {
  readonly clusterId: string;
  readonly epoch: number;
  readonly node: NodeIdentity;
  readonly members: readonly NodeIdentity[];
}

/** The primary asks this replica to take over; it writes nothing after these positions. */
export interface HandOffOffer {
  readonly epoch: number;
  readonly positions: readonly NamedPosition[];
}

/** A node that is a replica, as its stream sees it. */
export interface StreamReplica {
  readonly identity: NodeIdentity;
  /** Undefined until it has joined a cluster. */
  clusterId(): string | undefined;
  /** The highest epoch it has seen anywhere. */
  highestEpoch(): number;
  databases(): Iterable<StreamSink>;
  /** The database of that name, made empty when there is none. */
  open(name: string): StreamSink | Promise<StreamSink>;
  /** The primary no longer has this database, or never had. */
  drop(name: string): void | Promise<void>;
  /**
   * The primary is of another cluster and has not taken this node on. The node may set its data
   * aside, so that `clusterId` is none and `databases` is empty: the next stream then joins.
   */
  clusterDiffers?(primaryClusterId: string): void | Promise<void>;
  /** Takes over the cluster id if it has none, and remembers the epoch. */
  welcomed(welcome: Welcome): void | Promise<void>;
  membersChanged(members: readonly NodeIdentity[]): void;
  /** Everything that the primary had when the stream began is applied. */
  ready(): void;
  /** All positions of the offer are held. Rejects when the node cannot take over. */
  handOff(offer: HandOffOffer): void | Promise<void>;
}

/** An occasion to log, at the level the stream proposes. */
export type StreamLog = (
  level: 'info' | 'warn',
  message: string,
  facts: Readonly<Record<string, string | number>>,
) => void;

/** Times and sizes of a stream, the same on both sides. */
export interface StreamSettings {
  /** Between two signs of life. */
  readonly heartbeatMs: number;
  /** A side that hears nothing for so long ends the stream. */
  readonly silenceMsMax: number;
  /** What waits in memory for a slow socket before the sender pauses. */
  readonly sendBufferBytesMax: number;
  /** A longer LTX file is not sent or taken; pages that differ are sent instead. */
  readonly ltxBytesMax: number;
  /** How long a stream that ends waits for its last bytes to leave. */
  readonly lingerMs: number;
}

export const STREAM_SETTINGS: StreamSettings = {
  heartbeatMs: 1000,
  silenceMsMax: 10_000,
  sendBufferBytesMax: 1 << 20,
  ltxBytesMax: 1 << 30,
  lingerMs: 2000,
};
