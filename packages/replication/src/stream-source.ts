import { systemLeaseClock, type LeaseClock, type NodeIdentity } from '@tandem/lease';
import { EpochHistory, type Position } from './epoch-history.ts';
import { DIGEST_BYTES, differingGroups, differingPages, GROUP_PAGES } from './page-digest.ts';
import {
  outOfPlace,
  type DatabaseHead,
  type NamedPosition,
  type StreamMessage,
  type StreamMessageOf,
} from './stream-message.ts';

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
  /** Stages a page that differs. `data` is of use during the call only. */
  writePage(pgno: number, data: Uint8Array): void;
  /**
   * Makes the database the target: pages written and pages kept, cut to the target's page count.
   * Rejects when the result has another digest than `digest`. Durable when it resolves.
   */
  commit(digest: string): Promise<void>;
  /**
   * Gives up for now, also after a commit that was rejected. What is staged may be kept to spare the
   * next repair its transfer.
   */
  abort(): void;
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

/** What a replica says of one of its databases. */
export interface ReplicaState {
  readonly position: Position;
  readonly history: EpochHistory;
  /** 0: no pages. */
  readonly pageSize: number;
}

/** How a replica's database is brought up to date. */
export type CatchUp =
  /** It has all through this transaction. */
  | { readonly kind: 'follow'; readonly fromTxid: number }
  | { readonly kind: 'repair' }
  | { readonly kind: 'diverged'; readonly sharedTxid: number };

/** A database of the replica as the session sees it. */
export interface FeedStatus {
  readonly name: string;
  readonly state: 'following' | 'repairing';
  /** The last transaction sent. */
  readonly sentTxid: number;
  /** The last one that the replica has confirmed in this session. */
  readonly acknowledged: Position | undefined;
  readonly transactionsBehind: number;
}

export interface PrimarySessionStatus {
  /** Undefined until it has said who it is. */
  readonly node: NodeIdentity | undefined;
  /** Everything there was at the beginning has been sent. */
  readonly isReady: boolean;
  readonly feeds: readonly FeedStatus[];
}

const EMPTY: ReplicaState = {
  position: { epoch: 0, txid: 0 },
  history: EpochHistory.EMPTY,
  pageSize: 0,
};

/** Groups whose page digests are asked for before the pages of the first are sent. */
const QUERIES_AHEAD = 4;

/**
 * Decides how a replica that is at `replica` comes to be where the primary's database is. One that
 * shares nothing is sent pages: the log need not begin with the first transaction.
 */
export function planCatchUp(source: StreamSource, replica: ReplicaState): CatchUp {
  const { txid } = source.position();
  const held = replica.position.txid;
  const shared = source.history().lastShared(replica.history, held, txid);
  if (held > shared) return { kind: 'diverged', sharedTxid: shared };
  const isSameSize = replica.pageSize === source.pageSize();
  return shared > 0 && isSameSize ? { kind: 'follow', fromTxid: shared } : { kind: 'repair' };
}

/** How far one replica has been brought with one database. */
export class DatabaseFeed {
  readonly source: StreamSource;
  readonly plan: CatchUp;
  isRepairing: boolean;
  /** All through this transaction has been sent, or was there. */
  sentTxid: number;
  acknowledged: Position | undefined;
  #sentHistory: EpochHistory | undefined;
  #sentHead = '';

  /** `replica` is undefined when the replica has nothing of it. */
  constructor(source: StreamSource, replica = EMPTY) {
    this.source = source;
    this.plan = planCatchUp(source, replica);
    this.isRepairing = this.plan.kind !== 'follow';
    this.sentTxid = this.plan.kind === 'follow' ? this.plan.fromTxid : 0;
  }

  get status(): FeedStatus {
    const { source, isRepairing, sentTxid, acknowledged } = this;
    return {
      name: source.name,
      state: isRepairing ? 'repairing' : 'following',
      sentTxid,
      acknowledged,
      transactionsBehind: Math.max(0, source.position().txid - (acknowledged?.txid ?? 0)),
    };
  }

  /** What to tell of the database, unless that has been told. */
  newHistory(): StreamMessageOf<'database'> | undefined {
    const { source } = this;
    const history = source.history();
    if (this.#sentHistory === history) return undefined;
    this.#sentHistory = history;
    const { name } = source;
    const pageSize = source.pageSize();
    return { kind: 'database', name, ...source.position(), pageSize, history };
  }

  /** Where the primary is and what is unsent, unless that has been told. */
  newHead(repair: RepairSender | undefined): DatabaseHead | undefined {
    const { source, sentTxid } = this;
    const { name } = source;
    const { epoch, txid } = source.position();
    let unsentBytes = txid > sentTxid ? source.bytesAfter(sentTxid) : 0;
    if (repair?.name === name) ({ unsentBytes } = repair);
    const text = `${epoch} ${txid} ${unsentBytes}`;
    if (text === this.#sentHead) return undefined;
    this.#sentHead = text;
    return { name, epoch, txid, unsentBytes };
  }
}

/** Finds out which pages of a database a replica lacks, and sends those. */
export class RepairSender {
  readonly name: string;
  readonly #view: RepairView;
  readonly #epoch: number;
  readonly #groupDigests: Uint8Array;
  readonly #page: Uint8Array;
  #isBegun = false;
  #isOver = false;
  #held: Uint8Array[] = [];
  /** Groups that differ; undefined until the replica has said what it holds. */
  #groups: number[] | undefined;
  /** The first of them for which the replica has not been asked. */
  #queried = 0;
  /** The first of them whose pages have not been looked at. */
  #compared = 0;
  readonly #answers = new Map<number, Uint8Array | undefined>();
  #pages: number[] = [];

  constructor(source: StreamSource, epoch: number) {
    this.name = source.name;
    this.#epoch = epoch;
    this.#view = source.openView();
    this.#groupDigests = this.#view.groupDigests();
    this.#page = new Uint8Array(this.#view.pageSize);
  }

  get position(): Position {
    return this.#view.position;
  }

  /** All has been sent; the replica has yet to confirm. */
  get isSent(): boolean {
    return this.#isOver;
  }

  /** At most so many bytes of pages are still to be sent. */
  get unsentBytes(): number {
    const { pageCount, pageSize } = this.#view;
    const groups = this.#groups?.length ?? Math.ceil(pageCount / GROUP_PAGES);
    const pages = (groups - this.#compared) * GROUP_PAGES + this.#pages.length;
    return Math.min(pages, pageCount) * pageSize;
  }

  close(): void {
    this.#view.close();
  }

  takeGroups({ isLast, bytes }: StreamMessageOf<'groups'>): void {
    const heldBytes = this.#held.reduce((sum, { length }) => sum + length, bytes.length);
    const isInPlace = this.#isBegun && this.#groups === undefined;
    if (!isInPlace || bytes.length % DIGEST_BYTES !== 0) throw outOfPlace('groups');
    if (heldBytes > this.#groupDigests.length) throw outOfPlace('groups');
    this.#held.push(bytes);
    if (!isLast) return;
    const held = Buffer.concat(this.#held);
    this.#groups = differingGroups(this.#groupDigests, held);
    // A group of which the replica holds nothing needs no question.
    for (const group of this.#groups) {
      const at = group * DIGEST_BYTES;
      const isHeld = held.subarray(at, at + DIGEST_BYTES).some((byte) => byte !== 0);
      if (!isHeld) this.#answers.set(group, new Uint8Array());
    }
    this.#held = [];
  }

  takeDigests({ group, bytes }: StreamMessageOf<'digests'>): void {
    const isAsked = this.#answers.has(group) && this.#answers.get(group) === undefined;
    const isWhole = bytes.length % DIGEST_BYTES === 0 && bytes.length <= DIGEST_BYTES * GROUP_PAGES;
    if (!isAsked || !isWhole) throw outOfPlace('digests');
    this.#answers.set(group, bytes);
  }

  /** The next message; undefined when it depends on what the replica says, or all is sent. */
  next(): StreamMessage | undefined {
    const { name } = this;
    if (!this.#isBegun) return this.#begin();
    if (this.#groups === undefined || this.#isOver) return undefined;
    const query = this.#nextQuery(this.#groups);
    if (query !== undefined) return { kind: 'query', name, groups: query };
    while (this.#pages.length === 0 && this.#compared < this.#groups.length) {
      if (!this.#compareNext(this.#groups[this.#compared] ?? 0)) return undefined;
    }
    const pgno = this.#pages.pop();
    if (pgno === undefined) {
      this.#isOver = true;
      return { kind: 'repaired', name, epoch: this.#epoch, digest: this.#view.digest };
    }
    this.#view.readPage(pgno, this.#page);
    return { kind: 'page', name, pgno, bytes: this.#page };
  }

  #begin(): StreamMessage {
    this.#isBegun = true;
    const { position, history, pageSize, pageCount } = this.#view;
    const { epoch: positionEpoch, txid } = position;
    const { name } = this;
    const epoch = this.#epoch;
    return { kind: 'repair', name, epoch, positionEpoch, txid, pageSize, pageCount, history };
  }

  #nextQuery(groups: readonly number[]): number[] | undefined {
    const end = Math.min(groups.length, this.#compared + QUERIES_AHEAD);
    const ahead = groups.slice(this.#queried, Math.max(end, this.#queried));
    this.#queried += ahead.length;
    const unknown = ahead.filter((group) => !this.#answers.has(group));
    for (const group of unknown) this.#answers.set(group, undefined);
    return unknown.length > 0 ? unknown : undefined;
  }

  #compareNext(group: number): boolean {
    const held = this.#answers.get(group);
    if (held === undefined) return false;
    this.#answers.delete(group);
    this.#compared += 1;
    const wanted = this.#view.pageDigests(group);
    // Digests of absent pages are zeros, on either side and beyond the end.
    const padded = new Uint8Array(wanted.length);
    padded.set(held.subarray(0, wanted.length));
    this.#pages = differingPages(group, wanted, padded)
      .filter((pgno) => pgno <= this.#view.pageCount)
      .reverse();
    return true;
  }
}
