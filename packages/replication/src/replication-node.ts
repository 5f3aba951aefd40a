import { mkdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LeaseKeeping, NodeIdentity, RoleChange } from '@tandem/lease';
import type { Acknowledgements } from './acknowledgements.ts';
import { ClusterMembership } from './cluster-membership.ts';
import { Complaints } from './complaints.ts';
import { DatabaseRoles } from './database-roles.ts';
import type { DatabaseSet } from './database-set.ts';
import { DatabaseUpkeep } from './database-upkeep.ts';
import { Election, heardMinOf } from './election.ts';
import type { Position } from './epoch-history.ts';
import { handOff } from './hand-off.ts';
import { candidacyOf, reportOf } from './leadership.ts';
import type { NodeEvent, NodeRole, ReplicationNodeOptions } from './node-options.ts';
import { openDatabases } from './node-databases.ts';
import { NodeListeners } from './node-listeners.ts';
import type { LogConsumer } from './log-consumer.ts';
import { nodeReplica } from './node-replica.ts';
import { NodeStreams } from './node-streams.ts';
import { openKeeper } from './node-keeper.ts';
import { notPrimary, notReplicated } from './node-refusals.ts';
import { peerAccessOf, type PeerReport } from './peer-client.ts';
import { openTerm } from './open-term.ts';
import type { PrimaryTerm } from './primary-term.ts';
import type { Quarantine } from './quarantine.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';
import type { StreamClient } from './stream-client.ts';
import type { StreamServer } from './stream-server.ts';
import { systemStreamClock, type StreamClock } from './stream-source.ts';
import { TwinWatch } from './twin-watch.ts';

const LOOK_MS = 1000;
const RETENTION_MS = 60_000;
/** A node that may not join a cluster tries again, in case its primary is another by then. */
const JOIN_AGAIN_MS = 30_000;

/**
 * A node: its databases, the lease, and the stream from or to the others. R8. At most one node is
 * primary at any moment, by the lease; all databases of a node change role together.
 */
export class ReplicationNode {
  readonly databases: DatabaseSet;
  readonly quarantine: Quarantine;
  /** The backup, if there is one. */
  logConsumer: LogConsumer | undefined;
  /** Where this node's proxy takes requests, told to the other nodes. */
  proxyUrl: string | undefined;
  readonly #options: ReplicationNodeOptions;
  readonly #clock: StreamClock;
  readonly #complaints: Complaints;
  readonly #membership: ClusterMembership;
  readonly #roles: DatabaseRoles;
  readonly #upkeep: DatabaseUpkeep;
  readonly #streams: NodeStreams;
  readonly #keeper: LeaseKeeping;
  readonly #election: Election;
  readonly #twins: TwinWatch;
  readonly #listeners = new NodeListeners();
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

  constructor(options: ReplicationNodeOptions) {
    this.#options = options;
    this.#clock = options.streamClock ?? systemStreamClock;
    const { stateFolder, clusterId, onClusterMismatch: onMismatch, identity } = options;
    this.#complaints = new Complaints(options.log, this.#clock);
    mkdirSync(stateFolder, { recursive: true });
    const onMoved = (database: ReplicatedDatabase): void => this.#moved(database);
    const leave = (database: ReplicatedDatabase): Promise<void> | undefined =>
      this.logConsumer?.leave(database);
    const complaints = this.#complaints;
    const opened = openDatabases({ node: options, onMoved, leave, complaints });
    ({ databases: this.databases, quarantine: this.quarantine } = opened);
    this.#membership = new ClusterMembership({
      stateFolder,
      onMismatch,
      ...(clusterId === undefined ? {} : { configuredId: clusterId }),
      hasData: () => this.#hasData,
      setAllAside: (reason) => this.databases.setAllAside('other_cluster', reason),
    });
    this.#roles = new DatabaseRoles({
      databases: this.databases,
      onCommit: (database) => this.#committed(database),
      complaints: this.#complaints,
      clock: this.#clock,
    });
    this.#streams = this.#makeStreams();
    this.#upkeep = new DatabaseUpkeep({
      node: options,
      timer: this.#clock,
      databases: this.databases,
      roles: this.#roles,
      complaints: this.#complaints,
      onDropped: (name) => {
        this.server.dropped(name);
        this.#term?.confirmations.dropped(name);
      },
      neededFrom: (name) => this.#streams.neededFrom(name),
      consumer: () => this.logConsumer,
    });
    const access = peerAccessOf(options);
    this.#twins = new TwinWatch({ self: identity, access, complaints: this.#complaints });
    const { acknowledge, clusterSize, timings } = options;
    this.#election = new Election({
      own: () => candidacyOf(this, this.#membership),
      access,
      catchUp: this.#streams.catchUp,
      heardMin: heardMinOf(acknowledge, clusterSize),
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

  /** How many transactions went from the logs before they were backed up. */
  get lostToBackup(): number {
    return this.#upkeep.lostToBackup;
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
    return reportOf(this, this.isPrimaryNow());
  }

  positions(): Record<string, Position> {
    return Object.fromEntries(Array.from(this.databases, (each) => [each.name, each.position()]));
  }

  /** Calls back on each event, until the returned function is called. */
  listen(listener: (event: NodeEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Opens the databases, all fenced, and begins to look for a primary or to be it. */
  start(): void {
    this.#look();
    this.#timers = [
      setInterval(() => this.#look(), LOOK_MS),
      setInterval(() => this.#upkeep.sweep(), RETENTION_MS),
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
    if (this.#term !== undefined) {
      this.#look();
      this.#roles.fence();
      await this.#streams.farewell(this.databases, () => this.#roles.areFenced);
    }
    this.#stepDown();
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
    const locked = this.#upkeep.lockedName;
    if (locked !== undefined && policy.mode !== 'none') throw notReplicated(locked);
    const outcome = await term.confirm(policy);
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
    if (this.databases.isStale) this.#look();
    await handOff({
      term,
      isCurrent: () => this.#term === term,
      isFixed: this.#options.store.kind === 'static',
      keeper: this.#keeper,
      roles: this.#roles,
      streams: this.#streams,
      lockedName: this.#upkeep.lockedName,
      clock: this.#clock,
      successor: name,
      timeoutMs,
      onPassed: () => this.#stepDown(),
      onFailed: () => {
        if (this.#stopped === undefined) this.#goOn(term);
      },
    });
  }

  /**
   * Takes a database in, in the place of the one of that name or as a new one.
   *
   * Rejects with ReplicationError `not_primary`, `not_a_database`, and `database_locked` when a
   * program does not end its transaction within the time-out.
   */
  async importDatabase(name: string, path: string): Promise<Position> {
    const database = await this.#upkeep.take(name, path, () => {
      if (!this.isPrimaryNow()) throw notPrimary();
    });
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

  get #hasData(): boolean {
    return [...this.databases].some(({ isPresent }) => isPresent);
  }

  #makeStreams(): NodeStreams {
    const { identity } = this;
    const replica = nodeReplica({
      node: this.#options,
      databases: this.databases,
      membership: this.#membership,
      clock: this.#clock,
      view: () => this.#keeper.view,
      highestEpoch: () => this.highestEpoch,
      onReady: () => {
        this.#isSynced = true;
        this.#listeners.tell({ kind: 'ready' });
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
    return openKeeper(this.#options, this.#clock, {
      epochFloor: () => this.highestEpoch,
      mayLead: (view) => {
        this.#electionEpoch = view.epoch;
        return this.#election.mayLead(view);
      },
      onChange: (change) => this.#roleChanged(change),
      onView: () => this.#viewChanged(),
      onError: (error) => this.#complaints.about('the lease store did not answer', error),
    });
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
    const { store, identity, clusterSize } = this.#options;
    const isOver = (): boolean => this.#stopped !== undefined || this.#keeper.term?.epoch !== epoch;
    await this.#membership.claim(store, this.#keeper.view?.clusterId);
    await this.#streams.unfollowed();
    if (isOver() || this.#term?.epoch === epoch) return;
    this.#streams.endSponsorship();
    const term = openTerm(epoch, {
      identity,
      clusterId: this.clusterId ?? '',
      clusterSize,
      members: () => this.members,
      databases: this.databases,
      keeper: this.#keeper,
      streams: this.#streams,
      clock: this.#clock,
      complaints: this.#complaints,
      onOutdated: () => void this.stepAside(),
    });
    this.#term = term;
    this.#roles.lead(epoch);
    this.#recordMembers();
    this.#options.log('info', 'primary from now on', { epoch, node: identity.name });
    this.#listeners.tell({ kind: 'role', role: 'primary', primary: identity });
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
    this.#listeners.tell({ kind: 'role', role: this.role, primary: this.primary });
  }

  #viewChanged(): void {
    const { view } = this.#keeper;
    if (view !== undefined && view.epoch > this.#electionEpoch) this.#streams.catchUp.cancel();
    this.#twins.look(view?.holder);
    this.#streams.client.retarget();
    if (this.#term === undefined) {
      this.#listeners.tell({ kind: 'role', role: this.role, primary: this.primary });
    }
  }

  #committed(database: ReplicatedDatabase): void {
    this.server.changed(database.name);
    this.#moved(database);
  }

  #moved(database: ReplicatedDatabase): void {
    this.#listeners.tell({ kind: 'position', name: database.name, position: database.position() });
  }

  #look(): void {
    this.#recordMembers();
    this.#upkeep.look();
  }

  /** Records who is connected, so that candidates and the fail-safe rule know whom to ask. */
  #recordMembers(): void {
    const { connected } = this.#streams;
    this.#term?.record.update(connected.filter(({ name }) => name !== this.identity.name));
  }
}
