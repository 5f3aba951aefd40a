import { setImmediate } from 'node:timers/promises';
import { assert } from '@tandem/base';
import type { NodeIdentity } from '@tandem/lease';
import { DatabaseFeed, type PrimarySessionStatus, type ReplicaState } from './database-feed.ts';
import type { Position } from './epoch-history.ts';
import type { MessageSocket } from './message-framing.ts';
import { RepairSender } from './repair-sender.ts';
import {
  describeFailure,
  handOffFailure,
  inMessages,
  outOfPlace,
  refusalOf,
  type StreamEnd,
  type StreamMessage,
  type StreamMessageOf,
} from './stream-message.ts';
import type {
  LoggedFile,
  ReplicaAcknowledgements,
  StreamClock,
  StreamPrimary,
  StreamSettings,
  StreamSource,
} from './stream-source.ts';
import type { TransferRate } from './transfer-rate.ts';

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

interface HandOff {
  readonly attempt: number;
  isSent: boolean;
  readonly settle: (error?: Error) => void;
}

/** Databases of which a hello may list so many. */
const DATABASES_MAX = 100_000;
const LTX_PART_BYTES = 1 << 18;
/** Sent at most before others of the process have their turn. */
const BURST_MESSAGES = 64;

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
  readonly #feeds = new Map<string, DatabaseFeed>();
  readonly #dirty = new Set<string>();
  readonly #dropped = new Set<string>();
  /** Dropped, and the replica has not said that they are gone: S4. */
  readonly #leaving = new Set<string>();
  #sending: { readonly feed: DatabaseFeed; readonly file: LoggedFile; offset: number } | undefined;
  #repair: RepairSender | undefined;
  #isRepairTurn = false;
  #isServing = false;
  #isReady = false;
  #handOff: HandOff | undefined;
  #attempts = 0;
  #wake: (() => void) | undefined;
  #cancelThrottle: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #isHeartbeatDue = false;

  constructor(options: PrimarySessionOptions) {
    this.#options = options;
    this.#socket = options.socket;
  }

  get status(): PrimarySessionStatus {
    const feeds = Array.from(this.#feeds.values(), ({ status }) => status);
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
    this.#wake?.();
    await Promise.all(parts);
    this.#closeRepair();
    this.#handOff?.settle(handOffFailure(`the stream ended: ${end.message}`));
    return end;
  }

  /** The database has new transactions, a new history, or is new. Cheap; call at every commit. */
  changed(name: string): void {
    this.#dirty.add(name);
    this.#wake?.();
  }

  /** There is no such database any more. */
  dropped(name: string): void {
    this.#dropped.add(name);
    this.#wake?.();
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
    this.#handOff?.settle(handOffFailure('another attempt has taken its place'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#attempts += 1;
    const handOff: HandOff = {
      attempt: this.#attempts,
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
    this.#wake?.();
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

  async #receiveAll(): Promise<void> {
    try {
      while (this.#end === undefined) {
        const message = await this.#socket.next();
        if (message === undefined) break;
        this.#receive(message);
        this.#wake?.();
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
        if (this.#sendBurst()) await setImmediate();
        else if (this.#end === undefined) await this.#woken();
      }
    } catch (error) {
      this.#finish(describeFailure(error));
    }
  }

  /** Sends a few messages; false when there is nothing more to send now. */
  #sendBurst(): boolean {
    this.#socket.cork();
    try {
      for (let sent = 0; sent < BURST_MESSAGES && !this.#socket.isCongested; sent += 1) {
        if (this.#end !== undefined || !this.#sendNext()) return false;
      }
      return true;
    } finally {
      this.#socket.uncork();
    }
  }

  async #woken(): Promise<void> {
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
    if (message.kind !== 'gone' && 'name' in message && this.#leaving.has(message.name)) return;
    if (message.kind === 'ack') {
      for (const position of message.positions) this.#acknowledge(position.name, position);
    } else if (message.kind === 'groups') {
      this.#repairOf(message).takeGroups(message);
    } else if (message.kind === 'digests') {
      this.#repairOf(message).takeDigests(message);
    } else if (message.kind === 'gone' && this.#leaving.delete(message.name)) {
      this.#dirty.add(message.name);
    } else if (message.kind === 'accept') {
      this.#accepted(message);
    } else throw outOfPlace(message.kind);
  }

  #greet(message: StreamMessage): void {
    if (message.kind === 'hello' && this.#node === undefined) {
      this.#node = message.node;
      const { primary } = this.#options;
      const refusal = refusalOf(message, primary);
      if (refusal === undefined) return;
      this.#socket.send(refusal);
      this.#finish(refusal);
      if (refusal.code === 'epoch_outdated') primary.outdated(message.epoch, message.node);
      return;
    }
    if (this.#node === undefined) throw outOfPlace(message.kind);
    if (message.kind === 'database' && this.#listed.size < DATABASES_MAX) {
      const { name, epoch, txid, history, pageSize } = message;
      this.#listed.set(name, { position: { epoch, txid }, history, pageSize });
    } else if (message.kind === 'listed') this.#welcome(this.#node);
    else throw outOfPlace(message.kind);
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
      this.#wake?.();
    };
    beat();
  }

  /** Begins to feed a database to the replica, from where the replica is with it. */
  #feed(source: StreamSource): DatabaseFeed {
    const { name } = source;
    const replica = this.#listed.get(name);
    const feed = new DatabaseFeed(source, replica);
    const { plan } = feed;
    this.#feeds.set(name, feed);
    this.#dirty.add(name);
    if (plan.kind === 'diverged') {
      const { epoch } = this.#options.primary;
      this.#socket.send({ kind: 'diverged', name, epoch, sharedTxid: plan.sharedTxid });
    } else if (plan.kind === 'follow') {
      this.#sendHistory(feed);
      if (replica !== undefined) this.#acknowledge(name, replica.position);
    }
    return feed;
  }

  #sendHistory(feed: DatabaseFeed): void {
    const message = feed.newHistory();
    if (message !== undefined) this.#socket.send(message);
  }

  #acknowledge(name: string, { epoch, txid }: Position): void {
    const feed = this.#feeds.get(name);
    // A dropped database may be confirmed while its end is under way, or before it is.
    if (feed === undefined || this.#dropped.has(name)) return;
    // What was sent before the repair may be confirmed while it goes on.
    if (feed.isRepairing && !this.#finishRepair(feed, txid)) return;
    if (txid > feed.sentTxid) throw outOfPlace('ack');
    feed.acknowledged = { epoch, txid };
    this.#acknowledgements?.acknowledge(name, feed.acknowledged);
  }

  /** A repair is over when the replica confirms its position. */
  #finishRepair(feed: DatabaseFeed, txid: number): boolean {
    const repair = this.#repair;
    if (repair?.name !== feed.source.name || !repair.isSent) return false;
    if (txid !== repair.position.txid) return false;
    this.#closeRepair();
    feed.isRepairing = false;
    feed.sentTxid = txid;
    this.#dirty.add(repair.name);
    return true;
  }

  #closeRepair(): void {
    this.#repair?.close();
    this.#repair = undefined;
  }

  #repairOf({ kind, name }: StreamMessageOf<'groups' | 'digests'>): RepairSender {
    if (this.#repair?.name === name) return this.#repair;
    throw outOfPlace(kind);
  }

  /** Sends one message or part; false when there is nothing to send now. */
  #sendNext(): boolean {
    if (!this.#isServing) return false;
    if (this.#sendHeartbeat() || this.#sendDrop()) return true;
    this.#isRepairTurn = !this.#isRepairTurn;
    // The log may find that a repair is needed, so its turn comes after, or once more.
    const isSent = (this.#isRepairTurn && this.#sendRepair()) || this.#sendLog();
    return isSent || this.#sendRepair() || this.#sendMilestone();
  }

  #sendHeartbeat(): boolean {
    if (!this.#isHeartbeatDue) return false;
    this.#isHeartbeatDue = false;
    const heads = Array.from(this.#feeds.values(), (feed) => feed.newHead(this.#repair)).filter(
      (head) => head !== undefined,
    );
    const clockMs = Math.floor(this.#options.clock.monotonicMs());
    for (const some of inMessages(heads)) {
      this.#socket.send({ kind: 'heartbeat', clockMs, heads: some });
    }
    return true;
  }

  #sendDrop(): boolean {
    const [name] = this.#dropped;
    if (name === undefined || this.#sending !== undefined) return false;
    for (const names of [this.#dropped, this.#feeds]) names.delete(name);
    this.#leaving.add(name);
    this.#acknowledgements?.forget(name);
    if (this.#repair?.name === name) this.#closeRepair();
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
      const file = source.readHolding(feed.sentTxid + 1);
      if (file === undefined || file.bytes.length > this.#options.settings.ltxBytesMax) {
        feed.isRepairing = true;
        continue;
      }
      const next = feed.sentTxid + 1;
      assert(file.minTxid <= next && file.maxTxid >= next, 'the log gives what was asked for');
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
      this.#cancelThrottle = clock.after(delayMs, () => this.#wake?.());
      return false;
    }
    const repair = this.#repair;
    const message = repair.next();
    if (message === undefined) return false;
    if (message.kind === 'pages') {
      repairRate.spend(message.bytes.length);
      this.#socket.send(message, () => repair.reuse(message));
    } else this.#socket.send(message);
    return true;
  }

  /** Repairs come one at a time: a view is costly to keep. */
  #openRepair(): RepairSender | undefined {
    for (const { isRepairing, source } of this.#feeds.values()) {
      if (!isRepairing || source.position().txid === 0) continue;
      this.#acknowledgements?.forget(source.name);
      return new RepairSender(source, this.#options.primary.epoch);
    }
    return undefined;
  }

  /** When all is sent: `ready` once, and the offer to take over when there is one to make. */
  #sendMilestone(): boolean {
    if (this.#dirty.size > 0 || (this.#sending ?? this.#repair) !== undefined) return false;
    if (!this.#isReady) {
      this.#isReady = true;
      this.#socket.send({ kind: 'ready' });
      return true;
    }
    if (this.#handOff === undefined || this.#handOff.isSent) return false;
    this.#handOff.isSent = true;
    const { attempt } = this.#handOff;
    const feeds = [...this.#feeds.values()];
    const positions = feeds.map(({ source }) => ({ name: source.name, ...source.position() }));
    const { epoch } = this.#options.primary;
    const parts = inMessages(positions);
    for (const [index, some] of parts.entries()) {
      const isLast = index === parts.length - 1;
      this.#socket.send({ kind: 'offer', epoch, attempt, isLast, positions: some });
    }
    return true;
  }

  #accepted({ problem, attempt }: StreamMessageOf<'accept'>): void {
    // The offer it answers may have run out of time, and there may be another, with other positions.
    if (this.#handOff?.attempt !== attempt) return;
    this.#handOff.settle(problem === '' ? undefined : handOffFailure(problem));
  }
}
