import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@tandem/base';
import {
  makeNodeIdentity,
  openLeaseStore,
  type LeaseStore,
  type NodeIdentity,
  type TlsSettings,
} from '@tandem/lease';
import { Proxy } from '@tandem/proxy';
import { ReplicationNode } from '@tandem/replication';
import type { Logger } from 'pino';
import { databaseFilter } from '../config/database-filter.ts';
import type { ProxyConfig, TandemConfig } from '../config/tandem-config.ts';
import type { NodeCounter } from '../http/node-api.ts';
import { TandemClient } from '../http/client.ts';
import { Backups } from './backups.ts';
import { DaemonError } from './daemon-error.ts';
import { defined, leaseStoreConfig, tlsSettings } from './lease-store.ts';
import { PrimaryDirectory } from './primary-directory.ts';
import { ProxyGate } from './proxy-gate.ts';

const DRAIN_MS = 5000;
const BACKUP_MS = 5000;
const HAND_OFF_MS = 10_000;
const SUCCESSOR_MS = 3000;
const LOOK_MS = 20;
const PEER_TIMEOUT_MS = 2000;

/** A node with its proxy, without the application. */
export class Daemon {
  readonly node: ReplicationNode;
  readonly #config: TandemConfig;
  readonly #log: Logger;
  readonly #store: LeaseStore;
  #proxy: Proxy | undefined;
  #backups: Backups | undefined;
  #wasPrimary = false;
  readonly #counts = { roleChanges: 0, handOffs: 0, handOffsFailed: 0 };

  private constructor(
    config: TandemConfig,
    log: Logger,
    parts: { node: ReplicationNode; store: LeaseStore },
  ) {
    this.#config = config;
    this.#log = log;
    this.node = parts.node;
    this.#store = parts.store;
  }

  /**
   * Makes a node that does nothing yet. `apiPort` is the port on which its HTTP interface listens.
   *
   * @throws LeaseError or ReplicationError when it cannot work.
   */
  static async create(config: TandemConfig, log: Logger, apiPort: number): Promise<Daemon> {
    const identity = identityOf(config, apiPort);
    const storeConfig = await leaseStoreConfig(config.lease, identity, process.env);
    const store = openLeaseStore(storeConfig);
    const { http, acknowledge, checkpoint, repair } = config;
    const node = new ReplicationNode({
      folder: config.databases.folder,
      stateFolder: config.state.folder,
      identity,
      store,
      ...(config.lease.type === 'static' ? {} : { threadStore: storeConfig }),
      timings: config.lease.timings,
      clock: systemClock,
      isMeant: databaseFilter(config.databases),
      journalMode: config.databases.journalMode,
      busyTimeoutMs: config.databases.busyTimeoutMs,
      sync: config.sync,
      checkpointFrames: checkpoint.pages,
      framesMax: checkpoint.pagesMax,
      isCandidate: config.lease.candidate,
      isFailsafe: config.lease.failsafe,
      demoteDelayMs: config.lease.demoteDelayMs,
      clusterSize: config.cluster.nodes,
      acknowledge,
      ...defined({ clusterId: config.cluster.id, token: http.token, tls: peerTls(http.tls) }),
      onClusterMismatch: config.cluster.onMismatch,
      access: {
        tokens: http.token === null ? [] : [http.token],
        isOpenOnLoopback: http.isOpenOnLoopback,
        acceptsCertificates: http.tls?.requireClientCertificate ?? false,
      },
      ...defined({ repairBytesPerSecond: repair.bytesPerSecond }),
      reconnectDelayMs: config.lease.reconnectDelayMs,
      retention: { ageMaxMs: config.logRetention.ageMs, bytesMax: config.logRetention.bytes },
      log: (level, message, facts) => log[level](facts, message),
    });
    return new Daemon(config, log, { node, store });
  }

  get proxy(): Proxy | undefined {
    return this.#proxy;
  }

  /** What has happened since the process began. */
  counters(): Record<NodeCounter, number> {
    const { databases, lostToBackup } = this.node;
    const counts = { ...this.#counts, ...databases.counters.all() };
    return { ...counts, transactionsLostToBackup: lostToBackup };
  }

  /** Opens the databases and looks for a primary, or becomes it. */
  start(): void {
    this.node.start();
    const { backup, state } = this.#config;
    if (backup !== null) {
      const scratchFolder = join(state.folder, 'backup');
      this.#backups = new Backups({
        node: this.node,
        config: backup,
        scratchFolder,
        log: this.#log,
      });
    }
    this.node.listen((event) => {
      if (event.kind !== 'role') return;
      const isPrimary = event.role === 'primary';
      if (isPrimary !== this.#wasPrimary) this.#counts.roleChanges += 1;
      this.#wasPrimary = isPrimary;
      const primary = event.primary?.name ?? 'nobody';
      this.#log.debug({ role: event.role, primary }, 'role');
      // Tunnels that could write here end with the role.
      if (!isPrimary) this.#proxy?.resume();
    });
  }

  /** Resolves when this node is primary, or has been in step with one. */
  async ready(signal: AbortSignal): Promise<void> {
    while (!this.node.isReady) await sleep(LOOK_MS, undefined, { signal });
  }

  /** Begins to take requests for the application. */
  async openProxy(config: ProxyConfig): Promise<void> {
    const { token, tls } = this.#config.http;
    const access = { timeoutMs: PEER_TIMEOUT_MS, ...defined({ token, tls: peerTls(tls) }) };
    const directory = new PrimaryDirectory(access);
    const databaseName = defined({ databaseName: config.database });
    const state = new ProxyGate({ node: this.node, directory, ...databaseName });
    this.#proxy = new Proxy({
      listen: config.listen,
      targetUrl: config.targetUrl,
      state,
      ...defined({ forwardToken: token }),
      ...config.tuning,
      log: ({ level, message, fields }) => this.#log[level](fields, message),
    });
    const { port } = await this.#proxy.listen();
    this.node.proxyUrl = withPort(config.advertiseUrl, port);
    this.#log.info({ port, target: config.targetUrl }, 'the proxy listens');
  }

  /** Makes this node primary by asking the primary to hand off. Resolves when it is. */
  async promote(signal: AbortSignal): Promise<void> {
    if (this.node.isPrimaryNow()) return;
    const { primary } = this.node;
    if (primary === undefined) throw new DaemonError('no_primary', 'No primary is known to ask.');
    const { token, tls } = this.#config.http;
    const client = new TandemClient({
      url: primary.advertiseUrl,
      timeoutMs: HAND_OFF_MS,
      ...defined({ token, tls: peerTls(tls) }),
    });
    await client.handOff(this.node.identity.name, signal);
    while (!this.node.isPrimaryNow()) await sleep(LOOK_MS, undefined, { signal });
  }

  /** Makes another node primary. Writes that come meanwhile wait, and go to it afterwards. */
  async handOff(name?: string): Promise<void> {
    this.#proxy?.pause();
    try {
      await this.#proxy?.drain(DRAIN_MS);
      await this.node.handOff(name, HAND_OFF_MS);
      this.#counts.handOffs += 1;
      await this.#knowsNextPrimary();
    } catch (error) {
      this.#counts.handOffsFailed += 1;
      throw error;
    } finally {
      this.#proxy?.resume();
    }
  }

  /**
   * Hands off if this node is primary and somebody can take over. One that has only just become
   * primary waits a moment for the others, who are on their way to it; less if `hurry` aborts.
   */
  async leave(hurry: AbortSignal): Promise<void> {
    await this.#backups?.complete(AbortSignal.any([hurry, AbortSignal.timeout(BACKUP_MS)]));
    if (!this.node.isPrimaryNow() || this.#config.lease.type === 'static') return;
    try {
      await this.#hasSuccessor(hurry);
      await this.handOff();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#log.warn({ message }, 'stopping without a hand-off');
    }
  }

  async closeProxy(): Promise<void> {
    await this.#proxy?.close();
    this.#proxy = undefined;
  }

  async stop(): Promise<void> {
    await this.closeProxy();
    await this.#backups?.close();
    await this.node.stop();
    await this.#store.close();
  }

  async #hasSuccessor(hurry: AbortSignal): Promise<void> {
    const { node } = this;
    if (node.members.every(({ name }) => name === node.identity.name)) return;
    const endMs = performance.now() + SUCCESSOR_MS;
    const isThere = (): boolean => node.server.sessions.some(({ isReady }) => isReady);
    while (!isThere() && !hurry.aborted && performance.now() < endMs) {
      await sleep(LOOK_MS);
    }
  }

  /** Waits until writes have somewhere to go. */
  async #knowsNextPrimary(): Promise<void> {
    const endMs = performance.now() + HAND_OFF_MS;
    while (this.node.role !== 'replica' && performance.now() < endMs) await sleep(LOOK_MS);
  }
}

function identityOf(config: TandemConfig, apiPort: number): NodeIdentity {
  const { name, uid, advertiseUrl } = config.node;
  return makeNodeIdentity({
    name,
    ...defined({ uid }),
    bootId: randomBytes(4).toString('hex'),
    advertiseUrl: withPort(advertiseUrl, apiPort),
  });
}

/** How this node speaks to the others: with its own certificate, trusting the same authority. */
function peerTls(tls: TandemConfig['http']['tls']): TlsSettings | null {
  return tls === null ? null : tlsSettings(tls);
}

/** The URL with the port that was really taken, where the configuration left it open. */
function withPort(url: string, port: number): string {
  const parsed = new URL(url);
  if (parsed.port === '0') parsed.port = String(port);
  return parsed.origin;
}
