import { assert } from '@tandem/base';
import type { LtxFile } from './ltx-files.ts';
import { StorageError } from './storage-error.ts';

/** Which state to restore: the last one, the one after a transaction, or the one at a moment. */
export type RestoreTarget =
  | { readonly kind: 'latest' }
  | { readonly kind: 'txid'; readonly txid: number }
  /** B6: with what was committed in that very millisecond. */
  | { readonly kind: 'time'; readonly timeMs: number };

export interface RestorePlan<File extends LtxFile> {
  /** To be applied in this order; the first holds a whole database. */
  readonly files: readonly File[];
  /** The state that comes out. */
  readonly txid: number;
  /** When that state was committed. */
  readonly createdMs: number;
  /**
   * For a target in time, the smallest file that holds the next transaction, if there is one: its
   * end is the next state that can be restored. Where only merged files are left, that may be hours
   * after the target while the plan's own state is hours before.
   */
  readonly next: File | undefined;
}

/**
 * Chooses the files that lead to a state (B5 in `DESIGN.md`).
 *
 * From the empty database on it takes, again and again, the file that begins no later than the next
 * transaction and ends latest, short of the target. Because a file with `minTxid` 1 is a whole
 * database, the first step picks the newest snapshot, the next ones the most merged files, the last
 * ones the tail. No other choice could reach further (B8).
 *
 * @throws StorageError `backup_empty`, `backup_gap`, `backup_too_old`, `backup_not_there_yet`,
 * `backup_inside_file`.
 */
export function planRestore<File extends LtxFile>(
  files: readonly File[],
  target: RestoreTarget,
): RestorePlan<File> {
  if (target.kind === 'txid') assert(target.txid >= 1, 'a transaction number is 1 or more');
  if (files.length === 0)
    throw new StorageError('backup_empty', 'The backup holds no LTX files', {
      hint: 'Check the address of the store and the name of the database.',
    });
  const chosen = chain(files, (file) => isWithin(file, target));
  const txid = chosen.at(-1)?.maxTxid ?? 0;
  const next = fileWith(files, txid + 1);
  if (next === undefined) refuseGap(files, txid, target);
  const last = chosen.at(-1);
  if (last === undefined) throw tooOld(files, target);
  if (target.kind === 'txid' && txid < target.txid) throw notReached(txid, target.txid, next);
  return { files: chosen, txid, createdMs: last.createdMs, next };
}

function isWithin(file: LtxFile, target: RestoreTarget): boolean {
  if (target.kind === 'latest') return true;
  if (target.kind === 'txid') return file.maxTxid <= target.txid;
  return file.createdMs <= target.timeMs;
}

/** The longest chain from the empty database. One pass over the files by where they begin. */
function chain<File extends LtxFile>(
  files: readonly File[],
  isUsable: (file: File) => boolean,
): File[] {
  const byStart = files.filter(isUsable).sort((left, right) => left.minTxid - right.minTxid);
  const chosen: File[] = [];
  let reachedTxid = 0;
  let index = 0;
  let best: File | undefined;
  for (;;) {
    for (; index < byStart.length; index += 1) {
      const file = byStart[index];
      if (file === undefined || file.minTxid > reachedTxid + 1) break;
      if (best === undefined || isBetter(file, best)) best = file;
    }
    if (best === undefined || best.maxTxid <= reachedTxid) return chosen;
    chosen.push(best);
    reachedTxid = best.maxTxid;
  }
}

/** Ends later; or as late with less to load, or merged more. */
function isBetter(file: LtxFile, best: LtxFile): boolean {
  if (file.maxTxid !== best.maxTxid) return file.maxTxid > best.maxTxid;
  if (file.minTxid !== best.minTxid) return file.minTxid > best.minTxid;
  return file.level > best.level;
}

/** The file with the fewest transactions among those that hold `txid`. */
function fileWith<File extends LtxFile>(files: readonly File[], txid: number): File | undefined {
  let best: File | undefined;
  for (const file of files) {
    if (file.minTxid > txid || file.maxTxid < txid) continue;
    if (best === undefined || file.maxTxid < best.maxTxid) best = file;
  }
  return best;
}

/** B7: no file at all holds the transaction after `txid`, yet files that are wanted begin later. */
function refuseGap(files: readonly LtxFile[], txid: number, target: RestoreTarget): void {
  const later = files.filter((file) => file.minTxid > txid + 1);
  const first = later.reduce<LtxFile | undefined>(
    (least, file) => (least === undefined || file.minTxid < least.minTxid ? file : least),
    undefined,
  );
  if (first === undefined) return;
  const isWanted =
    target.kind === 'txid' ? txid < target.txid : later.some((file) => isWithin(file, target));
  if (!isWanted) return;
  const missing = rangeName(txid + 1, first.minTxid - 1);
  if (txid === 0)
    throw new StorageError('backup_gap', `The backup has no snapshot: ${missing} missing`, {
      hint: 'Nothing can be restored until the primary has uploaded a snapshot.',
    });
  throw new StorageError('backup_gap', `The backup has a gap: ${missing} missing`, {
    hint: `The last state before the gap can be restored with the transaction number ${txid}; the next snapshot closes it for later ones.`,
  });
}

function rangeName(minTxid: number, maxTxid: number): string {
  return minTxid === maxTxid
    ? `transaction ${minTxid} is`
    : `transactions ${minTxid} to ${maxTxid} are`;
}

function tooOld(files: readonly LtxFile[], target: RestoreTarget): StorageError {
  const oldest = files
    .filter((file) => file.minTxid === 1)
    .reduce<LtxFile | undefined>((least, file) => older(least, file, target), undefined);
  const what = target.kind === 'time' ? new Date(target.timeMs).toISOString() : targetName(target);
  if (oldest === undefined)
    return new StorageError('backup_gap', 'The backup has no snapshot', {
      hint: 'Nothing can be restored until the primary has uploaded a snapshot.',
    });
  const when = new Date(oldest.createdMs).toISOString();
  return new StorageError('backup_too_old', `The backup does not reach back to ${what}`, {
    hint: `The oldest state in it is transaction ${oldest.maxTxid} of ${when}.`,
  });
}

function older(
  least: LtxFile | undefined,
  file: LtxFile,
  target: RestoreTarget,
): LtxFile | undefined {
  if (least === undefined) return file;
  if (target.kind === 'time') return file.createdMs < least.createdMs ? file : least;
  return file.maxTxid < least.maxTxid ? file : least;
}

function targetName(target: RestoreTarget): string {
  return target.kind === 'txid' ? `transaction ${target.txid}` : 'the last transaction';
}

function notReached(txid: number, wanted: number, next: LtxFile | undefined): StorageError {
  if (next === undefined)
    return new StorageError(
      'backup_not_there_yet',
      `The backup ends with transaction ${txid}; ${wanted} is not in it`,
      { hint: 'Choose a lower number, or wait until the primary has uploaded it.' },
    );
  return new StorageError(
    'backup_inside_file',
    `Transaction ${wanted} is kept only together with later ones, in the file of ${next.minTxid} to ${next.maxTxid}`,
    { hint: `Choose transaction ${txid} or ${next.maxTxid}.` },
  );
}
