import { compactLtx, decodeLtx, type DecodedLtx } from '@tandem/ltx';
import { ltxEndsOf, type LtxEnds } from './backup-file-ends.ts';
import type { BackupSource } from './backup-source.ts';

/** How much of the log goes into one file of a backup. */
export interface BatchLimits {
  /** One file of the log that is larger goes alone. */
  readonly bytesMax: number;
  readonly filesMax: number;
}

/** Transactions to be uploaded together: files of the log, merged into one. */
export interface BackupBatch extends LtxEnds {
  readonly bytes: Uint8Array;
}

/**
 * The transactions of the log from `txid` on, as many as `limits` allow; undefined when the log has
 * no file that begins there.
 *
 * @throws ReplicationError, LtxError when the log is damaged.
 */
export function readBatch(
  source: BackupSource,
  txid: number,
  limits: BatchLimits,
): BackupBatch | undefined {
  const files: Uint8Array[] = [];
  let sizeBytes = 0;
  for (let next = txid; files.length < limits.filesMax;) {
    const file = source.readFrom(next);
    if (file === undefined) break;
    if (files.length > 0 && sizeBytes + file.bytes.length > limits.bytesMax) break;
    files.push(file.bytes);
    sizeBytes += file.bytes.length;
    next = file.maxTxid + 1;
  }
  const [first] = files;
  if (first === undefined) return undefined;
  if (files.length === 1) return { bytes: first, ...ltxEndsOf(first) };
  return mergedBatch(files.map((bytes) => decodeLtx(bytes)));
}

function mergedBatch(sources: readonly DecodedLtx[]): BackupBatch {
  const chunks: Uint8Array[] = [];
  const { header, trailer } = compactLtx(sources, (chunk) => chunks.push(chunk));
  return { bytes: Buffer.concat(chunks), header, trailer };
}
