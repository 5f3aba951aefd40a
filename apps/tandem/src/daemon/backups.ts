import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  DatabaseBackup,
  type LogConsumer,
  type ReplicatedDatabase,
  type ReplicationNode,
} from '@tandem/replication';
import { DEFAULT_COMPACTION_POLICY, openStore, type ObjectStore } from '@tandem/storage';
import type { Logger } from 'pino';
import type { BackupConfig } from '../config/tandem-config.ts';

export interface BackupsOptions {
  readonly node: ReplicationNode;
  readonly config: BackupConfig;
  /** Where snapshots wait for their upload. */
  readonly scratchFolder: string;
  readonly log: Logger;
}

interface Running {
  readonly backup: DatabaseBackup;
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

const LOOK_MS = 500;
/** What a dropped database was last is uploaded within this. */
const LEAVE_MS_MAX = 5000;

/** Opens the storage that a configuration names. */
export function openBackupStore({ url, credentials }: BackupConfig): ObjectStore {
  return openStore(url, credentials === null ? {} : { credentials });
}

/** The backups of all databases of a node, each of which works while the node is primary. */
export class Backups implements LogConsumer {
  readonly #options: BackupsOptions;
  readonly #store: ObjectStore;
  readonly #running = new Map<ReplicatedDatabase, Running>();
  /** The last uploads of databases that were dropped. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: BackupsOptions) {
    this.#options = options;
    this.#store = openBackupStore(options.config);
    mkdirSync(options.scratchFolder, { recursive: true });
    options.node.logConsumer = this;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  /** Uploads what is not in the backup yet, as far as that goes. Before a hand-off or the end. */
  async complete(signal: AbortSignal): Promise<void> {
    await Promise.allSettled(
      [...this.#running.values()].map(({ backup }) => backup.upload(signal)),
    );
  }

  /** Ends all backups; resolves when none uses its database any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([
      ...this.#leaving,
      ...[...this.#running.keys()].map((database) => this.#end(database)),
    ]);
  }

  /** What has not been uploaded stays in the log: all, as long as a backup has yet to begin. */
  neededFrom(database: ReplicatedDatabase): number | undefined {
    const running = this.#running.get(database);
    if (running !== undefined) return running.backup.keepFromTxid;
    return this.#options.node.isPrimaryNow() ? 1 : undefined;
  }

  leave(database: ReplicatedDatabase): Promise<void> | undefined {
    const running = this.#running.get(database);
    if (running === undefined) return undefined;
    this.#running.delete(database);
    const left = finish(running);
    this.#leaving.add(left);
    return left.finally(() => this.#leaving.delete(left));
  }

  /** Follows the databases that come and go. */
  #look(): void {
    const { node } = this.#options;
    const present = new Set(node.databases);
    for (const database of this.#running.keys()) {
      if (!present.has(database)) void this.#end(database);
    }
    for (const database of present) {
      const isDue = node.isPrimaryNow() && database.isPresent && node.clusterId !== undefined;
      if (isDue && !this.#running.has(database)) this.#begin(database, node.clusterId);
    }
  }

  #begin(database: ReplicatedDatabase, clusterId: string | undefined): void {
    const { config, scratchFolder, log } = this.#options;
    const { intervalMs, snapshotIntervalMs, retentionMs } = config;
    const stopping = new AbortController();
    const folder = join(scratchFolder, encodeURIComponent(database.name));
    mkdirSync(folder, { recursive: true });
    const backup = new DatabaseBackup({
      source: database,
      store: this.#store,
      databasePrefix: database.name,
      scratchFolder: folder,
      ...(clusterId === undefined ? {} : { clusterId }),
      intervalMs,
      policy: { ...DEFAULT_COMPACTION_POLICY, snapshotIntervalMs, retentionMs },
      log: (level, message, facts) => log[level](facts, message),
    });
    const ended = backup.run(stopping.signal);
    this.#running.set(database, { backup, stopping, ended });
  }

  async #end(database: ReplicatedDatabase): Promise<void> {
    const running = this.#running.get(database);
    this.#running.delete(database);
    running?.stopping.abort();
    await running?.ended;
  }
}

/** Uploads the rest and ends; what does not succeed shows in the backup's log. */
async function finish({ backup, stopping, ended }: Running): Promise<void> {
  await Promise.allSettled([backup.upload(AbortSignal.timeout(LEAVE_MS_MAX))]);
  stopping.abort();
  await ended;
}
