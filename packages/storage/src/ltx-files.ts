import { SNAPSHOT_LEVEL, type LtxRange, ltxLevelPrefix, parseLtxKey } from './ltx-layout.ts';
import type { ObjectStore } from './object-store.ts';
import { StorageError } from './storage-error.ts';

/** A file of a backup, as plans need it. */
export interface LtxFile extends LtxRange {
  /** When its last transaction was committed: the timestamp of its header. */
  readonly createdMs: number;
}

/** A file of a backup in a store. */
export interface StoredLtxFile extends LtxFile {
  readonly key: string;
  readonly sizeBytes: number;
}

export interface ListLtxOptions {
  /**
   * `listed` takes the time of the listing: exact in a folder, the time of upload in a bucket.
   * `exact` asks a bucket for each file by itself, as Litestream does to restore to a time.
   */
  readonly times: 'listed' | 'exact';
}

const STATS_AT_ONCE = 8;

/**
 * The LTX files of a database, by level from 0 to 9 and within a level by first transaction.
 *
 * @throws StorageError
 */
export async function listLtxFiles(
  store: ObjectStore,
  databasePrefix: string,
  options: ListLtxOptions,
): Promise<StoredLtxFile[]> {
  const files: StoredLtxFile[] = [];
  for (let level = 0; level <= SNAPSHOT_LEVEL; level += 1) {
    const prefix = ltxLevelPrefix(store.layout, databasePrefix, level);
    for await (const { key, sizeBytes, modifiedMs } of store.list(prefix)) {
      const range = parseLtxKey(store.layout, key);
      if (range?.databasePrefix !== databasePrefix) continue;
      const { minTxid, maxTxid } = range;
      files.push({ key, sizeBytes, level, minTxid, maxTxid, createdMs: modifiedMs });
    }
  }
  if (options.times === 'listed' || store.layout === 'folder') return files;
  return withExactTimes(store, files);
}

/** A file that is deleted between the listing and the look is left out, as if listed a moment later. */
async function withExactTimes(
  store: ObjectStore,
  files: readonly StoredLtxFile[],
): Promise<StoredLtxFile[]> {
  const exact: StoredLtxFile[] = [];
  for (let start = 0; start < files.length; start += STATS_AT_ONCE) {
    const some = files.slice(start, start + STATS_AT_ONCE);
    const looks = some.map(async (file) => ({ file, createdMs: await tryCreatedMs(store, file) }));
    for (const { file, createdMs } of await Promise.all(looks))
      if (createdMs !== undefined) exact.push({ ...file, createdMs });
  }
  return exact;
}

async function tryCreatedMs(store: ObjectStore, file: StoredLtxFile): Promise<number | undefined> {
  try {
    return (await store.stat(file.key)).createdMs;
  } catch (error) {
    if (error instanceof StorageError && error.code === 'storage_not_found') return undefined;
    throw error;
  }
}
