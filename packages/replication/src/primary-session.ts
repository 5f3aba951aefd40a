import { assert } from '@tandem/base';
import type { NodeIdentity } from '@tandem/lease';
import { EpochHistory, type Position } from './epoch-history.ts';
import type { MessageSocket } from './message-framing.ts';
import { DIGEST_BYTES, differingGroups, differingPages, GROUP_PAGES } from './page-digest.ts';
import {
  describeFailure,
  outOfPlace,
  POSITIONS_MAX,
  PROTOCOL_VERSION,
  streamError,
  type DatabaseHead,
  type StreamEnd,
  type StreamMessage,
  type StreamMessageOf,
} from './stream-message.ts';
import type {
  LoggedFile,
  RepairView,
  ReplicaAcknowledgements,
  StreamClock,
  StreamPrimary,
  StreamSettings,
  StreamSource,
} from './stream-source.ts';
import type { TransferRate } from './transfer-rate.ts';

/** What a replica says of one of its databases. */
export interface ReplicaState {
  readonly position: Position;
  readonly history: EpochHistory;
  /** 0: no pages. */
  readonly pageSize: number;
}

/** How a replica's database is brought up to date. */
export type CatchUp =
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

export interface PrimarySessionOptions {
  readonly primary: StreamPrimary;
  readonly socket: MessageSocket;
  readonly clock: StreamClock;
  readonly settings: StreamSettings;
  /** Shared by all sessions of the node; it slows repairs, never new transactions. */
  readonly repairRate: TransferRate;
  /** The replica has said who it is and is taken on. */
  readonly onWelcome?: (node: NodeIdentity) => void;
}

interface Feed {
  readonly source: StreamSource;
  isRepairing: boolean;
  /** All through this transaction is sent, or was there. */
  sentTxid: number;
  sentHistory: EpochHistory | undefined;
  sentHead: string;
  acknowledged: Position | undefined;
}

interface HandOff {
  isSent: boolean;
  readonly settle: (error?: Error) => void;
}

/** Databases of which a hello may list so many. */
const DATABASES_MAX = 100_000;
const LTX_PART_BYTES = 1 << 18;
/** Groups whose page digests are asked for before the pages of the first are sent. */
const QUERIES_AHEAD = 4;
const EMPTY: ReplicaState = {
  position: { epoch: 0, txid: 0 },
  history: EpochHistory.EMPTY,
  pageSize: 0,
};

/** Decides how a replica that is at `replica` comes to be where the primary's database is. */
export function planCatchUp(source: StreamSource, replica: ReplicaState): CatchUp {
  const { txid } = source.position();
  const held = replica.position.txid;
  const shared = source.history().lastShared(replica.history, held, txid);
  if (held > shared) return { kind: 'diverged', sharedTxid: shared };
  const isOtherSize = replica.pageSize !== 0 && replica.pageSize !== source.pageSize();
  return isOtherSize ? { kind: 'repair' } : { kind: 'follow', fromTxid: shared };
}

/**
 * The primary's side of the stream to one replica.
 *
 * S1. What waits for a slow replica is the names of the databases that have changed, never their
 * transactions: those are read from the log when the socket has room. S2. One LTX file at a time is
 * under way; signs of life and the pages of a repair go between its parts. S3. A replica's word that
 * it holds a transaction counts only when this session sent that one, or agreed that it has it.
 * S4. A new database of an old name is sent only when the replica has let go of the old one, so that
 * a word about the old one is not taken for one about the new.
 */
export class PrimarySession {
  readonly #options: PrimarySessionOptions;
  readonly #socket: MessageSocket;
  readonly #ended = Promise.withResolvers<StreamEnd>();
  #end: StreamEnd | undefined;
  #node: NodeIdentity | undefined;
  readonly #listed = new Map<string, ReplicaState>();
  #acknowledgements: ReplicaAcknowledgements | undefined;
  readonly #feeds = new Map<string, Feed>();
  readonly #dirty = new Set<string>();
  readonly #dropped = new Set<string>();
  /** Dropped, and the replica has not said that they are gone: S4. */
  readonly #leaving = new Set<string>();
  #sending: { readonly feed: Feed; readonly file: LoggedFile; offset: number } | undefined;
  #repair: RepairSender | undefined;
  #isRepairTurn = false;
  #isServing = false;
  #isReady = false;
  #handOff: HandOff | undefined;
  #wake: (() => void) | undefined;
  #cancelThrottle: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #isHeartbeatDue = false;

  constructor(options: PrimarySessionOptions) {
    this.#options = options;
    this.#socket = options.socket;
  }

  get status(): PrimarySessionStatus {
    const feeds = Array.from(this.#feeds.values(), (feed): FeedStatus => {
      const { source, isRepairing, sentTxid, acknowledged } = feed;
      return {
        name: source.name,
        state: isRepairing ? 'repairing' : 'following',
        sentTxid,
        acknowledged,
        transactionsBehind: Math.max(0, source.position().txid - (acknowledged?.txid ?? 0)),
      };
    });
    return { node: this.#node, isReady: this.#isReady, feeds };
  }

  /** Serves the replica until the stream ends, and says why it did. Call once. */
  async run(): Promise<StreamEnd> {
    const parts = [this.#receiveAll(), this.#sendAll()];
    const end = await this.#ended.promise;
    this.#cancelHeartbeat?.();
    this.#cancelThrottle?.();
    this.#acknowledgements?.detach();
    this.#socket.close();
    this.#awake();
    await Promise.all(parts);
    this.#repair?.close();
    this.#handOff?.settle(handOffFailure(`the stream ended: ${end.message}`));
    return end;
  }

  /** The database has new transactions, a new history, or is new. Cheap; call at every commit. */
  changed(name: string): void {
    this.#dirty.add(name);
    this.#awake();
  }

  /** There is no such database any more. */
  dropped(name: string): void {
    this.#dropped.add(name);
    this.#awake();
  }

  membersChanged(): void {
    if (!this.#isServing) return;
    this.#socket.send({ kind: 'members', members: this.#options.primary.members() });
  }

  /**
   * Resolves when the replica confirms that it holds everything this node has and may take over.
   * Writers must have been stopped.
   *
   * Rejects with BaseError `stream_hand_off_failed` when the replica declines, the stream ends, or it
   * takes longer than `timeoutMs`.
   */
  async handOff({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    if (this.#end !== undefined) throw handOffFailure(`the stream ended: ${this.#end.message}`);
    if (this.#handOff !== undefined) throw handOffFailure('another hand-off is under way');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const handOff: HandOff = {
      isSent: false,
      settle: (error) => {
        cancel();
        if (this.#handOff === handOff) this.#handOff = undefined;
        if (error === undefined) resolve();
        else reject(error);
      },
    };
    const cancel = this.#options.clock.after(timeoutMs, () =>
      handOff.settle(handOffFailure(`it did not within ${timeoutMs} ms`)),
    );
    this.#handOff = handOff;
    for (const { name } of this.#options.primary.databases()) this.#dirty.add(name);
    this.#awake();
    await promise;
  }

  /** Says goodbye and ends. The replica connects anew at once, to whoever is primary then. */
  close(reason: string): void {
    this.#socket.send({ kind: 'end', reason });
    this.#finish({ kind: 'ended', message: reason });
  }

  #finish(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#ended.resolve(end);
  }

  #refuse(code: string, message: string, hint: string): void {
    this.#socket.send({ kind: 'refused', code, message, hint });
    this.#finish({ kind: 'refused', code, message, hint });
  }

  async #receiveAll(): Promise<void> {
    try {
      while (this.#end === undefined) {
        const message = await this.#socket.next();
        if (message === undefined) break;
        this.#receive(message);
        this.#awake();
      }
      this.#finish(this.#socket.end ?? { kind: 'ended', message: 'The stream was ended.' });
    } catch (error) {
      this.#finish(describeFailure(error));
    }
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#end === undefined) {
        await this.#socket.drained();
        this.#socket.cork();
        while (this.#end === undefined && !this.#socket.isCongested && this.#sendNext());
        this.#socket.uncork();
        if (!this.#socket.isCongested) await this.#woken();
      }
    } catch (error) {
      this.#socket.uncork();
      this.#finish(describeFailure(error));
    }
  }

  #awake(): void {
    this.#wake?.();
  }

  async #woken(): Promise<void> {
    if (this.#end !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
  }

  #receive(message: StreamMessage): void {
    if (message.kind === 'end') {
      this.#finish({ kind: 'ended', message: message.reason });
      return;
    }
    if (!this.#isServing) {
      this.#greet(message);
      return;
    }
    switch (message.kind) {
      case 'ack':
        for (const position of message.positions) this.#acknowledge(position.name, position);
        break;
      case 'groups':
        this.#repairOf(message.name).takeGroups(message);
        break;
      case 'digests':
        this.#repairOf(message.name).takeDigests(message);
        break;
      case 'gone':
        if (!this.#leaving.delete(message.name)) throw outOfPlace('gone');
        this.#dirty.add(message.name);
        break;
      case 'accept':
        this.#accepted(message);
        break;
      default:
        throw outOfPlace(message.kind);
    }
  }

  #greet(message: StreamMessage): void {
    if (message.kind === 'hello' && this.#node === undefined) {
      this.#node = message.node;
      this.#examine(message);
      return;
    }
    if (this.#node === undefined) throw outOfPlace(message.kind);
    if (message.kind === 'database' && this.#listed.size < DATABASES_MAX) {
      const { name, epoch, txid, history, pageSize } = message;
      this.#listed.set(name, { position: { epoch, txid }, history, pageSize });
    } else if (message.kind === 'listed') this.#welcome(this.#node);
    else throw outOfPlace(message.kind);
  }

  #examine({ version, node, clusterId, epoch }: StreamMessageOf<'hello'>): void {
    const { primary } = this.#options;
    if (version !== PROTOCOL_VERSION) {
      const message = `${node.name} speaks version ${version} of the protocol, this primary ${PROTOCOL_VERSION}.`;
      this.#refuse('version_unknown', message, 'Run the same release on all nodes.');
    } else if (node.id === primary.identity.id) {
      const message = `${node.name} has connected to itself.`;
      const hint = 'Give every node its own advertise URL, one that leads to it alone.';
      this.#refuse('own_stream', message, hint);
    } else if (clusterId !== '' && clusterId !== primary.clusterId) {
      const message =
        `${node.name} belongs to cluster ${clusterId}, ` +
        `its primary ${primary.identity.name} to cluster ${primary.clusterId}.`;
      const hint = 'Let the node set its data aside and join, or point it at the cluster it is of.';
      this.#refuse('cluster_differs', message, hint);
    } else if (epoch > primary.epoch) {
      const message = `${node.name} has seen epoch ${epoch}; this primary is of epoch ${primary.epoch}.`;
      const hint = 'This node is no longer primary and steps down.';
      this.#refuse('epoch_outdated', message, hint);
      primary.outdated(epoch, node);
    }
  }

  #welcome(node: NodeIdentity): void {
    const { primary, settings, clock, onWelcome } = this.#options;
    this.#socket.send({
      kind: 'welcome',
      clusterId: primary.clusterId,
      epoch: primary.epoch,
      node: primary.identity,
      members: primary.members(),
    });
    this.#acknowledgements = primary.acknowledgements.attach(node.name);
    onWelcome?.(node);
    for (const source of primary.databases()) this.#feed(source);
    for (const name of this.#listed.keys()) if (!this.#feeds.has(name)) this.#dropped.add(name);
    this.#listed.clear();
    this.#socket.send({ kind: 'listed' });
    this.#isServing = true;
    const beat = (): void => {
      this.#isHeartbeatDue = true;
      this.#cancelHeartbeat = clock.after(settings.heartbeatMs, beat);
      this.#awake();
    };
    beat();
  }

  /** Begins to feed a database to the replica, from where the replica is with it. */
  #feed(source: StreamSource): Feed {
    const { name } = source;
    const replica = this.#listed.get(name) ?? EMPTY;
    const plan = planCatchUp(source, replica);
    const isRepairing = plan.kind !== 'follow';
    const sentTxid = plan.kind === 'follow' ? plan.fromTxid : 0;
    const base = { sentHistory: undefined, sentHead: '', acknowledged: undefined };
    const feed: Feed = { source, isRepairing, sentTxid, ...base };
    this.#feeds.set(name, feed);
    this.#dirty.add(name);
    if (plan.kind === 'diverged') {
      const { epoch } = this.#options.primary;
      this.#socket.send({ kind: 'diverged', name, epoch, sharedTxid: plan.sharedTxid });
    }
    if (plan.kind === 'follow') this.#sendHistory(feed);
    if (plan.kind === 'follow' && sentTxid > 0) this.#acknowledge(name, replica.position);
    return feed;
  }

  #sendHistory(feed: Feed): void {
    const { source } = feed;
    const history = source.history();
    if (feed.sentHistory === history) return;
    feed.sentHistory = history;
    const { epoch, txid } = source.position();
    const { name } = source;
    this.#socket.send({
      kind: 'database',
      name,
      epoch,
      txid,
      pageSize: source.pageSize(),
      history,
    });
  }

  #acknowledge(name: string, { epoch, txid }: Position): void {
    const feed = this.#feeds.get(name);
    // A dropped database may be confirmed while its end is under way.
    if (feed === undefined) return;
    // What was sent before the repair may be confirmed while it goes on.
    if (feed.isRepairing && !this.#finishRepair(feed, txid)) return;
    if (txid > feed.sentTxid) throw outOfPlace('ack');
    feed.acknowledged = { epoch, txid };
    this.#acknowledgements?.acknowledge(name, feed.acknowledged);
  }

  /** A repair is over when the replica confirms its position. */
  #finishRepair(feed: Feed, txid: number): boolean {
    const repair = this.#repair;
    if (repair?.name !== feed.source.name || !repair.isSent) return false;
    if (txid !== repair.position.txid) return false;
    repair.close();
    this.#repair = undefined;
    feed.isRepairing = false;
    feed.sentTxid = txid;
    this.#dirty.add(repair.name);
    return true;
  }

  #repairOf(name: string): RepairSender {
    if (this.#repair?.name === name) return this.#repair;
    throw outOfPlace('groups');
  }

  /** Sends one message or part; false when there is nothing to send now. */
  #sendNext(): boolean {
    if (!this.#isServing) return false;
    if (this.#sendHeartbeat() || this.#sendDrop()) return true;
    this.#isRepairTurn = !this.#isRepairTurn;
    const isSent = this.#isRepairTurn
      ? this.#sendRepair() || this.#sendLog()
      : this.#sendLog() || this.#sendRepair();
    return isSent || this.#sendMilestone();
  }

  #sendHeartbeat(): boolean {
    if (!this.#isHeartbeatDue) return false;
    this.#isHeartbeatDue = false;
    const heads = Array.from(this.#feeds.values(), (feed) => this.#newHead(feed)).filter(
      (head) => head !== undefined,
    );
    const clockMs = Math.floor(this.#options.clock.monotonicMs());
    for (let at = 0; at === 0 || at < heads.length; at += POSITIONS_MAX) {
      this.#socket.send({ kind: 'heartbeat', clockMs, heads: heads.slice(at, at + POSITIONS_MAX) });
    }
    return true;
  }

  #newHead(feed: Feed): DatabaseHead | undefined {
    const { source, isRepairing, sentTxid } = feed;
    const { epoch, txid } = source.position();
    const isRepair = isRepairing && this.#repair?.name === source.name;
    const unsentBytes = isRepair
      ? (this.#repair?.unsentBytes ?? 0)
      : txid > sentTxid
        ? source.bytesAfter(sentTxid)
        : 0;
    const head = { name: source.name, epoch, txid, unsentBytes };
    const text = `${epoch} ${txid} ${unsentBytes}`;
    if (text === feed.sentHead) return undefined;
    feed.sentHead = text;
    return head;
  }

  #sendDrop(): boolean {
    const [name] = this.#dropped;
    if (name === undefined || this.#sending !== undefined) return false;
    this.#dropped.delete(name);
    this.#leaving.add(name);
    this.#feeds.delete(name);
    this.#acknowledgements?.forget(name);
    if (this.#repair?.name === name) {
      this.#repair.close();
      this.#repair = undefined;
    }
    this.#socket.send({ kind: 'drop', name, epoch: this.#options.primary.epoch });
    return true;
  }

  #sendLog(): boolean {
    if (this.#sending === undefined) this.#openFile();
    if (this.#sending === undefined) return false;
    const { feed, file, offset } = this.#sending;
    const { minTxid, maxTxid, timestampMs, bytes: all } = file;
    const bytes = all.subarray(offset, offset + LTX_PART_BYTES);
    const { name } = feed.source;
    const { epoch } = this.#options.primary;
    const start = { kind: 'ltx', name, epoch, minTxid, maxTxid, timestampMs } as const;
    if (offset > 0) this.#socket.send({ kind: 'part', bytes });
    else this.#socket.send({ ...start, totalBytes: all.length, bytes });
    this.#sending.offset += bytes.length;
    if (this.#sending.offset >= all.length) this.#sending = undefined;
    return true;
  }

  /** Takes the next file of the log of the next database that has one. */
  #openFile(): void {
    for (const name of this.#dirty) {
      this.#dirty.delete(name);
      const source = this.#options.primary.database(name);
      if (source === undefined || this.#leaving.has(name)) continue;
      const feed = this.#feeds.get(name) ?? this.#feed(source);
      if (feed.isRepairing) continue;
      this.#sendHistory(feed);
      if (feed.sentTxid >= source.position().txid) continue;
      const file = source.readFrom(feed.sentTxid + 1);
      if (file === undefined || file.bytes.length > this.#options.settings.ltxBytesMax) {
        feed.isRepairing = true;
        continue;
      }
      assert(
        file.minTxid === feed.sentTxid + 1,
        'the log answers with the file that was asked for',
      );
      feed.sentTxid = file.maxTxid;
      this.#sending = { feed, file, offset: 0 };
      // Behind the others, so that they have their turn before its next file.
      this.#dirty.add(name);
      return;
    }
  }

  #sendRepair(): boolean {
    this.#repair ??= this.#openRepair();
    if (this.#repair === undefined) return false;
    const { repairRate, clock } = this.#options;
    const delayMs = repairRate.delayMs();
    if (delayMs > 0) {
      this.#cancelThrottle?.();
      this.#cancelThrottle = clock.after(delayMs, () => this.#awake());
      return false;
    }
    const message = this.#repair.next();
    if (message === undefined) return false;
    if (message.kind === 'page') repairRate.spend(message.bytes.length);
    this.#socket.send(message);
    return true;
  }

  /** Repairs come one at a time: a view is costly to keep. */
  #openRepair(): RepairSender | undefined {
    for (const { isRepairing, source } of this.#feeds.values()) {
      if (!isRepairing) continue;
      this.#acknowledgements?.forget(source.name);
      return new RepairSender(source, this.#options.primary.epoch);
    }
    return undefined;
  }

  /** When all is sent: `ready` once, and the offer to take over when there is one to make. */
  #sendMilestone(): boolean {
    if (this.#dirty.size > 0 || this.#sending !== undefined || this.#repair !== undefined)
      return false;
    if (!this.#isReady) {
      this.#isReady = true;
      this.#socket.send({ kind: 'ready' });
      return true;
    }
    if (this.#handOff === undefined || this.#handOff.isSent) return false;
    this.#handOff.isSent = true;
    const positions = Array.from(this.#feeds.values(), ({ source }) => ({
      name: source.name,
      ...source.position(),
    }));
    const { epoch } = this.#options.primary;
    for (let at = 0; at === 0 || at < positions.length; at += POSITIONS_MAX) {
      const isLast = at + POSITIONS_MAX >= positions.length;
      const some = positions.slice(at, at + POSITIONS_MAX);
      this.#socket.send({ kind: 'offer', epoch, isLast, positions: some });
    }
    return true;
  }

  #accepted({ problem, epoch }: StreamMessageOf<'accept'>): void {
    // The offer it answers may have run out of time.
    if (this.#handOff?.isSent !== true || epoch !== this.#options.primary.epoch) return;
    this.#handOff.settle(problem === '' ? undefined : handOffFailure(problem));
  }
}

/** Finds out which pages of a database a replica lacks, and sends those. */
class RepairSender {
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

function handOffFailure(why: string): Error {
  return streamError('stream_hand_off_failed', `The replica does not take over: ${why}.`, {
    hint: 'This node stays primary; let writes go on, and try again or choose another replica.',
    retryable: true,
  });
}
