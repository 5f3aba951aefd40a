import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { BaseError } from '@tandem/base';
import { LtxDecoder } from '@tandem/ltx';
import { listLtxFiles, type ObjectStore, type StoredLtxFile } from '@tandem/storage';
import { findOverlap } from './backup-catalogue.ts';
import { BackupError } from './backup-error.ts';
import { withHeaderTimes } from './backup-file-ends.ts';
import { decodedPages } from './backup-merge.ts';
import { restorableRanges, type RestorableRange } from './backup-range.ts';
import { generationsOf, readTerms, type BackupGeneration } from './backup-term.ts';
import { makeDatabase, type RestoreReport } from './restore.ts';

export interface VerifyOptions {
  readonly store: ObjectStore;
  readonly databasePrefix: string;
  /**
   * - `listing`: what the names of the files promise, with times of upload in a bucket;
   * - `files`: every file is read and its checksums verified;
   * - `restore`: the same, and the last state is restored, checked and thrown away.
   */
  readonly depth: 'listing' | 'files' | 'restore';
  /** For `restore`: where there is room for the database. */
  readonly scratchFolder: string;
  readonly signal?: AbortSignal;
  /** Told how many of the bytes have been read. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

/** A file that is not what it should be. */
export interface DamagedFile {
  readonly key: string;
  readonly message: string;
}

/** What one history in a backup is good for. */
export interface GenerationVerification {
  readonly generation: number;
  /** Through here it is the history of the newest generation; undefined for the newest itself. */
  readonly sharedTxid: number | undefined;
  readonly fileCount: number;
  readonly bytes: number;
  /** What can be restored, the oldest first. Between two ranges, transactions are missing. */
  readonly ranges: readonly RestorableRange[];
  readonly damaged: readonly DamagedFile[];
}

export interface BackupVerification {
  /** The oldest first; the last one is what is restored by default. */
  readonly generations: readonly GenerationVerification[];
  /** Of the trial, at the depth `restore`, if it succeeded. */
  readonly restored: RestoreReport | undefined;
  /** What is wrong, in sentences; empty for a backup that is as it should be. */
  readonly problems: readonly string[];
}

/**
 * Tells what can be restored from a backup, and what is wrong with it. What is wrong is a result,
 * not an error.
 *
 * @throws StorageError, BackupError `backup_record_invalid`, the signal's reason.
 */
export async function verifyBackup(options: VerifyOptions): Promise<BackupVerification> {
  const { store, databasePrefix, depth } = options;
  const problems: string[] = [];
  const generations: GenerationVerification[] = [];
  for (const generation of generationsOf(databasePrefix, await readTerms(store, databasePrefix))) {
    const listed = await listLtxFiles(store, generation.prefix, { times: 'listed' });
    const files = depth === 'listing' ? listed : await withHeaderTimes(store, listed);
    if (files.length === 0) continue;
    generations.push(await verifyGeneration(options, generation, { files, problems }));
  }
  if (generations.length === 0) problems.push(`There is no backup of ${databasePrefix}.`);
  const isTried = depth === 'restore' && generations.length > 0;
  const restored = isTried ? await tryRestore(options, problems) : undefined;
  return { generations, restored, problems };
}

async function verifyGeneration(
  options: VerifyOptions,
  { number, sharedTxid }: BackupGeneration,
  found: { readonly files: readonly StoredLtxFile[]; readonly problems: string[] },
): Promise<GenerationVerification> {
  const { files, problems } = found;
  const damaged = options.depth === 'listing' ? [] : await damagedAmong(files, options);
  const keys = new Set(damaged.map(({ key }) => key));
  const sound = files.filter(({ key }) => !keys.has(key));
  const ranges = restorableRanges(sound);
  problems.push(...damaged.map(({ message }) => message), ...complaints(sound, ranges, number));
  return {
    generation: number,
    sharedTxid: Number.isFinite(sharedTxid) ? sharedTxid : undefined,
    fileCount: files.length,
    bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ranges,
    damaged,
  };
}

async function damagedAmong(
  files: readonly StoredLtxFile[],
  { store, signal, onProgress }: VerifyOptions,
): Promise<DamagedFile[]> {
  const damaged: DamagedFile[] = [];
  const bytesTotal = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let bytesDone = 0;
  for (const file of files) {
    try {
      for await (const _ of decodedPages(store, file, new LtxDecoder())) signal?.throwIfAborted();
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      damaged.push({ key: file.key, message: error.message });
    }
    bytesDone += file.sizeBytes;
    onProgress?.(bytesDone, bytesTotal);
  }
  return damaged;
}

function complaints(
  files: readonly StoredLtxFile[],
  ranges: readonly RestorableRange[],
  generation: number,
): string[] {
  const found: string[] = [];
  const overlap = findOverlap(files);
  if (overlap !== undefined) {
    const [first, second] = overlap;
    found.push(`Two primaries have uploaded the same transactions: ${first.key}, ${second.key}.`);
  }
  for (const [index, { fromTxid }] of ranges.entries()) {
    const before = ranges[index - 1];
    if (before === undefined) continue;
    found.push(`Transactions ${before.throughTxid + 1} to ${fromTxid - 1} cannot be restored.`);
  }
  const endTxid = ranges.at(-1)?.throughTxid ?? 0;
  const lastTxid = files.reduce((last, { maxTxid }) => Math.max(last, maxTxid), 0);
  if (endTxid === 0) {
    found.push(`Nothing can be restored from generation ${generation}: it has no snapshot.`);
  } else if (lastTxid > endTxid) {
    found.push(
      `Transactions after ${endTxid} are missing, so that those up to ${lastTxid} cannot be ` +
        'restored before the next snapshot.',
    );
  }
  return found;
}

async function tryRestore(
  { store, databasePrefix, scratchFolder, signal = new AbortController().signal }: VerifyOptions,
  problems: string[],
): Promise<RestoreReport | undefined> {
  await mkdir(scratchFolder, { recursive: true });
  const path = join(scratchFolder, `.verify-${randomUUID()}.tmp`);
  const source = { store, databasePrefix, target: { kind: 'latest' } } as const;
  try {
    const { file, report } = await makeDatabase(source, path, signal);
    await file.discard();
    return report;
  } catch (error) {
    const isFinding = error instanceof BaseError && /^(?:backup|restore)_/.test(error.code);
    if (!isFinding) throw error;
    problems.push(`The last state cannot be restored: ${error.message}`);
    return undefined;
  }
}
