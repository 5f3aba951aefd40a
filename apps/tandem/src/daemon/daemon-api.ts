import type { ReplicatedDatabase } from '@tandem/replication';
import { formatLibraryVersion, hasWalResetBug } from '@tandem/sqlite-format';
import type { TandemConfig } from '../config/tandem-config.ts';
import type {
  DatabaseCopy,
  DatabaseStatus,
  FailsafeQuestion,
  NodeApi,
  NodeChange,
  NodePosition,
  NodeReport,
  NodeStatus,
} from '../http/node-api.ts';
import type { Daemon } from './daemon.ts';
import { copyOf } from './database-copy.ts';
import { defined } from './lease-store.ts';

export interface DaemonApiOptions {
  readonly version: string;
  readonly startedAtMs: number;
  readonly config: TandemConfig;
  readonly daemon: Daemon;
}

/** A running daemon, as its HTTP interface sees it. */
export class DaemonApi implements NodeApi {
  readonly #options: DaemonApiOptions;

  constructor(options: DaemonApiOptions) {
    this.#options = options;
  }

  status(): NodeStatus {
    const { version, startedAtMs, config } = this.#options;
    const { node, proxy } = this.#options.daemon;
    const { acknowledge, lease, databases } = config;
    const metrics = proxy?.metrics();
    return {
      version,
      startedAtMs,
      identity: node.identity,
      clusterId: node.clusterId,
      role: node.role,
      isCandidate: lease.candidate,
      leaseKind: lease.type,
      folder: databases.folder,
      epoch: node.epoch,
      highestEpoch: node.highestEpoch,
      primary: node.primary,
      obstacles: this.#obstacles(),
      streamState: node.streamState,
      databases: [...node.databases].map((database) => this.#statusOf(database)),
      members: node.members,
      replicas: node.server.sessions.flatMap(({ node: replica, isReady, feeds }) =>
        replica === undefined ? [] : [{ node: replica, isReady, databases: feeds }],
      ),
      acknowledgement: {
        ...acknowledge,
        counts: node.acknowledgements?.counts,
        degradedNames: node.acknowledgements?.degradedNames ?? [],
      },
      counters: this.#options.daemon.counters(),
      quarantines: node.quarantine.counts,
      ...(metrics === undefined ? {} : { proxy: metrics }),
    };
  }

  database(name: string): DatabaseStatus | undefined {
    const database = this.#options.daemon.node.databases.get(name);
    return database === undefined ? undefined : this.#statusOf(database);
  }

  report(): NodeReport {
    return this.#options.daemon.node.report();
  }

  listen(listener: (change: NodeChange) => void): () => void {
    return this.#options.daemon.node.listen(listener);
  }

  promote(signal: AbortSignal): Promise<void> {
    return this.#options.daemon.promote(signal);
  }

  handOff(name: string | undefined): Promise<void> {
    return this.#options.daemon.handOff(name);
  }

  async copyDatabase(name: string): Promise<DatabaseCopy | undefined> {
    const database = this.#options.daemon.node.databases.get(name);
    return database?.isPresent === true ? copyOf(database.openView()) : undefined;
  }

  async importDatabase(name: string, path: string): Promise<NodePosition> {
    return this.#options.daemon.node.importDatabase(name, path);
  }

  acknowledgeFailsafe({ epoch, durationMs }: FailsafeQuestion): Promise<boolean> {
    return this.#options.daemon.node.promise(epoch, durationMs);
  }

  #statusOf(database: ReplicatedDatabase): DatabaseStatus {
    const { node } = this.#options.daemon;
    const { log } = database;
    const isPrimary = node.role === 'primary';
    const none = { transactions: 0, bytes: 0, seconds: 0 };
    return {
      name: database.name,
      position: database.position(),
      commitCount: database.capturedCount,
      ...defined({ changedAtMs: database.changedAtMs }),
      sqlite: sqliteOf(database.libraryVersion),
      checksum: database.checksum().toString(16).padStart(16, '0'),
      pageSize: database.pageSize(),
      pageCount: database.pageCount(),
      lag: isPrimary ? none : node.lags.get(database.name),
      log: {
        fileCount: log?.fileCount ?? 0,
        bytes: log?.sizeBytes ?? 0,
        minTxid: log?.firstTxid ?? 0,
        maxTxid: log?.fileCount === 0 ? 0 : (log?.lastTxid ?? 0),
      },
    };
  }

  #obstacles(): string[] {
    const { node } = this.#options.daemon;
    const { config } = this.#options;
    if (!node.isReady) return ['This node has not been in step with a primary yet.'];
    const degraded = node.acknowledgements?.degradedNames ?? [];
    const { mode } = config.acknowledge;
    if (degraded.length === 0) return [];
    return [`Too few replicas confirm writes of ${degraded.join(', ')} for mode ${mode}.`];
  }
}

function sqliteOf(libraryVersion: number): DatabaseStatus['sqlite'] {
  if (libraryVersion === 0) return undefined;
  return {
    version: formatLibraryVersion(libraryVersion),
    hasWalResetBug: hasWalResetBug(libraryVersion),
  };
}
