import type { Clock } from '@tandem/base';
import {
  ltxKey,
  type CompactionPolicy,
  type LtxRange,
  type ObjectStore,
  type StoredLtxFile,
} from '@tandem/storage';
import type { BackupBatch, BatchLimits } from './backup-batch.ts';
import type { BackupCatalogue } from './backup-catalogue.ts';
import { BackupError } from './backup-error.ts';
import type { BackupSource } from './backup-source.ts';
import { generationPrefix, readTerms, type BackupTerm } from './backup-term.ts';

/** What the parts of a backup work with. */
export interface BackupContext {
  readonly source: BackupSource;
  readonly store: ObjectStore;
  /** What the keys of the database begin with; see `ltxKey`. */
  readonly databasePrefix: string;
  readonly clusterId: string | undefined;
  /** Goes on with a backup of another cluster, in a generation of its own unless it fits. */
  readonly adopt: boolean;
  readonly policy: CompactionPolicy;
  readonly limits: BatchLimits;
  readonly scratchFolder: string;
  readonly clock: Clock;
}

/** So long a look at the terms is good for. A paused process finds that more has passed. */
const FENCE_MS = 10_000;

/**
 * One primary's turn at the backup of a database, within one generation: where its files lie, which
 * there are, and how far they go.
 */
export class BackupSession {
  readonly term: BackupTerm;
  readonly prefix: string;
  readonly catalogue: BackupCatalogue;
  /** All transactions through this one are in the backup, or need not be. */
  uploadedTxid: number;
  /** The rolling checksum of the database after `uploadedTxid`; undefined when it is not known. */
  checksum: bigint | undefined;
  /**
   * What was being uploaded when an upload failed. It may have arrived, so that the same is tried
   * again: a longer one from the same transaction would lie beside it.
   */
  pending: BackupBatch | undefined;
  /** Why this session began a generation; undefined when it goes on with one. */
  readonly reason: string | undefined;
  /** Whether older generations are gone. */
  hasRemovedOthers = false;
  readonly #context: BackupContext;
  #fencedMs = -Infinity;

  constructor(
    context: BackupContext,
    term: BackupTerm,
    found: {
      readonly catalogue: BackupCatalogue;
      readonly checksum: bigint | undefined;
      readonly reason?: string;
    },
  ) {
    this.#context = context;
    this.term = term;
    this.prefix = generationPrefix(context.databasePrefix, term.generation);
    this.catalogue = found.catalogue;
    this.checksum = found.checksum;
    this.reason = found.reason;
    this.uploadedTxid = found.catalogue.endTxid;
    this.#fencedMs = context.clock.nowMs();
  }

  /** A file of this generation as it will be. */
  fileOf(range: LtxRange, sizeBytes: number, createdMs: number): StoredLtxFile {
    const key = ltxKey(this.#context.store.layout, this.prefix, range);
    const { level, minTxid, maxTxid } = range;
    return { key, sizeBytes, level, minTxid, maxTxid, createdMs };
  }

  /**
   * Before anything is written: nobody else has begun a term since.
   *
   * @throws StorageError, BackupError `backup_superseded`.
   */
  async checkFence(): Promise<void> {
    const { store, databasePrefix, clock } = this.#context;
    const sinceMs = clock.nowMs() - this.#fencedMs;
    if (sinceMs >= 0 && sinceMs < FENCE_MS) return;
    const nowMs = clock.nowMs();
    const [later] = await readTerms(store, databasePrefix, this.term.number);
    if (later !== undefined) throw superseded(this.#context, later, this.term.epoch);
    this.#fencedMs = nowMs;
  }

  /** The next look at the terms is made whatever the time. */
  expireFence(): void {
    this.#fencedMs = -Infinity;
  }
}

/** What to throw when `later` is not ours. */
export function superseded(
  { source, store }: BackupContext,
  later: BackupTerm,
  epoch: number,
): BackupError {
  const when = new Date(later.startedMs).toISOString();
  return new BackupError(
    'backup_superseded',
    `Since ${when} the primary of epoch ${later.epoch} writes the backup of ${source.name} in ` +
      `${store.url}; this node is that of epoch ${epoch}`,
    {
      hint:
        'If this node should be primary, look at the lease; if two clusters share the address of ' +
        'the backup, give each its own.',
    },
  );
}
