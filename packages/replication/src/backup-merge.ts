import {
  compactLtxStreams,
  LtxDecoder,
  LtxError,
  type CompactionStream,
  type LtxPage,
} from '@tandem/ltx';
import type { Compaction, ObjectStore, StoredLtxFile } from '@tandem/storage';
import { BackupError } from './backup-error.ts';
import { checkNamed, damaged, readLtxHeader } from './backup-file-ends.ts';
import type { BackupContext, BackupSession } from './backup-session.ts';
import { BackupSpool } from './backup-spool.ts';

/** Every input is open while they are merged, with a piece of it in memory. */
export const MERGE_INPUTS_MAX = 64;

/** Empty pages take some hundred times more room when they are decompressed. */
const PIECE_BYTES = 16 * 1024;

/**
 * Makes one file of several of the level below and uploads it. The inputs stay.
 *
 * @throws StorageError, ReplicationError, BackupError `backup_damaged`, `backup_diverged` when the
 * files are not of one history.
 */
export async function mergeFiles(
  { store, scratchFolder }: BackupContext,
  session: BackupSession,
  { level, minTxid, maxTxid, inputs }: Compaction<StoredLtxFile>,
): Promise<void> {
  await using spool = await BackupSpool.open(scratchFolder);
  const sources: CompactionStream[] = [];
  for (const input of inputs) sources.push(await streamOf(store, input));
  const { header } = await compact(sources, spool, inputs);
  const createdMs = header.timestampMs;
  const file = session.fileOf({ level, minTxid, maxTxid }, spool.body().sizeBytes, createdMs);
  await session.checkFence();
  await session.catalogue.write(file, () => store.put(file.key, spool.body(), { createdMs }));
}

/**
 * The pages of a file of a backup, decoded and verified as they arrive.
 *
 * @throws StorageError, BackupError `backup_damaged`, at the latest with the last batch.
 */
export async function* decodedPages(
  store: ObjectStore,
  file: StoredLtxFile,
  decoder: LtxDecoder,
): AsyncGenerator<readonly LtxPage[]> {
  try {
    for await (const chunk of store.stream(file.key)) {
      for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
        const pages = decoder.push(chunk.subarray(start, start + PIECE_BYTES));
        if (decoder.header !== undefined) checkNamed(decoder.header, file);
        if (pages.length > 0) yield pages;
      }
    }
    decoder.finish();
  } catch (error) {
    throw damaged(file, error);
  }
}

async function streamOf(store: ObjectStore, file: StoredLtxFile): Promise<CompactionStream> {
  const header = await readLtxHeader(store, file);
  const decoder = new LtxDecoder();
  return {
    header,
    batches: decodedPages(store, file, decoder),
    trailer: () => decoder.finish(),
  };
}

async function compact(
  sources: readonly CompactionStream[],
  spool: BackupSpool,
  inputs: readonly StoredLtxFile[],
): ReturnType<typeof compactLtxStreams> {
  try {
    return await compactLtxStreams(sources, spool.write.bind(spool));
  } catch (error) {
    if (!(error instanceof LtxError)) throw error;
    const names = inputs.map(({ key }) => key);
    throw new BackupError(
      'backup_diverged',
      `${names[0] ?? ''} to ${names.at(-1) ?? ''} do not follow one another: ${error.message}`,
      { cause: error, retryable: true, hint: 'The backup goes on in a new generation.' },
    );
  }
}
