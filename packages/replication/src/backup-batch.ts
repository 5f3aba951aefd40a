import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { compactLtx, decodeLtx } from '@tandem/ltx';
import { logStateOf } from './backup-file-ends.ts';
import type { BackupSource } from './backup-source.ts';
import { LtxRewriter, storedHeader, type LtxState } from './backup-state.ts';

/** How much of the log goes into one file of a backup. */
export interface BatchLimits {
  /** One file of the log that is larger goes alone. */
  readonly bytesMax: number;
  readonly filesMax: number;
}

/** Transactions to be uploaded together: files of the log, merged into one. */
export interface BackupBatch extends LtxState {
  readonly bytes: Uint8Array;
}

/** Between two pauses; some milliseconds of work. */
const SLICE_BYTES = 128 * 1024;

/**
 * The transactions of the log from `txid` on, as many as `limits` allow, as a file of a backup;
 * undefined when the log has no file that begins there.
 *
 * @throws ReplicationError, LtxError when the log is damaged.
 */
export async function readBatch(
  source: BackupSource,
  txid: number,
  limits: BatchLimits,
): Promise<BackupBatch | undefined> {
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
  return rewritten(files.length === 1 ? first : merged(files));
}

function merged(files: readonly Uint8Array[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  compactLtx(
    files.map((bytes) => decodeLtx(bytes)),
    (chunk) => chunks.push(chunk),
  );
  return Buffer.concat(chunks);
}

async function rewritten(bytes: Uint8Array): Promise<BackupBatch> {
  const { header: logged, before, after } = logStateOf(bytes);
  const header = storedHeader(logged, { before, after });
  const chunks: Uint8Array[] = [];
  const rewriter = new LtxRewriter(header, (chunk) => chunks.push(chunk));
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
    if (start > 0) await yieldToOthers();
    rewriter.push(bytes.subarray(start, start + SLICE_BYTES));
  }
  rewriter.finish();
  return { bytes: Buffer.concat(chunks), header, before, after };
}
