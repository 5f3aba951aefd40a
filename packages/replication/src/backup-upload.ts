import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { SNAPSHOT_LEVEL, type StoredLtxFile } from '@tandem/storage';
import { readBatch, type BackupBatch } from './backup-batch.ts';
import { BackupError } from './backup-error.ts';
import { readLtxState } from './backup-file-ends.ts';
import type { BackupContext, BackupSession } from './backup-session.ts';
import { writeSnapshot } from './backup-snapshot.ts';
import { BackupSpool } from './backup-spool.ts';

/**
 * Uploads all transactions of the log up to the position as it is now, as files of level 0. What the
 * log no longer holds, and what it never held, such as a database's first state, is covered by a
 * snapshot.
 *
 * @throws StorageError, ReplicationError, BackupError `backup_diverged`, `backup_superseded`, and
 * the signal's reason. What was uploaded before stays.
 */
export async function uploadNew(
  context: BackupContext,
  session: BackupSession,
  signal: AbortSignal,
): Promise<void> {
  const { source } = context;
  const { txid: goalTxid } = source.position();
  if (!session.catalogue.hasBase && goalTxid > 0) await uploadBase(context, session, signal);
  while (session.uploadedTxid < goalTxid) {
    await session.checkFence();
    const batch = await nextBatch(context, session);
    if (batch === undefined) await uploadBase(context, session, signal);
    else await uploadBatch(context, session, batch);
    await yieldToOthers();
    signal.throwIfAborted();
  }
}

/**
 * Uploads the whole database as it is now. Writers are held up only while it is opened.
 *
 * @throws StorageError, ReplicationError, BackupError, and the signal's reason.
 */
export async function uploadSnapshot(
  context: BackupContext,
  session: BackupSession,
  signal: AbortSignal,
): Promise<{ readonly txid: number; readonly checksum: bigint | undefined }> {
  const { source, store, scratchFolder, clock } = context;
  await using spool = await BackupSpool.open(scratchFolder);
  const options = { nowMs: clock.nowMs(), signal, write: spool.write.bind(spool) };
  const { header, after } = await writeSnapshot(source, options);
  const { maxTxid: txid, timestampMs: createdMs } = header;
  const range = { level: SNAPSHOT_LEVEL, minTxid: 1, maxTxid: txid };
  const file = session.fileOf(range, spool.body().sizeBytes, createdMs);
  await session.checkFence();
  await session.catalogue.write(file, () => store.put(file.key, spool.body(), { createdMs }));
  return { txid, checksum: after };
}

/** A snapshot from which the files of level 0 go on. */
async function uploadBase(
  context: BackupContext,
  session: BackupSession,
  signal: AbortSignal,
): Promise<void> {
  const { txid, checksum } = await uploadSnapshot(context, session, signal);
  session.uploadedTxid = txid;
  session.checksum = checksum;
  session.pending = undefined;
}

async function nextBatch(
  context: BackupContext,
  session: BackupSession,
): Promise<BackupBatch | undefined> {
  const { source, limits } = context;
  const batch = session.pending ?? (await readBatch(source, session.uploadedTxid + 1, limits));
  if (batch === undefined || session.checksum === undefined) return batch;
  if (batch.before === session.checksum) return batch;
  const { minTxid } = batch.header;
  throw new BackupError(
    'backup_diverged',
    `Transaction ${minTxid} of ${source.name} does not begin with the state that the backup ends with`,
    { retryable: true, hint: 'The backup goes on in a new generation.' },
  );
}

async function uploadBatch(
  { source, store }: BackupContext,
  session: BackupSession,
  batch: BackupBatch,
): Promise<void> {
  const { minTxid, maxTxid, timestampMs } = batch.header;
  const range = { level: 0, minTxid, maxTxid };
  const file = session.fileOf(range, batch.bytes.length, timestampMs);
  session.pending = batch;
  await session.catalogue.write(file, async () => {
    if (await store.putIfAbsent(file.key, batch.bytes)) return;
    const { sizeBytes } = await store.stat(file.key);
    const { before, after } = await readLtxState(store, { ...file, sizeBytes });
    if (before !== batch.before || after !== batch.after)
      throw await conflict(source.name, session, file);
  });
  session.pending = undefined;
  session.uploadedTxid = maxTxid;
  session.checksum = batch.after;
}

/** Who else has written those transactions: a later primary, or an earlier one until just now. */
async function conflict(
  name: string,
  session: BackupSession,
  file: StoredLtxFile,
): Promise<BackupError> {
  session.expireFence();
  await session.checkFence();
  return new BackupError(
    'backup_diverged',
    `${file.key} is there already with other transactions than those of ${name}`,
    {
      retryable: true,
      hint:
        'An old primary has uploaded after this one took over. The backup goes on in a new ' +
        'generation.',
    },
  );
}
