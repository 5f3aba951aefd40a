import { existsSync, mkdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import {
  LeaseKeeper,
  type LeaseKeeperOptions,
  type LeaseKeeping,
  LeaseThread,
  type NodeIdentity,
  type RoleChange,
} from '@tandem/lease';
import { Acknowledgements } from './acknowledgements.ts';
import { ClusterMembership } from './cluster-membership.ts';
import { Complaints } from './complaints.ts';
import { checkDatabaseFile } from './database-import.ts';
import { DatabaseRoles } from './database-roles.ts';
import { DatabaseSet } from './database-set.ts';
import { Election, heardForMajority } from './election.ts';
import type { Position } from './epoch-history.ts';
import { handOff } from './hand-off.ts';
import type { Candidacy } from './leadership.ts';
import { MemberRecord } from './member-record.ts';
import type { NodeEvent, NodeRole, ReplicationNodeOptions } from './node-options.ts';
import { nodeReplica } from './node-replica.ts';
import { NodeStreams } from './node-streams.ts';
import { askFailsafe, type PeerAccess, type PeerReport } from './peer-client.ts';
import { PrimaryTerm } from './primary-term.ts';
import { Quarantine } from './quarantine.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';
import { ReplicationError } from './replication-error.ts';
import { sweepLog } from './retention-sweep.ts';
import type { StreamClient } from './stream-client.ts';
import type { StreamServer } from './stream-server.ts';
import { systemStreamClock, type StreamClock } from './stream-source.ts';
import { TwinWatch } from './twin-watch.ts';

const LOOK_MS = 1000;
const RETENTION_MS = 60_000;
const PEER_TIMEOUT_MS = 2000;
/** A node that may not join a cluster tries again, in case its primary is another by then. */
const JOIN_AGAIN_MS = 30_000;
/** At the end replicas are given so long to take what was written last. */
const FAREWELL_MS_MAX = 1000;
const FAREWELL_LOOK_MS = 10;

/**
 * A node: its databases, the lease, and the stream from or to the others. R8. At most one node is
 * primary at any moment, by the lease; all databases of a node change role together.
 */
export class ReplicationNode {
  readonly databases: DatabaseSet;
  readonly quarantine: Quarantine;
  /** Where this node's proxy takes requests, told to the other nodes. */
  proxyUrl: string | undefined;
  readonly #options: ReplicationNodeOptions;
  readonly #clock: StreamClock;
  readonly #complaints: Complaints;
  readonly #membership: ClusterMembership;
  readonly #roles: DatabaseRoles;
  readonly #streams: NodeStreams;
  readonly #keeper: LeaseKeeping;
  readonly #election: Election;
  readonly #twins: TwinWatch;
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  #timers: NodeJS.Timeout[] = [];
  #term: PrimaryTerm | undefined;
  /** The lease is held, and the term has begun or is about to. */
  #isHolder = false;
  #isSynced = false;
  #joinAgainMs = -Infinity;
  /** The last epoch there was when this node tried to lead. */
  #electionEpoch = 0;
  /** Names of databases that a program keeps locked since before they could be opened. */
  readonly #locked = new Set<string>();

  constructor(options: ReplicationNodeOptions) {
    this.#options = options;
    this.#clock = options.streamClock ?? systemStreamClock;
    const { stateFolder, clusterId, onClusterMismatch: onMismatch, identity } = options;
    this.#complaints = new Complaints(options.log, this.#clock);
    mkdirSync(stateFolder, { recursive: true });
    this.quarantine = new Quarantine(`${stateFolder}/quarantine`);
    this.databases = new DatabaseSet({
      ...options,
      quarantine: this.quarantine,
      onApplied: (database) => this.#moved(database),
    });
    this.#membership = new ClusterMembership({
      stateFolder,
      onMismatch,
      ...(clusterId === undefined ? {} : { configuredId: clusterId }),
      hasData: () => this.#hasData,
      setAllAside: (reason) => this.#setAllAside(reason),
    });
    this.#roles = new DatabaseRoles({
      databases: this.databases,
      onCommit: (database) => this.#committed(database),
      complaints: this.#complaints,
      clock: this.#clock,
    });
    this.#streams = this.#makeStreams();
    const access = this.#peerAccess;
    this.#twins = new TwinWatch({ self: identity, access, complaints: this.#complaints });
    const { acknowledge, clusterSize, timings } = options;
    const isMajority = acknowledge.mode === 'majority' && acknowledge.onTimeout === 'block';
    this.#election = new Election({
      own: () => this.#candidacy(),
      access,
      catchUp: this.#streams.catchUp,
      heardMin: isMajority ? heardForMajority(clusterSize) : 1,
      complaints: this.#complaints,
      waitMs: Math.max(timings.retryMs, 1000),
    });
    this.#keeper = this.#makeKeeper();
  }

  get identity(): NodeIdentity {
    return this.#options.identity;
  }

  get clusterId(): string | undefined {
    return this.#membership.id;
  }

  get server(): StreamServer {
    return this.#streams.server;
  }

  get role(): NodeRole {
    if (this.#term !== undefined) return 'primary';
    return this.primary === undefined ? 'none' : 'replica';
  }

  /** The node that holds the lease, as far as is known; undefined while that is a process of old. */
  get primary(): NodeIdentity | undefined {
    if (this.#term !== undefined) return this.identity;
    const holder = this.#keeper.view?.holder;
    return holder?.name === this.identity.name ? undefined : holder;
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
    return this.#streams.client.lags();
  }

  get streamState(): StreamClient['state'] {
    return this.#streams.client.state;
  }

  /** The acknowledgements of the present term. */
  get acknowledgements(): Acknowledgements | undefined {
    return this.#term?.confirmations;
  }

  /** Whether this node may confirm a write at this very moment. */
  isPrimaryNow(): boolean {
    return this.#term !== undefined && this.#keeper.isPrimaryNow();
  }

  /** What this node tells others of itself. */
  report(): PeerReport {
    const { name, id } = this.identity;
    return {
      name,
      id,
      clusterId: this.clusterId,
      highestEpoch: this.highestEpoch,
      positions: this.positions(),
      standings: this.#standings(),
      isPrimary: this.isPrimaryNow(),
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
    const parts = [this.#keeper.run(signal), this.#streams.client.run(signal)];
    this.#running = Promise.all(parts);
  }

  /** Gives up the lease if it is held, and closes everything. Hand off before, if there is anyone. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const wasPrimary = this.#term !== undefined;
    this.#stepDown();
    if (wasPrimary) await this.#farewell();
    await this.#streams.close('this node stops');
    this.#stopping.abort();
    try {
      await this.#running;
    } finally {
      this.#roles.close();
      this.databases.close();
    }
  }

  /**
   * Captures whatever has been committed and waits until as many replicas have it as the policy
   * wants.
   *
   * @returns whether they have; false when the policy let it pass without
   * @throws ReplicationError `not_primary`, `database_locked`, what capture throws, and BaseError
   * `stream_acknowledgement_unknown` when the term ends meanwhile
   */
  async confirm(policy = this.#options.acknowledge): Promise<boolean> {
    const term = this.#term;
    if (term === undefined || !this.#keeper.isPrimaryNow()) throw notPrimary();
    this.capture();
    const [locked] = this.#locked;
    if (locked !== undefined && policy.mode !== 'none') throw notReplicated(locked);
    const positions = [...this.databases].map((database) => ({
      name: database.name,
      position: database.position(),
    }));
    const outcome = await term.confirm(positions, policy);
    if (this.#term !== term || !this.#keeper.isPrimaryNow()) throw notPrimary();
    return outcome === 'acknowledged';
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
   * @throws ReplicationError `not_primary`, `hand_off_failed`, LeaseError `lease_fixed`.
   */
  async handOff(name?: string, timeoutMs = 10_000): Promise<void> {
    const term = this.#term;
    if (term === undefined) throw notPrimary();
    const successors = name === undefined ? this.#streams.successors : [name];
    const [first] = successors;
    if (first === undefined) throw handOffFailed('No other node is connected and in step.');
    if (term.isLeaving) throw handOffFailed('Another hand-off is under way.');
    // A static lease says so before anything is stopped.
    if (this.#options.store.kind === 'static') await this.#keeper.handOff(first, async () => false);
    term.isLeaving = true;
    try {
      await handOff({
        term,
        isCurrent: () => this.#term === term,
        keeper: this.#keeper,
        roles: this.#roles,
        server: this.server,
        clock: this.#clock,
        successors,
        timeoutMs,
      });
      if (this.#term === term) this.#stepDown();
    } finally {
      term.isLeaving = false;
      if (this.#term === term) this.#goOn(term);
    }
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

  /** Gives the lease up without a successor; others get the first try. */
  async stepAside(): Promise<void> {
    try {
      await this.#keeper.stepDown(async () => this.#stepDown());
    } catch (error) {
      this.#complaints.about('cannot give the lease up', error);
    }
  }

  /** Answers the primary's question while its lease store is away. */
  promise(epoch: number, durationMs: number): Promise<boolean> {
    return this.#keeper.promiseNotToAcquire(epoch, this.#clock.monotonicMs() + durationMs);
  }

  /** For the 'upgrade' event of the node's HTTP server; false when it is for somebody else. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): boolean {
    return this.#streams.handleUpgrade(request, socket, head);
  }

  get #peerAccess(): PeerAccess {
    const { token, tls } = this.#options;
    return {
      timeoutMs: PEER_TIMEOUT_MS,
      ...(token === undefined ? {} : { token }),
      ...(tls === undefined ? {} : { tls }),
    };
  }

  get #hasData(): boolean {
    return [...this.databases].some(({ isPresent }) => isPresent);
  }

  #makeStreams(): NodeStreams {
    const { identity, store, isCandidate, isFailsafe } = this.#options;
    const replica = nodeReplica({
      identity,
      databases: this.databases,
      membership: this.#membership,
      store,
      clock: this.#clock,
      isCandidate,
      isFailsafe,
      view: () => this.#keeper.view,
      highestEpoch: () => this.highestEpoch,
      onReady: () => {
        this.#isSynced = true;
        this.#emit({ kind: 'ready' });
      },
      onRefusal: (error) => {
        this.#joinAgainMs = this.#clock.monotonicMs() + JOIN_AGAIN_MS;
        this.#complaints.about('cannot join the cluster', error);
      },
    });
    return new NodeStreams({
      node: this.#options,
      clock: this.#clock,
      replica,
      primary: () => (this.isPrimaryNow() ? this.#term : undefined),
      mayFollow: () => !this.#isHolder && this.#roles.areFenced,
      leader: () => (this.#clock.monotonicMs() < this.#joinAgainMs ? undefined : this.primary),
      sponsorship: () =>
        this.#isHolder
          ? undefined
          : {
              identity,
              clusterId: this.clusterId ?? '',
              epoch: this.highestEpoch,
              database: (name) => this.databases.get(name),
            },
      open: (name) => this.databases.open(name),
      onClusterDiffers: () => this.#membership.doubt(),
    });
  }

  #makeKeeper(): LeaseKeeping {
    const { identity, store, threadStore, timings, isCandidate, isFailsafe } = this.#options;
    const access = this.#peerAccess;
    const options: Omit<LeaseKeeperOptions, 'store'> = {
      self: identity,
      timings,
      isCandidate,
      epochFloor: () => this.highestEpoch,
      mayLead: (view) => {
        this.#electionEpoch = view.epoch;
        return this.#election.mayLead(view);
      },
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
      onError: (error) => this.#complaints.about('the lease store did not answer', error),
    };
    return threadStore === undefined
      ? new LeaseKeeper({ ...options, store, clock: this.#clock })
      : new LeaseThread({ ...options, store: threadStore });
  }

  #candidacy(): Candidacy {
    return {
      name: this.identity.name,
      clusterId: this.clusterId,
      hasJoined: this.#membership.hasJoined,
      hasData: this.#hasData,
      highestEpoch: this.highestEpoch,
      standings: this.#standings(),
    };
  }

  #standings(): Record<string, Position> {
    return Object.fromEntries(
      [...this.databases].map((database) => {
        const { txid } = database.position();
        return [database.name, { epoch: database.history().epochOf(txid + 1), txid }];
      }),
    );
  }

  #roleChanged(change: RoleChange): void {
    if (change.kind === 'leading') {
      this.#isHolder = true;
      void this.#begin(change.term.epoch).catch((error: unknown) => {
        this.#complaints.about('cannot become primary', error);
        return this.stepAside();
      });
      return;
    }
    this.#options.log('info', 'no longer primary', { reason: change.reason });
    this.#stepDown();
    void this.server.close('this node is no longer primary');
  }

  /** Nothing of it happens for a term that has ended meanwhile. */
  async #begin(epoch: number): Promise<void> {
    const { store, identity } = this.#options;
    const isOver = (): boolean => this.#stopped !== undefined || this.#keeper.term?.epoch !== epoch;
    await this.#membership.claim(store, this.#keeper.view?.clusterId);
    await this.#streams.unfollowed();
    if (isOver() || this.#term?.epoch === epoch) return;
    this.#streams.endSponsorship();
    const term = this.#makeTerm(epoch);
    this.#term = term;
    this.#roles.lead(epoch);
    this.#recordMembers();
    this.#options.log('info', 'primary from now on', { epoch, node: identity.name });
    this.#emit({ kind: 'role', role: 'primary', primary: identity });
  }

  #makeTerm(epoch: number): PrimaryTerm {
    const { identity, clusterSize } = this.#options;
    const known = this.members.filter(({ name }) => name !== identity.name);
    const record = new MemberRecord(
      {
        record: (members) => this.#keeper.recordMembers([identity, ...members]),
        complaints: this.#complaints,
        clock: this.#clock,
        onRecorded: () => this.server.membersChanged(),
      },
      known,
    );
    const confirmations = new Acknowledgements(clusterSize, this.#clock);
    const node = {
      identity,
      clusterId: () => this.clusterId ?? '',
      members: () => this.members,
      databases: this.databases,
      replica: (name: string) => this.#streams.connected.findLast((each) => each.name === name),
      outdated: (seen: number, by: NodeIdentity) => this.#outdated(epoch, seen, by),
    };
    return new PrimaryTerm(node, { epoch, confirmations, record });
  }

  /** Somebody has followed a later primary than this node is. */
  #outdated(epoch: number, seen: number, by: NodeIdentity): void {
    this.#complaints.say('warn', 'another node has seen a later primary', {
      message: `${by.name} has seen epoch ${seen}, and this node is primary of epoch ${epoch}.`,
      hint:
        'This node steps down. Its disk or the lease store was reset or restored: let the node whose ' +
        'data is right be primary, or set the data of the others aside.',
    });
    void this.stepAside();
  }

  /** Writers go on after a hand-off that came to nothing. */
  #goOn(term: PrimaryTerm): void {
    try {
      this.#roles.lead(term.epoch);
    } catch (error) {
      this.#complaints.about('cannot go on as primary', error);
      void this.stepAside();
    }
  }

  #stepDown(): void {
    const term = this.#term;
    this.#isHolder = false;
    this.#term = undefined;
    this.#roles.fence(() => this.#streams.client.retarget());
    term?.confirmations.end();
    this.#emit({ kind: 'role', role: this.role, primary: this.primary });
  }

  /** What was written last is not to be missing where the next primary is. */
  async #farewell(): Promise<void> {
    const endMs = this.#clock.monotonicMs() + FAREWELL_MS_MAX;
    const isDone = (): boolean => this.#roles.areFenced && this.#streams.areReplicasInStep;
    while (!isDone() && this.#clock.monotonicMs() < endMs) {
      await new Promise<void>((resolve) => void this.#clock.after(FAREWELL_LOOK_MS, resolve));
    }
  }

  #viewChanged(): void {
    const { view } = this.#keeper;
    if (view !== undefined && view.epoch > this.#electionEpoch) this.#streams.catchUp.cancel();
    this.#twins.look(view?.holder);
    this.#streams.client.retarget();
    if (this.#term === undefined) {
      this.#emit({ kind: 'role', role: this.role, primary: this.primary });
    }
  }

  #setAllAside(reason: string): void {
    for (const { name } of [...this.databases]) this.databases.setAside(name, reason);
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
      const { dropped, refused } = this.databases.look();
      for (const database of dropped) {
        this.#options.log('warn', 'a database was dropped', { name: database.name });
        this.#roles.gone(database);
        this.server.dropped(database.name);
      }
      for (const { name, error } of refused) {
        this.#complaints.about(`cannot replicate ${name}`, error);
        if (isLocked(error)) this.#locked.add(name);
      }
    } catch (error) {
      this.#complaints.about('cannot look for databases', error);
    }
    for (const name of this.#locked) {
      const isGone = !existsSync(join(this.#options.folder, name));
      if (isGone || this.databases.get(name) !== undefined) this.#locked.delete(name);
    }
    for (const database of this.databases) this.#leadIfNew(database);
  }

  /** Also one that could not be led before. */
  #leadIfNew(database: ReplicatedDatabase): void {
    if (database.role === 'primary') return;
    try {
      this.#roles.found(database);
    } catch (error) {
      this.#complaints.about(`cannot let programs write ${database.name}`, error);
    }
  }

  #retain(): void {
    const { ageMaxMs, bytesMax } = this.#options.retention;
    const nowMs = this.#options.clock.nowMs();
    const neededFrom = (name: string): number | undefined => this.#streams.neededFrom(name);
    for (const database of this.databases) {
      try {
        sweepLog(database, { nowMs, ageMaxMs, bytesMax, neededFrom });
      } catch (error) {
        this.#complaints.about(`cannot shorten the log of ${database.name}`, error);
      }
    }
  }

  /** Records who is connected, so that candidates and the fail-safe rule know whom to ask. */
  #recordMembers(): void {
    const { connected } = this.#streams;
    this.#term?.record.update(connected.filter(({ name }) => name !== this.identity.name));
  }

  #emit(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function isLocked(error: Error): boolean {
  return error instanceof ReplicationError && error.code === 'database_locked';
}

function notPrimary(): ReplicationError {
  return new ReplicationError('not_primary', 'This node is not the primary.', {
    retryable: true,
    hint: 'Send the write to the primary, or through the proxy, which does so.',
  });
}

function notReplicated(name: string): ReplicationError {
  const message = `${name} is new, and a transaction in it keeps it from being replicated.`;
  return new ReplicationError('database_locked', message, { retryable: true });
}

function handOffFailed(why: string): ReplicationError {
  return new ReplicationError('hand_off_failed', why, { retryable: true });
}
