import {
  listLtxFiles,
  planCompaction,
  planRetention,
  snapshotDue,
  type StoredLtxFile,
} from '@tandem/storage';
import { findOverlap, newestFile } from './backup-catalogue.ts';
import { BackupError } from './backup-error.ts';
import { MERGE_INPUTS_MAX, mergeFiles } from './backup-merge.ts';
import type { BackupContext, BackupSession } from './backup-session.ts';
import { generationsOf, pruneTerms, readTerms } from './backup-term.ts';
import { uploadSnapshot } from './backup-upload.ts';

/**
 * Makes what is due now: a snapshot, merged files, room. Uploads may go on at the same time.
 *
 * @throws StorageError, ReplicationError, BackupError `backup_superseded`, `backup_diverged`,
 * `backup_damaged`, and the signal's reason. What was done before stays.
 */
export async function keepUp(
  context: BackupContext,
  session: BackupSession,
  signal: AbortSignal,
): Promise<void> {
  const { policy, clock } = context;
  const { catalogue } = session;
  const isDue = snapshotDue(catalogue.files(), policy, clock.nowMs());
  // The first one belongs to the uploads, which go on from it.
  if (catalogue.hasBase && isDue !== undefined) await uploadSnapshot(context, session, signal);
  await mergeDue(context, session, signal);
  await removeExpired(context, session, signal);
}

/**
 * Compares what the store holds with what this primary knows of.
 *
 * @throws StorageError, BackupError `backup_diverged` when another has written there.
 */
export async function audit({ store }: BackupContext, session: BackupSession): Promise<void> {
  const { catalogue, prefix } = session;
  const list = (): Promise<StoredLtxFile[]> => listLtxFiles(store, prefix, { times: 'listed' });
  const foreign = await catalogue.compare(list);
  const overlap = findOverlap(catalogue.files());
  if (foreign === undefined && overlap === undefined) return;
  session.expireFence();
  await session.checkFence();
  const key = foreign?.file.key ?? overlap?.[1].key ?? '';
  throw new BackupError('backup_diverged', `Another primary has written ${key}`, {
    retryable: true,
    hint: 'The backup goes on in a new generation, beside the present one.',
  });
}

/** Level by level, for what one makes may be due for the next. */
async function mergeDue(
  { policy, ...context }: BackupContext,
  session: BackupSession,
  signal: AbortSignal,
): Promise<void> {
  const inputsMax = Math.min(policy.inputsMax, MERGE_INPUTS_MAX);
  for (;;) {
    const nowMs = context.clock.nowMs();
    const due = planCompaction(session.catalogue.files(), { ...policy, inputsMax }, nowMs);
    if (due.length === 0) return;
    for (const compaction of due) {
      await mergeFiles({ ...context, policy }, session, compaction);
      signal.throwIfAborted();
    }
  }
}

async function removeExpired(
  context: BackupContext,
  session: BackupSession,
  signal: AbortSignal,
): Promise<void> {
  const { store, policy, clock } = context;
  const { catalogue } = session;
  for (const file of planRetention(catalogue.files(), policy, clock.nowMs())) {
    await session.checkFence();
    await catalogue.remove(file, () => store.delete(file.key));
    signal.throwIfAborted();
  }
  if (session.term.generation > 1) await removeOldGenerations(context, session, signal);
}

/** Older generations go as a whole, when the present one reaches back as far as retention. */
async function removeOldGenerations(
  { store, databasePrefix, policy, clock }: BackupContext,
  session: BackupSession,
  signal: AbortSignal,
): Promise<void> {
  if (session.hasRemovedOthers) return;
  const { generation } = session.term;
  const terms = await readTerms(store, databasePrefix);
  const sinceMs = terms.find((term) => term.generation === generation)?.startedMs ?? Infinity;
  const newestMs = newestFile(session.catalogue.files())?.createdMs ?? 0;
  // As with single files, a clock that jumps ahead removes nothing.
  if (sinceMs > Math.min(clock.nowMs(), newestMs) - policy.retentionMs) return;
  for (const { number, prefix } of generationsOf(databasePrefix, terms)) {
    if (number >= generation) continue;
    for (const { key } of await listLtxFiles(store, prefix, { times: 'listed' })) {
      await session.checkFence();
      await store.delete(key);
      signal.throwIfAborted();
    }
  }
  await pruneTerms(store, databasePrefix, terms, generation);
  session.hasRemovedOthers = true;
}
