import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  LeaseKeeper,
  type LeaseKeeperOptions,
  type LeaseKeeping,
  type LeaseStore,
  type LeaseStoreConfig,
  LeaseThread,
  type LeaseTimings,
  type LeaseView,
  type NodeIdentity,
  type RoleChange,
} from '@tandem/lease';
import { Acknowledgements, type AcknowledgementPolicy } from './acknowledgements.ts';
import { CaptureLoop } from './capture-loop.ts';
import {
  CLUSTER_ID_RANDOM_BYTES,
  judgeClusterId,
  mintClusterId,
  readClusterId,
  writeClusterId,
} from './cluster-id.ts';
import { checkDatabaseFile } from './database-import.ts';
import { DatabaseSet, type DatabaseSetOptions } from './database-set.ts';
import type { Position } from './epoch-history.ts';
import { judgeCandidacy } from './leadership.ts';
import { planRetention } from './log-retention.ts';
import { askFailsafe, askPosition, type PeerAccess, type PeerReport } from './peer-client.ts';
import { PrimaryTerm } from './primary-term.ts';
import { Quarantine } from './quarantine.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';
import { ReplicationError } from './replication-error.ts';
import { STREAM_BACK_OFF, StreamClient, type StreamTls } from './stream-client.ts';
import { StreamServer, type StreamAccess } from './stream-server.ts';
import {
  STREAM_SETTINGS,
  systemStreamClock,
  type HandOffOffer,
  type StreamLog,
  type StreamReplica,
  type StreamSettings,
  type Welcome,
} from './stream-source.ts';

export interface ReplicationNodeOptions extends Omit<
  DatabaseSetOptions,
  'quarantine' | 'onApplied'
> {
  readonly identity: NodeIdentity;
  readonly store: LeaseStore;
  /** The same store as plain data: the lease is then kept in a thread of its own. */
  readonly threadStore?: LeaseStoreConfig;
  readonly timings: LeaseTimings;
  readonly isCandidate: boolean;
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
  readonly log: StreamLog;
}

/** Something that happened to a node. */
export type NodeEvent =
  | { readonly kind: 'role'; readonly role: NodeRole; readonly primary: NodeIdentity | undefined }
  | { readonly kind: 'position'; readonly name: string; readonly position: Position }
  | { readonly kind: 'ready' };

/** `none`: there is no primary that this node knows of. */
export type NodeRole = 'primary' | 'replica' | 'none';

const LOOK_MS = 1000;
const RETENTION_MS = 60_000;
const FENCE_AGAIN_MS = 200;
const PEER_TIMEOUT_MS = 2000;
/** A node that was away for longer is no member any more, and may not lead until it has come back. */
const MEMBER_ABSENT_MS_MAX = 60_000;

/**
 * A node: its databases, the lease, and the stream from or to the others. R8. At most one node is
 * primary at any moment, by the lease; all databases of a node change role together.
 */
export class ReplicationNode {
  readonly databases: DatabaseSet;
  readonly server: StreamServer;
  readonly quarantine: Quarantine;
  /** Where this node's proxy takes requests, told to the other nodes. */
  proxyUrl: string | undefined;
  readonly #options: ReplicationNodeOptions;
  readonly #keeper: LeaseKeeping;
  readonly #client: StreamClient;
  readonly #loop: CaptureLoop;
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #stopping = new AbortController();
  #running: Promise<unknown> | undefined;
  #timers: NodeJS.Timeout[] = [];
  #clusterId: string | undefined;
  #term: PrimaryTerm | undefined;
  #isSynced = false;
  /** Nodes that have been connected to this one, and when last. */
  readonly #seen = new Map<string, { readonly node: NodeIdentity; readonly atMs: number }>();
  /** Names of refused databases with the reason last logged, so that each is logged once. */
  readonly #refused = new Map<string, string>();

  constructor(options: ReplicationNodeOptions) {
    this.#options = options;
    mkdirSync(options.stateFolder, { recursive: true });
    this.quarantine = new Quarantine(`${options.stateFolder}/quarantine`);
    this.databases = new DatabaseSet({
      ...options,
      quarantine: this.quarantine,
      onApplied: (database) => this.#moved(database),
    });
    this.#clusterId = readClusterId(options.stateFolder) ?? options.clusterId;
    const settings = { ...STREAM_SETTINGS, ...options.settings };
    const common = { clock: systemStreamClock, settings, log: options.log };
    const { access, repairBytesPerSecond, token, tls } = options;
    this.server = new StreamServer({
      ...common,
      primary: () => (this.#keeper.isPrimaryNow() ? this.#term : undefined),
      access,
      ...(repairBytesPerSecond === undefined ? {} : { repairBytesPerSecond }),
    });
    const keeperOptions = this.#keeperOptions();
    const { store, threadStore } = options;
    this.#keeper =
      threadStore === undefined
        ? new LeaseKeeper({ ...keeperOptions, store })
        : new LeaseThread({ ...keeperOptions, store: threadStore });
    this.#client = new StreamClient({
      ...common,
      replica: this.#asReplica(),
      target: () => this.#target(),
      ...(token === undefined ? {} : { token }),
      ...(tls === undefined ? {} : { tls }),
      backOff: { ...STREAM_BACK_OFF, maxMs: options.reconnectDelayMs ?? STREAM_BACK_OFF.maxMs },
      random: Math.random,
    });
    this.#loop = new CaptureLoop({
      onCommit: (database) => this.#committed(database),
      onError: (database, error) => this.#complain(`cannot capture ${database.name}`, error),
    });
  }

  get identity(): NodeIdentity {
    return this.#options.identity;
  }

  get clusterId(): string | undefined {
    return this.#clusterId;
  }

  get role(): NodeRole {
    if (this.#term !== undefined) return 'primary';
    return this.primary === undefined ? 'none' : 'replica';
  }

  /** The node that holds the lease, as far as is known. */
  get primary(): NodeIdentity | undefined {
    return this.#term === undefined ? this.#keeper.view?.holder : this.identity;
  }

  get epoch(): number {
    return this.#term?.epoch ?? this.highestEpoch;
  }

  /** The highest epoch that any database of this node has seen. */
  get highestEpoch(): number {
    return Math.max(0, ...[...this.databases].map((database) => database.history().highestEpoch));
  }

  /** Whether this node has been in step with a primary, or is one. */
  get isReady(): boolean {
    return this.#term !== undefined || this.#isSynced;
  }

  get members(): readonly NodeIdentity[] {
    return this.#keeper.view?.members ?? [];
  }

  get lags(): ReturnType<StreamClient['lags']> {
    return this.#client.lags();
  }

  get streamState(): StreamClient['state'] {
    return this.#client.state;
  }

  /** The acknowledgements of the present term. */
  get acknowledgements(): Acknowledgements | undefined {
    return this.#term?.acknowledgements;
  }

  /** Whether this node may confirm a write at this very moment. */
  isPrimaryNow(): boolean {
    return this.#term !== undefined && this.#keeper.isPrimaryNow();
  }

  /** What this node tells others of itself. */
  report(): PeerReport {
    return {
      name: this.identity.name,
      clusterId: this.#clusterId,
      highestEpoch: this.highestEpoch,
      positions: this.positions(),
      ...(this.proxyUrl === undefined ? {} : { proxyUrl: this.proxyUrl }),
    };
  }

  positions(): Record<string, Position> {
    return Object.fromEntries([...this.databases].map((each) => [each.name, each.position()]));
  }

  /** Calls back on each event, until the returned function is called. */
  listen(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Opens the databases, all fenced, and begins to look for a primary or to be it. */
  start(): void {
    this.#look();
    this.#timers = [
      setInterval(() => this.#look(), LOOK_MS),
      setInterval(() => this.#retain(), RETENTION_MS),
    ];
    const { signal } = this.#stopping;
    this.#running = Promise.all([this.#keeper.run(signal), this.#client.run(signal)]);
  }

  /** Gives up the lease if it is held, and closes everything. Hand off before, if there is anyone. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stepDown();
    await this.server.close('this node stops');
    this.#stopping.abort();
    await this.#running;
    this.#loop.close();
    this.databases.close();
  }

  /**
   * Captures whatever has been committed and waits until as many replicas have it as the policy
   * wants.
   *
   * @returns whether they have; false when the policy let it pass without
   * @throws ReplicationError `not_primary`, and BaseError `stream_acknowledgement_unknown` when the
   * term ends meanwhile
   */
  async confirm(policy = this.#options.acknowledge): Promise<boolean> {
    const term = this.#term;
    if (term === undefined || !this.#keeper.isPrimaryNow()) throw notPrimary();
    if (this.databases.isStale) this.#look();
    const outcomes = await Promise.all(
      [...this.databases].map((database) => {
        if (database.capture() > 0) this.#committed(database);
        return term.acknowledgements.waitFor(database.name, database.position(), policy);
      }),
    );
    if (this.#term !== term || !this.#keeper.isPrimaryNow()) throw notPrimary();
    return outcomes.every((outcome) => outcome === 'acknowledged');
  }

  /** Captures what has been committed and has not been captured yet. */
  capture(): void {
    if (this.databases.isStale) this.#look();
    for (const database of this.databases) if (database.capture() > 0) this.#committed(database);
  }

  /**
   * Makes the node of that name primary, or any connected one: writers are stopped, the target
   * confirms that it holds everything, then the lease passes. Writes go on here if it fails.
   *
   * @throws ReplicationError `not_primary`, `hand_off_failed`.
   */
  async handOff(name?: string, timeoutMs = 10_000): Promise<void> {
    const term = this.#term;
    if (term === undefined) throw notPrimary();
    const successor = name ?? this.#bestSuccessor();
    if (successor === undefined) {
      throw new ReplicationError('hand_off_failed', 'No other node is connected and in step.', {
        retryable: true,
      });
    }
    const hasPassed = await this.#keeper.handOff(successor, async () => {
      this.#loop.close();
      for (const database of this.databases) database.becomeReplica();
      try {
        await this.server.handOff(successor, { timeoutMs });
        return true;
      } catch (error) {
        this.#complain(`cannot hand off to ${successor}`, error);
        this.#lead(term.epoch);
        return false;
      }
    });
    if (!hasPassed)
      throw new ReplicationError('hand_off_failed', `${successor} did not take over.`);
  }

  /**
   * Takes a database in, in the place of the one of that name or as a new one.
   *
   * @throws ReplicationError `not_primary`, `not_a_database`.
   */
  importDatabase(name: string, path: string): Position {
    if (!this.isPrimaryNow()) throw notPrimary();
    checkDatabaseFile(path);
    const existing = this.databases.get(name);
    if (existing?.isPresent === true) existing.importFile(path);
    else this.databases.place(name, path);
    this.#look();
    const database = this.databases.get(name);
    if (database === undefined) throw new ReplicationError('not_a_database', `${name} is not one.`);
    this.#committed(database);
    return database.position();
  }

  /** Whether this node tries to become primary. One that is primary goes on. */
  setCandidate(isCandidate: boolean): void {
    this.#keeper.setCandidate(isCandidate);
  }

  /** Gives the lease up without a successor: somebody has seen a higher epoch. */
  stepAside(): Promise<void> {
    return this.#keeper.stepDown(async () => this.#stepDown());
  }

  /** Answers the primary's question while its lease store is away. */
  promise(epoch: number, durationMs: number): Promise<boolean> {
    return this.#keeper.promiseNotToAcquire(epoch, systemStreamClock.monotonicMs() + durationMs);
  }

  /** For the 'upgrade' event of the node's HTTP server; false when it is for somebody else. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): boolean {
    return this.server.handleUpgrade(request, socket, head);
  }

  get #peerAccess(): PeerAccess {
    const { token, tls } = this.#options;
    return {
      timeoutMs: PEER_TIMEOUT_MS,
      ...(token === undefined ? {} : { token }),
      ...(tls === undefined ? {} : { tls }),
    };
  }

  #keeperOptions(): Omit<LeaseKeeperOptions, 'store'> {
    const { identity, timings, isCandidate, isFailsafe } = this.#options;
    const access = this.#peerAccess;
    return {
      self: identity,
      timings,
      isCandidate,
      epochFloor: () => this.highestEpoch,
      mayLead: (view) => this.#mayLead(view),
      mayLeadUnlisted: !isFailsafe,
      ...(isFailsafe
        ? {
            askPeers: async ({ epoch, peers, durationMs }) => {
              const question = { epoch, durationMs };
              const answers = peers.map((peer) => askFailsafe(peer.advertiseUrl, question, access));
              const settled = await Promise.allSettled(answers);
              return settled.every((each) => each.status === 'fulfilled' && each.value);
            },
          }
        : {}),
      onChange: (change) => this.#roleChanged(change),
      onView: () => this.#viewChanged(),
      onError: (error) => this.#complain('the lease store did not answer', error),
    };
  }

  async #mayLead(view: LeaseView): Promise<boolean> {
    const others = view.members.filter(({ name }) => name !== this.identity.name);
    const settled = await Promise.allSettled(
      others.map(({ advertiseUrl }) => askPosition(advertiseUrl, this.#peerAccess)),
    );
    const reports = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const own = { ...this.report(), name: this.identity.name };
    const abstention = judgeCandidacy(own, view, reports);
    if (abstention === undefined) return true;
    this.#options.log('info', 'not taking the lease', abstention as { reason: string });
    return false;
  }

  #roleChanged(change: RoleChange): void {
    if (change.kind === 'leading') {
      void this.#begin(change.term.epoch).catch((error: unknown) => {
        this.#complain('cannot become primary', error);
        return this.stepAside();
      });
      return;
    }
    this.#options.log('info', 'no longer primary', { reason: change.reason });
    this.#stepDown();
    void this.server.close('this node is no longer primary');
    this.#client.retarget();
    this.#emit({ kind: 'role', role: this.role, primary: this.primary });
  }

  async #begin(epoch: number): Promise<void> {
    const { store, stateFolder, identity, clusterSize } = this.#options;
    const minted = mintClusterId(randomBytes(CLUSTER_ID_RANDOM_BYTES));
    const clusterId = await store.claimClusterId(this.#clusterId ?? minted);
    if (this.#clusterId !== clusterId) writeClusterId(stateFolder, clusterId);
    this.#clusterId = clusterId;
    if (!this.#keeper.isPrimaryNow()) return;
    this.#term = new PrimaryTerm(this, epoch, new Acknowledgements(clusterSize, systemStreamClock));
    this.#lead(epoch);
    this.#client.retarget();
    this.#options.log('info', 'primary from now on', { epoch, node: identity.name });
    this.#emit({ kind: 'role', role: 'primary', primary: identity });
  }

  #lead(epoch: number): void {
    for (const database of this.databases) this.#leadDatabase(database, epoch);
  }

  #leadDatabase(database: ReplicatedDatabase, epoch: number): void {
    if (!database.isPresent) return;
    database.becomePrimary(epoch);
    this.#loop.add(database);
    this.server.changed(database.name);
  }

  /** R8. Fences every database; one whose writer does not end its transaction is tried again. */
  #stepDown(): void {
    this.#loop.close();
    this.#term?.acknowledgements.end();
    this.#term = undefined;
    for (const database of this.databases) this.#fence(database);
  }

  #fence(database: ReplicatedDatabase): void {
    try {
      database.becomeReplica();
    } catch (error) {
      this.#complain(`cannot stop writers of ${database.name} yet`, error);
      setTimeout(() => {
        if (this.#term === undefined) this.#fence(database);
      }, FENCE_AGAIN_MS).unref();
    }
  }

  #viewChanged(): void {
    this.#client.retarget();
    if (this.#term === undefined) {
      this.#emit({ kind: 'role', role: this.role, primary: this.primary });
    }
  }

  /** Where the stream comes from; undefined while this node is primary or knows of none. */
  #target(): URL | undefined {
    const holder = this.#keeper.view?.holder;
    if (this.#term !== undefined || holder === undefined) return undefined;
    return holder.name === this.identity.name ? undefined : new URL(holder.advertiseUrl);
  }

  #asReplica(): StreamReplica {
    return {
      identity: this.identity,
      clusterId: () => this.#clusterId,
      highestEpoch: () => this.highestEpoch,
      databases: () => this.databases,
      open: (name) => this.databases.open(name),
      drop: (name) => this.databases.setAside(name, 'The primary has no such database.'),
      welcomed: (welcome) => this.#welcomed(welcome),
      membersChanged: () => {},
      ready: () => {
        this.#isSynced = true;
        this.#emit({ kind: 'ready' });
      },
      handOff: (offer: HandOffOffer) => {
        this.#options.log('info', 'taking over from the primary', { epoch: offer.epoch });
      },
    };
  }

  #welcomed({ clusterId }: Welcome): void {
    const { stateFolder, onClusterMismatch: onMismatch } = this.#options;
    const hasData = [...this.databases].some(({ isPresent }) => isPresent);
    const local = this.#clusterId;
    const verdict = judgeClusterId({ local, hasData, primary: clusterId, onMismatch });
    if (verdict.kind === 'refuse') throw new ReplicationError('cluster_mismatch', verdict.sentence);
    if (verdict.kind === 'set-aside') {
      for (const { name } of [...this.databases]) this.databases.setAside(name, verdict.sentence);
      writeClusterId(stateFolder, clusterId);
      this.#clusterId = clusterId;
      // The stream that has just begun lists databases that are gone; the next one does not.
      throw new ReplicationError('cluster_mismatch', verdict.sentence, { retryable: true });
    }
    if (this.#clusterId === clusterId) return;
    writeClusterId(stateFolder, clusterId);
    this.#clusterId = clusterId;
  }

  #committed(database: ReplicatedDatabase): void {
    this.server.changed(database.name);
    this.#moved(database);
  }

  #moved(database: ReplicatedDatabase): void {
    this.#emit({ kind: 'position', name: database.name, position: database.position() });
  }

  #look(): void {
    this.#recordMembers();
    try {
      const { opened, dropped, refused } = this.databases.look();
      for (const database of dropped) {
        this.#options.log('warn', 'a database was dropped', { name: database.name });
        this.#loop.remove(database);
        this.server.dropped(database.name);
      }
      const epoch = this.#term?.epoch;
      if (epoch !== undefined) for (const database of opened) this.#leadDatabase(database, epoch);
      for (const { name, error } of refused) {
        if (this.#refused.get(name) === error.message) continue;
        this.#refused.set(name, error.message);
        this.#complain(`cannot replicate ${name}`, error);
      }
    } catch (error) {
      this.#complain('cannot look for databases', error);
    }
  }

  #retain(): void {
    const { ageMaxMs, bytesMax } = this.#options.retention;
    const nowMs = this.#options.clock.nowMs();
    for (const { log, syncedTxid } of this.databases) {
      if (log === undefined) continue;
      // What the database itself does not hold yet may have to be applied once more.
      const rules = {
        nowMs,
        ageMaxMs,
        bytesMax,
        keepFromTxid: syncedTxid + 1,
        bytesHardMax: Infinity,
      };
      log.removeThrough(planRetention(log.measuredEntries(), rules));
    }
  }

  /** Of the nodes that are in step, the one that has acknowledged most. */
  #bestSuccessor(): string | undefined {
    const ready = this.server.sessions.filter(({ isReady, node }) => isReady && node !== undefined);
    const behind = (session: (typeof ready)[number]): number =>
      session.feeds.reduce((sum, { transactionsBehind }) => sum + transactionsBehind, 0);
    return ready.toSorted((a, b) => behind(a) - behind(b))[0]?.node?.name;
  }

  /** Records who is connected, so that candidates and the fail-safe rule know whom to ask. */
  #recordMembers(): void {
    const term = this.#term;
    if (term === undefined) return;
    const connected = this.server.sessions.flatMap(({ node }) => node ?? []);
    const nowMs = systemStreamClock.monotonicMs();
    for (const node of connected) this.#seen.set(node.name, { node, atMs: nowMs });
    const members = [...this.#seen.values()]
      .filter(({ atMs }) => nowMs - atMs < MEMBER_ABSENT_MS_MAX)
      .map(({ node }) => node);
    const key = members
      .map(({ id }) => id)
      .toSorted()
      .join(' ');
    if (key === term.recordedMembers) return;
    term.recordedMembers = key;
    this.#keeper.recordMembers([this.identity, ...members]).catch((error: unknown) => {
      term.recordedMembers = undefined;
      this.#complain('cannot record the members of the cluster', error);
    });
    this.server.membersChanged();
  }

  #emit(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #complain(what: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log('warn', what, { message });
  }
}

function notPrimary(): ReplicationError {
  return new ReplicationError('not_primary', 'This node is not the primary.', {
    retryable: true,
    hint: 'Send the write to the primary, or through the proxy, which does so.',
  });
}
