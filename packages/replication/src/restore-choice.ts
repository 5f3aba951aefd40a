import {
  listLtxFiles,
  planRestore,
  StorageError,
  type ObjectStore,
  type RestorePlan,
  type RestoreTarget,
  type StoredLtxFile,
} from '@tandem/storage';
import { findOverlap } from './backup-catalogue.ts';
import { BackupError } from './backup-error.ts';
import { withHeaderTimes } from './backup-file-ends.ts';
import { generationsOf, readTerms, type BackupGeneration } from './backup-term.ts';

/** Where to restore from, and to which state. */
export interface RestoreSource {
  readonly store: ObjectStore;
  readonly databasePrefix: string;
  readonly target: RestoreTarget;
  /** A history that the cluster gave up, by its number; by default the one it kept. */
  readonly generation?: number;
}

/** A plan with the history it is of. */
export interface RestoreChoice {
  readonly generation: BackupGeneration;
  readonly plan: RestorePlan<StoredLtxFile>;
}

/**
 * Finds the files that lead to a state. Of several histories it is the newest one that has a
 * snapshot and reaches back to the target; one that the cluster gave up is entered for a transaction
 * only as far as it is the same.
 *
 * @param excluded keys of files that turned out to be damaged
 * @throws StorageError as `planRestore` does; BackupError `backup_other_history`,
 * `backup_generation_unknown`, `backup_diverged`, `backup_record_invalid`.
 */
export async function chooseRestore(
  source: RestoreSource,
  excluded: ReadonlySet<string> = new Set(),
): Promise<RestoreChoice> {
  const { target } = source;
  let refusal: unknown;
  for (const generation of await candidates(source)) {
    const files = (await filesOf(source, generation)).filter(({ key }) => !excluded.has(key));
    if (files.length === 0) continue;
    const isBorn = files.some(({ minTxid }) => minTxid === 1);
    try {
      const plan = planRestore(files, target);
      checkOneHistory(files, plan);
      if (source.generation === undefined) checkKept(generation, target);
      return { generation, plan };
    } catch (error) {
      // A younger history cannot tell of what was before it; an older one may.
      const mayBeOlder = !isBorn || isTooOld(error);
      refusal = refusal !== undefined && isNotThere(error) ? refusal : error;
      if (!mayBeOlder) throw refusal;
    }
  }
  throw refusal ?? emptyBackup(source);
}

/** The generations to look into, the newest first. */
async function candidates(source: RestoreSource): Promise<BackupGeneration[]> {
  const { store, databasePrefix, generation } = source;
  const generations = generationsOf(databasePrefix, await readTerms(store, databasePrefix));
  if (generation === undefined) return generations.toReversed();
  const chosen = generations.filter(({ number }) => number === generation);
  if (chosen.length > 0) return chosen;
  const known = generations.map(({ number }) => number).join(', ');
  throw new BackupError('backup_generation_unknown', `There is no generation ${generation}`, {
    hint: `The backup has these: ${known}.`,
  });
}

/** With exact times where they matter: a bucket lists when files were uploaded. */
async function filesOf(
  { store, target }: RestoreSource,
  { prefix }: BackupGeneration,
): Promise<StoredLtxFile[]> {
  const files = await listLtxFiles(store, prefix, { times: 'listed' });
  return target.kind === 'time' ? withHeaderTimes(store, files) : files;
}

/** Which of two files of one transaction is right cannot be told from their names. */
function checkOneHistory(files: readonly StoredLtxFile[], plan: RestorePlan<StoredLtxFile>): void {
  const overlap = findOverlap(files.filter(({ minTxid }) => minTxid <= plan.txid));
  if (overlap === undefined) return;
  const [first, second] = overlap;
  throw new BackupError(
    'backup_diverged',
    `Two primaries have uploaded transaction ${second.minTxid}: ${first.key} and ${second.key}`,
    {
      hint:
        `Restore transaction ${second.minTxid - 1}, or move one of the two files away and restore ` +
        'the rest; what does not fit together is refused.',
    },
  );
}

function checkKept({ number, sharedTxid }: BackupGeneration, target: RestoreTarget): void {
  if (target.kind !== 'txid' || target.txid <= sharedTxid) return;
  throw new BackupError(
    'backup_other_history',
    `Transaction ${target.txid} is in the backup only as part of a history that the cluster gave up`,
    { hint: `To restore it all the same, ask for generation ${number}.` },
  );
}

/** Said of an older history, it would hide that the younger one begins too late. */
function isNotThere(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'backup_not_there_yet';
}

function isTooOld(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'backup_too_old';
}

function emptyBackup({ databasePrefix, store }: RestoreSource): StorageError {
  return new StorageError(
    'backup_empty',
    `There is no backup of ${databasePrefix} in ${store.url}`,
    {
      hint: 'Check the address of the store and the name of the database.',
    },
  );
}
