import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { lockPage, LtxEncoder, pageChecksum, RollingChecksum, type LtxHeader } from '@tandem/ltx';
import { BackupError } from './backup-error.ts';
import { logFileEnding, type BackupSource } from './backup-source.ts';
import { storedHeader, type LtxState } from './backup-state.ts';
import type { RepairView } from './stream-source.ts';

/** Between two pauses; some milliseconds of work. */
const SLICE_BYTES = 256 * 1024;

export interface SnapshotOptions {
  /** When the database was last changed, for want of a file in the log that says it. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly write: (chunk: Uint8Array) => Promise<void>;
}

/**
 * Writes the database as it is at its position as an LTX file of all its pages, as a backup has
 * them. It holds a slice of the file in memory, and lets others have their turn between slices.
 *
 * @throws ReplicationError, BackupError `backup_source_mismatch`, what `write` throws, and the
 * signal's reason.
 */
export async function writeSnapshot(
  source: BackupSource,
  { nowMs, signal, write }: SnapshotOptions,
): Promise<LtxState> {
  const view = source.openView();
  try {
    const logged = logFileEnding(source, view.position.txid);
    const after = logged?.after ?? (await checksumOfPages(view, signal));
    const plain = headerOf(view, logged?.header.timestampMs ?? nowMs);
    const header = storedHeader(plain, { before: undefined, after });
    const chunks: Uint8Array[] = [];
    const encoder = new LtxEncoder(header, (chunk) => chunks.push(chunk));
    const flush = async (): Promise<void> => {
      for (const chunk of chunks.splice(0)) await write(chunk);
    };
    const rolling = new RollingChecksum();
    for await (const { pgno, data } of slicedPages(view, signal, flush)) {
      encoder.page(pgno, data);
      addPage(rolling, pgno, data);
    }
    if (rolling.toBigInt() !== after) throw mismatch(source, header.maxTxid);
    encoder.finish(0n);
    await flush();
    return { header, before: undefined, after };
  } finally {
    view.close();
  }
}

/** The rolling checksum of all pages at the position of the view, which is closed afterwards. */
export async function checksumOfView(view: RepairView, signal: AbortSignal): Promise<bigint> {
  try {
    return await checksumOfPages(view, signal);
  } finally {
    view.close();
  }
}

async function checksumOfPages(view: RepairView, signal: AbortSignal): Promise<bigint> {
  const rolling = new RollingChecksum();
  for await (const { pgno, data } of slicedPages(view, signal)) addPage(rolling, pgno, data);
  return rolling.toBigInt();
}

interface ViewedPage {
  readonly pgno: number;
  /** Of use until the next one is asked for. */
  readonly data: Uint8Array;
}

async function* slicedPages(
  view: RepairView,
  signal: AbortSignal,
  onSlice: () => Promise<void> = async () => {},
): AsyncGenerator<ViewedPage> {
  const { pageSize, pageCount } = view;
  const skipped = lockPage(pageSize);
  const slicePages = Math.ceil(SLICE_BYTES / pageSize);
  const data = new Uint8Array(pageSize);
  for (let pgno = 1; pgno <= pageCount; pgno += 1) {
    if (pgno % slicePages === 0) {
      await onSlice();
      await yieldToOthers();
      signal.throwIfAborted();
    }
    if (pgno === skipped) continue;
    view.readPage(pgno, data);
    yield { pgno, data };
  }
}

function addPage(rolling: RollingChecksum, pgno: number, data: Uint8Array): void {
  pageChecksum(pgno, data, PAGE_SUM);
  rolling.toggle(PAGE_SUM[0] ?? 0, PAGE_SUM[1] ?? 0);
}

function headerOf({ position, pageSize, pageCount }: RepairView, timestampMs: number): LtxHeader {
  return {
    pageSize,
    commit: pageCount,
    minTxid: 1,
    maxTxid: position.txid,
    timestampMs,
    preApplyChecksum: 0n,
    walOffsetBytes: 0,
    walSizeBytes: 0,
    walSalt1: 0,
    walSalt2: 0,
    nodeId: 0n,
    isChecksummed: true,
  };
}

function mismatch(source: BackupSource, txid: number): BackupError {
  return new BackupError(
    'backup_source_mismatch',
    `The pages of ${source.name} are not those that its log leads to at transaction ${txid}`,
    {
      hint:
        'Run `tandem verify`: the database file has been changed behind the back of this program, ' +
        'or the disk is failing. Nothing was uploaded.',
    },
  );
}

/** Carries nothing from one page to the next. */
const PAGE_SUM = new Uint32Array(2);
