import { StorageError, type ObjectStore, type RestoreTarget } from '@tandem/storage';
import { BackupError } from './backup-error.ts';
import { chooseRestore, type RestoreChoice, type RestoreSource } from './restore-choice.ts';
import { RestoreFile } from './restore-file.ts';
import { checkPlace, putInPlace, restorePath } from './restore-place.ts';

export interface RestoreOptions {
  readonly store: ObjectStore;
  /** As the backup was made; see `DatabaseBackupOptions`. */
  readonly databasePrefix: string;
  /** The last state; that after a transaction; or that of a moment, its millisecond included. */
  readonly target: RestoreTarget;
  /** Where the database shall be. Its folder must exist and nobody may have the database open. */
  readonly outputPath: string;
  /** Sets a database aside that is there, instead of refusing. */
  readonly force?: boolean;
  /** A history that the cluster gave up, by its number; by default the one it kept. */
  readonly generation?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
}

export interface RestoreProgress {
  /** `check` reads what was written and lets SQLite look at it. */
  readonly phase: 'apply' | 'check';
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** What was restored. */
export interface RestoreReport {
  readonly txid: number;
  /** When that state was committed. */
  readonly createdMs: number;
  readonly generation: number;
  /** The state, or its end, belongs to a history that the cluster gave up. */
  readonly isGivenUp: boolean;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly fileCount: number;
  readonly bytes: number;
  /** Where an old database and its companions are now. */
  readonly setAside: readonly string[];
  /** Files of the backup that are damaged and were not needed. */
  readonly damaged: readonly string[];
}

/** How often the files may change under a restore, or turn out to be damaged. */
const PLANS_MAX = 5;

/**
 * Restores a database from its backup. Nothing is at `outputPath` before all of it is written,
 * verified and durable; until then an old database stays where it is.
 *
 * @throws StorageError as `planRestore` does and of the store; BackupError `backup_damaged`,
 * `backup_diverged`, `backup_other_history`, `backup_generation_unknown`, `restore_target_exists`,
 * `restore_check_failed`; ReplicationError `disk_full`, `state_failed`; the signal's reason.
 */
export async function restoreDatabase(options: RestoreOptions): Promise<RestoreReport> {
  const { outputPath, force = false, signal = new AbortController().signal } = options;
  checkPlace(outputPath, force);
  const made = await makeDatabase(options, restorePath(outputPath), signal);
  const { file, report } = made;
  try {
    await file.close();
    const setAside = putInPlace(file.path, outputPath, force);
    return { ...report, setAside };
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/**
 * Restores to a file that the caller closes and moves or discards.
 *
 * @throws as `restoreDatabase`; nothing is left then.
 */
export async function makeDatabase(
  source: RestoreSource & Pick<RestoreOptions, 'onProgress'>,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly file: RestoreFile; readonly report: RestoreReport }> {
  const damaged = new Set<string>();
  let choice = await chooseRestore(source);
  const { txid } = choice.plan;
  for (let attempt = 1; ; attempt += 1) {
    const file = await RestoreFile.open(path);
    try {
      await applyAll(file, { ...source, choice, signal });
      return { file, report: reportOf(choice, file, [...damaged]) };
    } catch (error) {
      await file.discard();
      if (attempt === PLANS_MAX) throw error;
      choice = await chooseAnew(source, { error, txid, choice, damaged });
    }
  }
}

interface Application {
  readonly store: ObjectStore;
  readonly choice: RestoreChoice;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

async function applyAll(
  file: RestoreFile,
  { store, choice, signal, onProgress = () => {} }: Application,
): Promise<void> {
  const { files } = choice.plan;
  const bytesTotal = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const filesTotal = files.length;
  let bytesDone = 0;
  for (const [filesDone, source] of files.entries()) {
    onProgress({ phase: 'apply', filesDone, filesTotal, bytesDone, bytesTotal });
    await file.apply(store, source, signal);
    bytesDone += source.sizeBytes;
  }
  onProgress({ phase: 'check', filesDone: filesTotal, filesTotal, bytesDone, bytesTotal });
  await file.finish(signal);
}

/**
 * Other files to the same state, when one was merged and removed meanwhile or is damaged. A worse
 * state than asked for is never taken instead.
 */
async function chooseAnew(
  source: RestoreSource,
  failed: {
    readonly error: unknown;
    readonly txid: number;
    readonly choice: RestoreChoice;
    readonly damaged: Set<string>;
  },
): Promise<RestoreChoice> {
  const { error, txid, choice, damaged } = failed;
  const isGone = error instanceof StorageError && error.code === 'storage_not_found';
  if (isGone) return chooseRestore(source, damaged);
  if (!(error instanceof BackupError) || error.code !== 'backup_damaged') throw error;
  damaged.add(error.key ?? '');
  const next = await tryChoose(source, damaged);
  const isAsGood = next?.generation.number === choice.generation.number && next.plan.txid >= txid;
  if (!isAsGood) throw error;
  return next;
}

async function tryChoose(
  source: RestoreSource,
  damaged: ReadonlySet<string>,
): Promise<RestoreChoice | undefined> {
  try {
    return await chooseRestore(source, damaged);
  } catch (error) {
    if (error instanceof StorageError && error.code.startsWith('backup_')) return undefined;
    throw error;
  }
}

function reportOf(
  { generation, plan }: RestoreChoice,
  { createdMs, pageSize, pageCount }: RestoreFile,
  damaged: readonly string[],
): RestoreReport {
  return {
    txid: plan.txid,
    createdMs,
    generation: generation.number,
    isGivenUp: plan.txid > generation.sharedTxid,
    pageSize,
    pageCount,
    fileCount: plan.files.length,
    bytes: plan.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    setAside: [],
    damaged,
  };
}
