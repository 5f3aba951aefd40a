import { assert } from '@tandem/base';
import { isPageSize, lockPage } from '@tandem/sqlite-format';
import { ArrivedRuns } from './arrived-runs.ts';
import { ArrivingFile, type WholeFile } from './arriving-file.ts';
import type { EpochHistory } from './epoch-history.ts';
import type { MessageSocket } from './message-framing.ts';
import { DIGEST_BYTES, GROUP_PAGES } from './page-digest.ts';
import type { ReplicationLags } from './replication-lag.ts';
import {
  describeFailure,
  inMessages,
  outOfPlace,
  PROTOCOL_VERSION,
  streamError,
  type NamedPosition,
  type StreamEnd,
  type StreamMessage,
  type StreamMessageOf,
} from './stream-message.ts';
import type {
  ArrivedFile,
  RepairWriter,
  StreamClock,
  StreamReplica,
  StreamSettings,
  StreamSink,
} from './stream-source.ts';

export interface ReplicaSessionOptions {
  readonly replica: StreamReplica;
  readonly socket: MessageSocket;
  readonly clock: StreamClock;
  readonly settings: StreamSettings;
  /** The lag of each database; it outlives the session. */
  readonly lags: ReplicationLags;
}

interface Repair {
  readonly target: StreamMessageOf<'repair'>;
  readonly sink: StreamSink;
  readonly writer: RepairWriter;
}

/** An offer may name so many databases. */
const DATABASES_MAX = 100_000;
const GROUPS_BYTES = 1 << 19;

/**
 * A replica's side of the stream: one message after the other, each dealt with before the next is
 * read, so that a slow disk slows the sender down. Only files of the log wait for those that have
 * arrived with them, since each sync of the disk takes as long as many of them: they are applied
 * together when nothing more is here, or when a message comes that might be about them.
 *
 * T1. Nothing of a primary with a lower epoch than this node has seen is taken. T2. A file is applied
 * only where it leads on from the position: it has the next transaction. T3. The primary is told of a
 * transaction after it is durable. T4. A call to a sink is never left alone: the session ends when it
 * has settled.
 */
export class ReplicaSession {
  readonly #options: ReplicaSessionOptions;
  readonly #socket: MessageSocket;
  #end: StreamEnd | undefined;
  #isWelcome = false;
  #isReady = false;
  #hasAccepted = false;
  readonly #sinks = new Map<string, StreamSink>();
  readonly #histories = new Map<string, EpochHistory>();
  readonly #arriving = new ArrivingFile();
  readonly #waiting = new ArrivedRuns();
  /** Of the primary that sent what is waiting. */
  #waitingEpoch = 0;
  #repair: Repair | undefined;
  #offered: NamedPosition[] = [];
  readonly #unconfirmed = new Map<string, StreamSink>();
  #cancelPulse: (() => void) | undefined;

  constructor(options: ReplicaSessionOptions) {
    this.#options = options;
    this.#socket = options.socket;
  }

  /** Whether everything that the primary had at the beginning has been applied. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether the primary has taken this replica on. */
  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  /** Follows the primary until the stream ends, and says why it did. Call once. */
  async run(): Promise<StreamEnd> {
    try {
      this.#greet();
      this.#pulse();
      while (this.#end === undefined) {
        const message = await this.#socket.next();
        if (message === undefined) break;
        await this.#take(message);
        if (this.#socket.hasNext && !this.#waiting.isFull) continue;
        await this.#applyWaiting();
        this.#confirm();
      }
    } catch (error) {
      this.#end ??= describeFailure(error);
    } finally {
      this.#cancelPulse?.();
      this.#options.lags.end();
      await this.#abortRepair();
      this.#socket.send({ kind: 'end', reason: this.#end?.message ?? '' });
      this.#socket.close();
    }
    return this.#end ?? this.#socket.end ?? { kind: 'lost', message: 'The stream ended.' };
  }

  /** Says goodbye and ends when what is being applied is applied. */
  close(reason: string): void {
    this.#end ??= { kind: this.#hasAccepted ? 'handed_off' : 'ended', message: reason };
    this.#socket.send({ kind: 'end', reason });
    this.#socket.close();
  }

  #greet(): void {
    const { replica, lags } = this.#options;
    this.#socket.send({
      kind: 'hello',
      version: PROTOCOL_VERSION,
      node: replica.identity,
      clusterId: replica.clusterId() ?? '',
      epoch: replica.highestEpoch(),
    });
    for (const sink of replica.databases()) {
      const { name } = sink;
      const position = sink.position();
      this.#sinks.set(name, sink);
      lags.of(name).begin(position.txid);
      this.#socket.send({
        kind: 'database',
        name,
        ...position,
        pageSize: sink.pageSize(),
        history: sink.history(),
      });
    }
    this.#socket.send({ kind: 'listed' });
  }

  /** The primary hears something at least as often as it is to hear. */
  #pulse(): void {
    const { clock, settings } = this.#options;
    this.#cancelPulse = clock.after(settings.heartbeatMs, () => {
      if (!this.#socket.isCongested) this.#socket.send({ kind: 'ack', positions: [] });
      this.#pulse();
    });
  }

  async #take(message: StreamMessage): Promise<void> {
    if (!canOvertake(message)) await this.#applyWaiting();
    if (this.#end !== undefined) return;
    if (message.kind === 'end') {
      this.#end = { kind: this.#hasAccepted ? 'handed_off' : 'ended', message: message.reason };
    } else if (message.kind === 'refused') {
      const { code, message: text, hint, clusterId } = message;
      this.#end = { kind: 'refused', code, message: text, ...(hint === '' ? {} : { hint }) };
      const { replica } = this.#options;
      if (code === 'cluster_differs') await replica.clusterDiffers?.(clusterId);
    } else if (message.kind === 'welcome') {
      await this.#welcome(message);
    } else if (this.#isWelcome) {
      await this.#takeFromPrimary(message);
    } else throw outOfPlace(message.kind);
  }

  async #takeFromPrimary(message: StreamMessage): Promise<void> {
    const { replica } = this.#options;
    if ('epoch' in message && message.kind !== 'database' && this.#isOutdated(message.epoch))
      return;
    switch (message.kind) {
      case 'database':
        return this.#adopt(message);
      case 'ltx':
        return this.#arrive(message);
      case 'part':
        return this.#arrived(this.#arriving.add(message.bytes));
      case 'diverged':
        return this.#setAside(message);
      case 'repair':
        return this.#beginRepair(message);
      case 'query':
        return this.#answer(message);
      case 'pages':
        return this.#writePages(message);
      case 'repaired':
        return this.#commitRepair(message);
      case 'drop':
        return this.#drop(message.name);
      case 'members':
        return replica.membersChanged(message.members);
      case 'heartbeat':
        return this.#hear(message);
      case 'offer':
        return this.#consider(message);
      case 'listed':
        return;
      case 'ready':
        if (this.#isReady) throw outOfPlace('ready');
        this.#isReady = true;
        return replica.ready();
      case 'hello':
      case 'groups':
      case 'digests':
      case 'ack':
      case 'accept':
      case 'gone':
      case 'welcome':
      case 'refused':
      case 'end':
        throw outOfPlace(message.kind);
    }
  }

  async #welcome(message: StreamMessageOf<'welcome'>): Promise<void> {
    if (this.#isWelcome) throw outOfPlace('welcome');
    const { replica } = this.#options;
    const { clusterId, epoch, node, members } = message;
    const own = replica.clusterId();
    if (own !== undefined && own !== clusterId) {
      this.#end = {
        kind: 'refused',
        code: 'cluster_differs',
        message: `This node belongs to cluster ${own}, its primary ${node.name} to cluster ${clusterId}.`,
        hint: 'Let this node set its data aside and join, or point it at the cluster it is of.',
      };
      return;
    }
    if (this.#isOutdated(epoch)) return;
    await replica.welcomed({ clusterId, epoch, node, members });
    this.#isWelcome = true;
  }

  #isOutdated(epoch: number): boolean {
    const highest = this.#options.replica.highestEpoch();
    if (epoch >= highest) return false;
    this.#end = {
      kind: 'outdated',
      message: `The primary is of epoch ${epoch}, and this node has seen epoch ${highest}.`,
      hint: 'The other node is no longer primary; this one looks for the new one.',
    };
    return true;
  }

  async #sink(name: string): Promise<StreamSink> {
    const known = this.#sinks.get(name);
    if (known !== undefined) return known;
    const sink = await this.#options.replica.open(name);
    this.#sinks.set(name, sink);
    this.#options.lags.of(name).applied(sink.position().txid, 0);
    return sink;
  }

  async #adopt({ name, history }: StreamMessageOf<'database'>): Promise<void> {
    const sink = await this.#sink(name);
    this.#histories.set(name, history);
    await sink.adoptHistory(history);
  }

  async #setAside({ name, sharedTxid }: StreamMessageOf<'diverged'>): Promise<void> {
    const sink = await this.#sink(name);
    await sink.quarantineAfter(sharedTxid);
    this.#options.lags.of(name).applied(sink.position().txid, 0);
  }

  async #arrive(start: StreamMessageOf<'ltx'>): Promise<void> {
    const { name, maxTxid, totalBytes, epoch } = start;
    this.#waitingEpoch = epoch;
    const { settings, lags, clock } = this.#options;
    const file = this.#arriving.begin(start, settings.ltxBytesMax);
    lags.of(name).received(maxTxid, totalBytes, clock.monotonicMs());
    await this.#arrived(file);
  }

  /** Lets a whole file wait for those that come with it. */
  async #arrived(file: WholeFile | undefined): Promise<void> {
    if (file === undefined) return;
    const { name, maxTxid } = file;
    const history = this.#histories.get(name);
    if (history === undefined || this.#repair?.target.name === name) throw outOfPlace('ltx');
    const arrived = { ...file, epoch: history.epochOf(maxTxid), history };
    if (!this.#waiting.accepts(name, arrived)) await this.#applyWaiting();
    this.#waiting.add(name, arrived);
  }

  async #applyWaiting(): Promise<void> {
    for (const [name, files] of this.#waiting.take()) {
      if (this.#end !== undefined || this.#isOutdated(this.#waitingEpoch)) return;
      await this.#apply(name, files);
    }
  }

  async #apply(name: string, files: readonly ArrivedFile[]): Promise<void> {
    const sink = await this.#sink(name);
    const { txid } = sink.position();
    const [first, last] = [files[0], files.at(-1)];
    assert(first !== undefined && last !== undefined, 'there is a file to apply');
    if (first.minTxid > txid + 1 || first.maxTxid <= txid) {
      const message = `Transaction ${first.minTxid} of ${name} came after ${txid}.`;
      throw streamError('stream_bad_message', message);
    }
    await sink.apply(files);
    const byteCount = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#options.lags.of(name).applied(last.maxTxid, byteCount);
    this.#unconfirmed.set(name, sink);
  }

  /** Tells the primary what has become durable since it was last told. */
  #confirm(): void {
    if (this.#unconfirmed.size === 0) return;
    const positions = Array.from(this.#unconfirmed, ([name, sink]): NamedPosition => {
      const { epoch, txid } = sink.position();
      return { name, epoch, txid };
    });
    this.#unconfirmed.clear();
    for (const some of inMessages(positions)) this.#socket.send({ kind: 'ack', positions: some });
  }

  async #beginRepair(target: StreamMessageOf<'repair'>): Promise<void> {
    const { name, positionEpoch, txid, pageSize, pageCount, history } = target;
    if (this.#repair !== undefined || !isPageSize(pageSize)) throw outOfPlace('repair');
    const sink = await this.#sink(name);
    const position = { epoch: positionEpoch, txid };
    const writer = sink.beginRepair({ position, history, pageSize, pageCount });
    this.#repair = { target, sink, writer };
    this.#histories.set(name, history);
    this.#options.lags.of(name).received(txid, 0, this.#options.clock.monotonicMs());
    await this.#sendGroups(this.#repair);
  }

  async #sendGroups({ target, sink }: Repair): Promise<void> {
    const { name, pageSize, pageCount } = target;
    const groupBytes = Math.ceil(pageCount / GROUP_PAGES) * DIGEST_BYTES;
    const isComparable = sink.pageSize() === pageSize;
    const all = isComparable ? sink.groupDigests().subarray(0, groupBytes) : new Uint8Array();
    for (let at = 0; at === 0 || at < all.length; at += GROUPS_BYTES) {
      const isLast = at + GROUPS_BYTES >= all.length;
      await this.#socket.drained();
      this.#socket.send({
        kind: 'groups',
        name,
        isLast,
        bytes: all.subarray(at, at + GROUPS_BYTES),
      });
    }
  }

  async #answer({ name, groups }: StreamMessageOf<'query'>): Promise<void> {
    const { sink } = this.#repairOf(name, 'query');
    for (const group of groups) {
      await this.#socket.drained();
      this.#socket.send({ kind: 'digests', name, group, bytes: sink.pageDigests(group) });
    }
  }

  async #writePages({ name, pgno, bytes }: StreamMessageOf<'pages'>): Promise<void> {
    const { target, writer } = this.#repairOf(name, 'pages');
    const count = bytes.length / target.pageSize;
    const end = pgno + count;
    const skipped = lockPage(target.pageSize);
    const isInPlace = count >= 1 && Number.isInteger(count) && pgno >= 1;
    const hasLockPage = pgno <= skipped && skipped < end;
    if (!isInPlace || end - 1 > target.pageCount || hasLockPage) throw outOfPlace('pages');
    await writer.writePages(pgno, bytes);
  }

  async #commitRepair({ name, digest }: StreamMessageOf<'repaired'>): Promise<void> {
    const { target, sink, writer } = this.#repairOf(name, 'repaired');
    await writer.commit(digest);
    this.#repair = undefined;
    this.#options.lags.of(name).applied(target.txid, 0);
    this.#unconfirmed.set(name, sink);
  }

  async #abortRepair(): Promise<void> {
    const writer = this.#repair?.writer;
    this.#repair = undefined;
    try {
      await writer?.abort();
    } catch (error) {
      this.#end ??= describeFailure(error);
    }
  }

  #repairOf(name: string, kind: string): Repair {
    if (this.#repair?.target.name === name) return this.#repair;
    throw outOfPlace(kind);
  }

  async #drop(name: string): Promise<void> {
    if (this.#repair?.target.name === name) await this.#abortRepair();
    this.#unconfirmed.delete(name);
    this.#sinks.delete(name);
    this.#histories.delete(name);
    this.#options.lags.drop(name);
    await this.#options.replica.drop(name);
    this.#socket.send({ kind: 'gone', name });
  }

  #hear({ clockMs, heads }: StreamMessageOf<'heartbeat'>): void {
    const { lags, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    lags.heard(clockMs, nowMs, new Map(heads.map((head) => [head.name, head])));
  }

  /** Everything sent before the offer has been applied; so its positions are ours, or never will be. */
  async #consider(offer: StreamMessageOf<'offer'>): Promise<void> {
    const { epoch, attempt, isLast, positions } = offer;
    this.#offered.push(...positions);
    if (this.#offered.length > DATABASES_MAX) throw outOfPlace('offer');
    if (!isLast) return;
    const offered = this.#offered;
    this.#offered = [];
    let problem = '';
    for (const { name, txid, epoch: positionEpoch } of offered) {
      const held = (await this.#sink(name)).position();
      if (held.txid === txid && held.epoch === positionEpoch) continue;
      problem = `it is at ${held.epoch}.${held.txid} of ${name}, not at ${positionEpoch}.${txid}`;
    }
    if (problem === '') problem = await this.#takeOver(epoch, offered);
    this.#hasAccepted = problem === '';
    this.#socket.send({ kind: 'accept', attempt, problem });
  }

  async #takeOver(epoch: number, positions: readonly NamedPosition[]): Promise<string> {
    try {
      await this.#options.replica.handOff({ epoch, positions });
      return '';
    } catch (error) {
      return describeFailure(error).message;
    }
  }
}

/** Whether a message leaves the files that wait as they are: it is another one, or of no database. */
function canOvertake({ kind }: StreamMessage): boolean {
  return kind === 'ltx' || kind === 'part' || kind === 'heartbeat' || kind === 'members';
}
