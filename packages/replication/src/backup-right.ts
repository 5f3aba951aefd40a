import type { ObjectStore, StoredLtxFile } from '@tandem/storage';
import { BackupError } from './backup-error.ts';
import { newestFile } from './backup-catalogue.ts';
import { readLtxState } from './backup-file-ends.ts';
import { superseded, type BackupContext } from './backup-session.ts';
import { checksumOfView } from './backup-snapshot.ts';
import { logFileBeginning, logFileEnding, type BackupSource } from './backup-source.ts';
import type { LtxState } from './backup-state.ts';
import type { BackupTerm } from './backup-term.ts';

/** Whoever has committed nothing for so long is taken to be gone, if this database comes from its backup. */
export const SILENT_MS = 600_000;
/** So many files are looked into for the state that was restored, the newest first. */
const FILES_MAX = 2000;
const READS_AT_ONCE = 8;

/**
 * Whether this primary may write a backup whose last term is `last`. It may when the term is of its
 * own cluster and no later epoch. A cluster that was made anew has another name, or begins with lower
 * epochs: it may when its database began as a state of this backup, which shows that it was restored
 * from it, and the other has committed nothing for ten minutes. One that was copied from a cluster that
 * lives does not take the backup away from it.
 *
 * @param listed the files of the last generation
 * @throws StorageError, BackupError `backup_superseded`, `backup_of_other_cluster`,
 * and the signal's reason.
 */
export async function checkRight(
  context: BackupContext,
  last: BackupTerm,
  { listed, signal }: { readonly listed: readonly StoredLtxFile[]; readonly signal: AbortSignal },
): Promise<void> {
  const { clusterId, adopt, source, store, clock } = context;
  const epoch = source.history().highestEpoch;
  const isOther =
    clusterId !== undefined && last.clusterId !== undefined && clusterId !== last.clusterId;
  if (isOther ? adopt : last.epoch <= epoch) return;
  const newest = newestFile(listed);
  const committedMs =
    newest && ((await stateOf(store, newest))?.header.timestampMs ?? newest.createdMs);
  const sinceMs = clock.nowMs() - Math.max(last.startedMs, committedMs ?? 0);
  if (sinceMs >= SILENT_MS && (await isRestoredFrom(context, listed, signal))) return;
  throw isOther ? ofOtherCluster(context, last) : superseded(context, last, epoch);
}

function ofOtherCluster(
  { clusterId, source, store }: BackupContext,
  last: BackupTerm,
): BackupError {
  return new BackupError(
    'backup_of_other_cluster',
    `The backup of ${source.name} in ${store.url} belongs to the cluster ${last.clusterId ?? ''}, ` +
      `and this is ${clusterId ?? ''}`,
    {
      hint:
        'Give this cluster another address for its backup. If it was restored from there, it goes on ' +
        'with it when the other one has committed nothing for ten minutes.',
    },
  );
}

/** What was looked for in vain, so that it is not looked for again and again. */
const inVain = new WeakMap<BackupContext, string>();

async function isRestoredFrom(
  context: BackupContext,
  listed: readonly StoredLtxFile[],
  signal: AbortSignal,
): Promise<boolean> {
  // The first transaction of all has the same state on whoever ever had it.
  const files = listed
    .filter(({ maxTxid }) => maxTxid > 1)
    .toSorted((a, b) => b.maxTxid - a.maxTxid)
    .slice(0, FILES_MAX);
  const what = `${files.length} ${files[0]?.key ?? ''}`;
  if (inVain.get(context) === what) return false;
  const first = await firstChecksum(context.source, signal);
  if (first === undefined) return false;
  for (let start = 0; start < files.length; start += READS_AT_ONCE) {
    const some = files.slice(start, start + READS_AT_ONCE);
    const states = await Promise.all(some.map((file) => stateOf(context.store, file)));
    if (states.some((state) => state?.after === first)) return true;
    signal.throwIfAborted();
  }
  inVain.set(context, what);
  return false;
}

/** A damaged file shows nothing. */
async function stateOf(store: ObjectStore, file: StoredLtxFile): Promise<LtxState | undefined> {
  try {
    return await readLtxState(store, file);
  } catch (error) {
    if (error instanceof BackupError && error.code === 'backup_damaged') return undefined;
    throw error;
  }
}

/** The checksum of the database as it was when this cluster began; undefined when it is not known. */
async function firstChecksum(
  source: BackupSource,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  if (source.history().starts[0]?.firstTxid !== 1) return undefined;
  const logged = logFileEnding(source, 1)?.after ?? logFileBeginning(source, 2)?.before;
  if (logged !== undefined || source.position().txid !== 1) return logged;
  const view = source.openView();
  const { txid } = view.position;
  const checksum = await checksumOfView(view, signal);
  return txid === 1 ? checksum : undefined;
}
