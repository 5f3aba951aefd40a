import {
  HEADER_BYTES,
  LtxDecoder,
  LtxError,
  TRAILER_BYTES,
  type LtxHeader,
  type LtxTrailer,
} from '@tandem/ltx';
import { StorageError, type ObjectStore, type StoredLtxFile } from '@tandem/storage';
import { BackupError } from './backup-error.ts';
import { storedChecksums, type LtxState } from './backup-state.ts';

/** With so many bytes, a decoder knows the header. */
const HEAD_BYTES = HEADER_BYTES + 16;
const READS_AT_ONCE = 8;

/**
 * What the two ends of a file of the log say. Whether what lies between is sound, only decoding
 * tells.
 *
 * @throws LtxError
 */
export function logStateOf(bytes: Uint8Array): LtxState {
  const header = parseHead(bytes.subarray(0, HEAD_BYTES));
  return { header, ...storedChecksums(header, parseTail(bytes).postApplyChecksum) };
}

/**
 * What a file in a backup says of the database, by one or two small reads.
 *
 * @throws StorageError, BackupError `backup_damaged`.
 */
export async function readLtxState(store: ObjectStore, file: StoredLtxFile): Promise<LtxState> {
  const header = await readLtxHeader(store, file);
  if (!header.isChecksummed) return { header, ...storedChecksums(header) };
  const offset = file.sizeBytes - TRAILER_BYTES;
  const tail = await store.get(file.key, { offset, lengthBytes: TRAILER_BYTES });
  try {
    return { header, ...storedChecksums(header, parseTail(tail).postApplyChecksum) };
  } catch (error) {
    throw damaged(file, error);
  }
}

/**
 * Of a file in a backup; the name and the header tell of the same transactions.
 *
 * @throws StorageError, BackupError `backup_damaged`.
 */
export async function readLtxHeader(store: ObjectStore, file: StoredLtxFile): Promise<LtxHeader> {
  const head = await store.get(file.key, { offset: 0, lengthBytes: HEAD_BYTES });
  try {
    const header = parseHead(head);
    checkNamed(header, file);
    return header;
  } catch (error) {
    throw damaged(file, error);
  }
}

/**
 * The files with the times of their last transactions, which a listing does not know for all: it
 * shows when files of level 0 were uploaded, and in a bucket when any was. Files that were removed
 * since are left out; one that is damaged keeps the time of the listing.
 *
 * @throws StorageError
 */
export async function withHeaderTimes(
  store: ObjectStore,
  files: readonly StoredLtxFile[],
): Promise<StoredLtxFile[]> {
  const exact: StoredLtxFile[] = [];
  for (let start = 0; start < files.length; start += READS_AT_ONCE) {
    const some = files.slice(start, start + READS_AT_ONCE);
    exact.push(...(await Promise.all(some.map((file) => withHeaderTime(store, file)))).flat());
  }
  return exact;
}

/** @throws LtxError `ltx_bad_header` when a file holds other transactions than its name says. */
export function checkNamed(header: LtxHeader, file: StoredLtxFile): void {
  if (header.minTxid === file.minTxid && header.maxTxid === file.maxTxid) return;
  const message = `It holds transactions ${header.minTxid} to ${header.maxTxid}.`;
  throw new LtxError('ltx_bad_header', message);
}

/** What to throw when decoding a file of a backup failed; any other error is returned as it is. */
export function damaged(file: StoredLtxFile, error: unknown): unknown {
  if (!(error instanceof LtxError)) return error;
  return new BackupError('backup_damaged', `${file.key} is damaged: ${error.message}`, {
    cause: error,
    key: file.key,
    hint:
      `It holds transactions ${file.minTxid} to ${file.maxTxid}. States before them can be ` +
      'restored, and those from the next snapshot on.',
  });
}

async function withHeaderTime(store: ObjectStore, file: StoredLtxFile): Promise<StoredLtxFile[]> {
  try {
    const { timestampMs } = await readLtxHeader(store, file);
    return [{ ...file, createdMs: timestampMs }];
  } catch (error) {
    if (error instanceof StorageError && error.code === 'storage_not_found') return [];
    if (error instanceof BackupError) return [file];
    throw error;
  }
}

function parseHead(head: Uint8Array): LtxHeader {
  const decoder = new LtxDecoder();
  decoder.push(head);
  if (decoder.header !== undefined) return decoder.header;
  throw new LtxError('ltx_truncated', `The file has only ${head.length} bytes.`);
}

function parseTail(bytes: Uint8Array): LtxTrailer {
  if (bytes.length < TRAILER_BYTES) {
    throw new LtxError('ltx_truncated', `The trailer has only ${bytes.length} bytes.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - TRAILER_BYTES);
  return { postApplyChecksum: view.getBigUint64(0), fileChecksum: view.getBigUint64(8) };
}
