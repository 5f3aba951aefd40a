import { setTimeout as wait } from 'node:timers/promises';
import { AssertionError, systemClock, type Clock } from '@tandem/base';
import {
  DEFAULT_COMPACTION_POLICY,
  type CompactionPolicy,
  type ObjectStore,
  type Sleep,
} from '@tandem/storage';
import type { BatchLimits } from './backup-batch.ts';
import { BackupError } from './backup-error.ts';
import { BackupPace, type BackupFailure } from './backup-pace.ts';
import type { BackupContext, BackupSession } from './backup-session.ts';
import type { BackupSource } from './backup-source.ts';
import { takeOver } from './backup-takeover.ts';
import { audit, keepUp } from './backup-upkeep.ts';
import { uploadNew } from './backup-upload.ts';
import type { StreamLog } from './stream-source.ts';

export interface DatabaseBackupOptions {
  readonly source: BackupSource;
  readonly store: ObjectStore;
  /** What the keys of this database begin with, such as its name; not empty. */
  readonly databasePrefix: string;
  /** Where snapshots and merged files wait for their upload; room for a compressed database. */
  readonly scratchFolder: string;
  /** With it, a backup of another cluster is left alone. */
  readonly clusterId?: string;
  /** This cluster replaces the one that wrote the backup: it goes on with it. */
  readonly adopt?: boolean;
  readonly policy?: CompactionPolicy;
  /** How often new transactions are uploaded; 1 s. What a lost cluster costs. */
  readonly intervalMs?: number;
  /** How often it is looked whether something is due to be merged or removed; 10 s. */
  readonly upkeepIntervalMs?: number;
  /** How often the store is compared with what is known to be there; 10 minutes. */
  readonly auditIntervalMs?: number;
  readonly limits?: BatchLimits;
  readonly clock?: Clock;
  readonly sleep?: Sleep;
  readonly log?: StreamLog;
}

/** How a backup stands, for metrics. */
export interface BackupStatus {
  /**
   * - `idle`: this node is not the primary of the database, or there is none;
   * - `superseded`: another primary or cluster writes the backup, and this one leaves it alone;
   * - `failing`: the last attempt failed; it is repeated.
   */
  readonly state: 'idle' | 'running' | 'failing' | 'superseded';
  readonly generation: number | undefined;
  /** Through here everything is in the backup; undefined while that is not known. */
  readonly uploadedTxid: number | undefined;
  readonly lagTransactions: number;
  readonly lagBytes: number;
  /** When the backup was last known to hold everything. */
  readonly lastSuccessMs: number | undefined;
  /** Attempts that failed in a row. */
  readonly failures: number;
  readonly lastError: BackupFailure | undefined;
}

const DEFAULT_INTERVAL_MS = 1000;
const DEFAULT_UPKEEP_INTERVAL_MS = 10_000;
const DEFAULT_AUDIT_INTERVAL_MS = 600_000;
const DEFAULT_LIMITS: BatchLimits = { bytesMax: 2 * 1024 * 1024, filesMax: 1000 };
const LEAVES_ALONE = new Set(['backup_superseded', 'backup_of_other_cluster']);
const CASTS_DOUBT = new Set(['backup_diverged', 'backup_damaged']);

/**
 * Keeps the backup of one database while this node is its primary. It may run on every node: where
 * the database is a replica it does nothing, and when it becomes primary it goes on where the last
 * one was.
 */
export class DatabaseBackup {
  readonly #context: BackupContext;
  readonly #uploadPace: BackupPace;
  readonly #upkeepPace: BackupPace;
  readonly #auditIntervalMs: number;
  readonly #sleep: Sleep;
  readonly #log: StreamLog;
  #session: BackupSession | undefined;
  /** Why the present generation cannot be gone on with. */
  #doubt: string | undefined;
  #lastSuccessMs: number | undefined;
  #auditedMs: number;
  #uploads: Promise<unknown> = Promise.resolve();
  #upkeeps: Promise<unknown> = Promise.resolve();

  constructor(options: DatabaseBackupOptions) {
    const { source, store, databasePrefix, scratchFolder } = options;
    this.#context = {
      source,
      store,
      databasePrefix,
      scratchFolder,
      clusterId: options.clusterId,
      adopt: options.adopt ?? false,
      policy: options.policy ?? DEFAULT_COMPACTION_POLICY,
      limits: options.limits ?? DEFAULT_LIMITS,
      clock: options.clock ?? systemClock,
    };
    this.#uploadPace = new BackupPace(options.intervalMs ?? DEFAULT_INTERVAL_MS);
    this.#upkeepPace = new BackupPace(options.upkeepIntervalMs ?? DEFAULT_UPKEEP_INTERVAL_MS);
    this.#auditIntervalMs = options.auditIntervalMs ?? DEFAULT_AUDIT_INTERVAL_MS;
    this.#auditedMs = this.#context.clock.nowMs();
    this.#sleep = options.sleep ?? systemSleep;
    this.#log = options.log ?? (() => {});
  }

  /** Through here everything is in the backup; undefined while that is not known. */
  get uploadedTxid(): number | undefined {
    return this.#session?.uploadedTxid;
  }

  /**
   * The lowest transaction that the log should keep for the backup; undefined on a replica, which
   * uploads nothing. What the log lets go before costs a snapshot.
   */
  get keepFromTxid(): number | undefined {
    if (!this.#isPrimary) return undefined;
    return (this.uploadedTxid ?? 0) + 1;
  }

  get status(): BackupStatus {
    const { source } = this.#context;
    const { uploadedTxid } = this;
    const paces = [this.#uploadPace, this.#upkeepPace];
    const lastError = paces.find(({ failures }) => failures > 0)?.failure;
    return {
      state: this.#stateWith(lastError),
      generation: this.#session?.term.generation,
      uploadedTxid,
      lagTransactions: this.#isPrimary ? source.position().txid - (uploadedTxid ?? 0) : 0,
      lagBytes: this.#isPrimary ? source.bytesAfter(uploadedTxid ?? 0) : 0,
      lastSuccessMs: this.#lastSuccessMs,
      failures: Math.max(...paces.map(({ failures }) => failures)),
      lastError,
    };
  }

  /**
   * Uploads, merges and removes until the signal is aborted. What fails is repeated; it shows in
   * `status` and in the log. It resolves when nothing is under way any more: only then may the
   * database be closed.
   */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#repeat(this.#uploadPace, () => this.upload(signal), signal),
      this.#repeat(this.#upkeepPace, () => this.upkeep(signal), signal),
    ]);
  }

  /**
   * Uploads what has been committed until now. Before a hand-off or the end it completes the backup.
   *
   * @throws StorageError, ReplicationError, BackupError, and the signal's reason.
   */
  async upload(signal: AbortSignal = NEVER): Promise<void> {
    const turn = this.#uploads.then(() =>
      this.#attempt(this.#uploadPace, () => this.#upload(signal)),
    );
    this.#uploads = turn.catch(() => undefined);
    await turn;
  }

  /**
   * Makes due snapshots, merges and removes files, and looks for what others have written.
   *
   * @throws StorageError, ReplicationError, BackupError, and the signal's reason.
   */
  async upkeep(signal: AbortSignal = NEVER): Promise<void> {
    const turn = this.#upkeeps.then(() =>
      this.#attempt(this.#upkeepPace, () => this.#upkeep(signal)),
    );
    this.#upkeeps = turn.catch(() => undefined);
    await turn;
  }

  get #isPrimary(): boolean {
    const { source } = this.#context;
    return source.isPresent && source.role === 'primary' && source.position().txid > 0;
  }

  async #upload(signal: AbortSignal): Promise<void> {
    const session = await this.#mustSession(signal);
    if (session === undefined) return;
    await uploadNew(this.#context, session, signal);
    this.#lastSuccessMs = this.#context.clock.nowMs();
  }

  async #upkeep(signal: AbortSignal): Promise<void> {
    const session = this.#session;
    if (session === undefined || !this.#isPrimary) return;
    await keepUp(this.#context, session, signal);
    const nowMs = this.#context.clock.nowMs();
    if (Math.abs(nowMs - this.#auditedMs) < this.#auditIntervalMs) return;
    await audit(this.#context, session);
    this.#auditedMs = nowMs;
  }

  /** The session of the present epoch; undefined where this node is not primary. */
  async #mustSession(signal: AbortSignal): Promise<BackupSession | undefined> {
    const { source } = this.#context;
    if (!this.#isPrimary) {
      this.#session = undefined;
      return undefined;
    }
    if (this.#session?.term.epoch === source.history().highestEpoch) return this.#session;
    this.#session = await takeOver(this.#context, signal, this.#doubt);
    this.#doubt = undefined;
    const { term, uploadedTxid, reason } = this.#session;
    const facts = {
      name: source.name,
      generation: term.generation,
      epoch: term.epoch,
      uploadedTxid,
    };
    if (reason === undefined) this.#log('info', 'backup goes on', facts);
    else this.#log('warn', 'backup begins a new generation', { ...facts, reason });
    return this.#session;
  }

  async #attempt(pace: BackupPace, act: () => Promise<void>): Promise<void> {
    const session = this.#session;
    try {
      await act();
      if (pace.failures > 0)
        this.#log('info', 'backup goes on', { name: this.#context.source.name });
      pace.succeeded();
    } catch (error) {
      if (isAbort(error) || error instanceof AssertionError) throw error;
      this.#failed(pace, error, session);
      throw error;
    }
  }

  #failed(pace: BackupPace, error: unknown, session: BackupSession | undefined): void {
    const before = pace.failure?.code;
    const { code, message } = pace.failed(error, this.#context.clock.nowMs());
    if (code !== before) {
      this.#log('warn', 'backup failed', { name: this.#context.source.name, code, message });
    }
    if (!(error instanceof BackupError)) return;
    // The other one of uploads and upkeep may have found it out before, and have begun anew.
    const isPresent = session === undefined || session === this.#session;
    if (!isPresent) return;
    if (CASTS_DOUBT.has(code)) this.#doubt = message;
    if (CASTS_DOUBT.has(code) || LEAVES_ALONE.has(code)) this.#session = undefined;
  }

  #stateWith(lastError: BackupFailure | undefined): BackupStatus['state'] {
    if (!this.#isPrimary) return 'idle';
    if (lastError === undefined) return 'running';
    return LEAVES_ALONE.has(lastError.code) ? 'superseded' : 'failing';
  }

  async #repeat(pace: BackupPace, act: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await act();
      } catch (error) {
        if (error instanceof AssertionError) throw error;
      }
      try {
        await this.#sleep(pace.pauseMs, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }
}

const NEVER = new AbortController().signal;

const systemSleep: Sleep = async (delayMs, signal) => {
  await wait(delayMs, undefined, { signal });
};

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
