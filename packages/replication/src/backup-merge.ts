import { assert } from '@tandem/base';
import {
  compactLtxStreams,
  LtxDecoder,
  LtxError,
  type CompactionStream,
  type LtxHeader,
  type LtxPage,
} from '@tandem/ltx';
import type { Compaction, ObjectStore, StoredLtxFile } from '@tandem/storage';
import { BackupError } from './backup-error.ts';
import { checkNamed, damaged, readLtxState } from './backup-file-ends.ts';
import { LtxRewriter, PIECE_BYTES, storedHeader, type LtxState } from './backup-state.ts';
import type { BackupContext, BackupSession } from './backup-session.ts';
import { BackupSpool } from './backup-spool.ts';

/** Every input is open while they are merged, with a piece of it in memory. */
export const MERGE_INPUTS_MAX = 64;

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
  const states: LtxState[] = [];
  for (const input of inputs) states.push(await readLtxState(store, input));
  checkSuccession(inputs, states);
  await using spool = await BackupSpool.open(scratchFolder);
  const createdMs = states.at(-1)?.header.timestampMs ?? 0;
  await compact(
    inputs.map((input, index) => streamOf(store, input, states[index])),
    { spool, inputs, header: mergedHeader(states) },
  );
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

function streamOf(
  store: ObjectStore,
  file: StoredLtxFile,
  state: LtxState | undefined,
): CompactionStream {
  assert(state !== undefined, 'every input has been looked at');
  const decoder = new LtxDecoder();
  return {
    header: state.header,
    batches: decodedPages(store, file, decoder),
    trailer: () => decoder.finish(),
  };
}

function mergedHeader(states: readonly LtxState[]): LtxHeader {
  const first = states[0];
  const last = states.at(-1);
  assert(first !== undefined && last !== undefined, 'something is merged');
  const { minTxid, pageSize } = first.header;
  const header = { ...last.header, minTxid, pageSize };
  return storedHeader(header, { before: first.before, after: last.after });
}

/** Each input begins with the state that the one before it leaves. */
function checkSuccession(inputs: readonly StoredLtxFile[], states: readonly LtxState[]): void {
  for (const [index, { before }] of states.entries()) {
    const left = states[index - 1]?.after;
    if (left === undefined || before === undefined || left === before) continue;
    const [earlier, later] = [inputs[index - 1]?.key ?? '', inputs[index]?.key ?? ''];
    throw diverged(`${later} does not begin with the state that ${earlier} leaves`);
  }
}

async function compact(
  sources: readonly CompactionStream[],
  target: {
    readonly spool: BackupSpool;
    readonly inputs: readonly StoredLtxFile[];
    readonly header: LtxHeader;
  },
): Promise<void> {
  const { spool, inputs, header } = target;
  const chunks: Uint8Array[] = [];
  const flush = async (): Promise<void> => {
    for (const chunk of chunks.splice(0)) await spool.write(chunk);
  };
  try {
    const rewriter = new LtxRewriter(header, (chunk) => chunks.push(chunk));
    await compactLtxStreams(sources, async (chunk) => {
      rewriter.push(chunk);
      await flush();
    });
    rewriter.finish();
    await flush();
  } catch (error) {
    if (!(error instanceof LtxError)) throw error;
    const names = [inputs[0]?.key ?? '', inputs.at(-1)?.key ?? ''];
    throw diverged(`${names.join(' to ')} do not follow one another: ${error.message}`, error);
  }
}

function diverged(message: string, cause?: unknown): BackupError {
  const hint = 'The backup goes on in a new generation.';
  return new BackupError('backup_diverged', message, { cause, retryable: true, hint });
}
