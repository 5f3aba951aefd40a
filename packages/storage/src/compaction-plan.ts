import { assert } from '@tandem/base';
import type { LtxFile } from './ltx-files.ts';
import { SNAPSHOT_LEVEL } from './ltx-layout.ts';

export interface CompactionLevel {
  /** Merge what the level below took in during each such stretch of time; 0 for level 0. */
  readonly intervalMs: number;
  /**
   * Files older than this go once the level above holds their transactions; left out, they stay
   * until retention removes the snapshots that need them.
   */
  readonly keepMs?: number;
}

/** When files of a backup are merged, and for how long they are kept. */
export interface CompactionPolicy {
  /** From level 0 up, at least one, at most nine. */
  readonly levels: readonly CompactionLevel[];
  readonly snapshotIntervalMs: number;
  /** Any moment this far back can be restored, to within a file. */
  readonly retentionMs: number;
  /** At most so many files are merged into one; more make several. */
  readonly inputsMax: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Levels and times as Litestream's defaults, so that its operators find what they know. */
export const DEFAULT_COMPACTION_POLICY: CompactionPolicy = {
  levels: [
    { intervalMs: 0, keepMs: 5 * MINUTE_MS },
    { intervalMs: 30 * SECOND_MS },
    { intervalMs: 5 * MINUTE_MS },
    { intervalMs: HOUR_MS },
  ],
  snapshotIntervalMs: 24 * HOUR_MS,
  retentionMs: 24 * HOUR_MS,
  inputsMax: 1000,
};

/** Files to be merged into one, which then holds `minTxid` to `maxTxid` without a gap. */
export interface Compaction<File extends LtxFile> {
  /** Of the file to be made. */
  readonly level: number;
  readonly minTxid: number;
  readonly maxTxid: number;
  /** Of the last input: what the file to be made must carry (B4, B9). */
  readonly createdMs: number;
  /** In the order of their transactions; one alone is copied. */
  readonly inputs: readonly File[];
}

/**
 * What to merge now (B9): for each level, the files of the level below whose stretch of time has
 * ended and that the level does not hold yet. Nothing is kept between calls: once the files exist
 * the same question has an empty answer, and a crash in between costs only the work. Ask again
 * after doing it, for the levels above.
 */
export function planCompaction<File extends LtxFile>(
  files: readonly File[],
  policy: CompactionPolicy,
  nowMs: number,
): Compaction<File>[] {
  assert(policy.levels.length >= 1, 'there is a level 0');
  assert(policy.levels.length <= SNAPSHOT_LEVEL, 'levels end below the snapshots');
  return policy.levels.flatMap(({ intervalMs }, level) => {
    if (level === 0) return [];
    assert(intervalMs > 0, 'a level above 0 has an interval');
    const boundaryMs = nowMs - (nowMs % intervalMs);
    const due = dueInputs(files, level, boundaryMs);
    return runs(due, policy.inputsMax).map((inputs) => compactionOf(inputs, level));
  });
}

/** Why a snapshot should be made now, or undefined. */
export type SnapshotReason = 'first' | 'interval' | 'gap';

/**
 * Whether to upload a snapshot: when there is none, when a new stretch of `snapshotIntervalMs` has
 * begun and there are newer transactions, or when the newest snapshot and what follows it leave a
 * gap, which only another snapshot closes (B10).
 */
export function snapshotDue(
  files: readonly LtxFile[],
  policy: CompactionPolicy,
  nowMs: number,
): SnapshotReason | undefined {
  const snapshot = newest(files.filter((file) => file.level === SNAPSHOT_LEVEL));
  if (snapshot === undefined) return 'first';
  const later = files.filter((file) => file.maxTxid > snapshot.maxTxid);
  if (later.length === 0) return undefined;
  if (!isContiguous(later, snapshot.maxTxid)) return 'gap';
  const interval = policy.snapshotIntervalMs;
  const isNewStretch = Math.floor(nowMs / interval) > Math.floor(snapshot.createdMs / interval);
  return isNewStretch ? 'interval' : undefined;
}

function newest<File extends LtxFile>(files: readonly File[]): File | undefined {
  return files.reduce<File | undefined>(
    (best, file) => (best === undefined || file.maxTxid > best.maxTxid ? file : best),
    undefined,
  );
}

function isContiguous(files: readonly LtxFile[], afterTxid: number): boolean {
  let reachedTxid = afterTxid;
  for (const file of byStart(files)) {
    if (file.minTxid > reachedTxid + 1) return false;
    reachedTxid = Math.max(reachedTxid, file.maxTxid);
  }
  return true;
}

/**
 * Up to the last file of the level below that is older than the boundary. One before it may carry a
 * later time, when a clock was set back; it must not hold up the rest.
 */
function dueInputs<File extends LtxFile>(
  files: readonly File[],
  level: number,
  boundaryMs: number,
): File[] {
  const doneTxid = newest(files.filter((file) => file.level === level))?.maxTxid ?? 0;
  const below = files.filter((file) => file.level === level - 1 && file.maxTxid > doneTxid);
  const sorted = byStart(below);
  return sorted.slice(0, sorted.findLastIndex((file) => file.createdMs < boundaryMs) + 1);
}

/** Cuts at gaps and at `inputsMax`, and leaves out files that hold nothing new. */
function runs<File extends LtxFile>(sorted: readonly File[], inputsMax: number): File[][] {
  const found: File[][] = [];
  let run: File[] = [];
  let reachedTxid = 0;
  for (const file of sorted) {
    if (file.maxTxid <= reachedTxid) continue;
    const goesOn = run.length < inputsMax && file.minTxid <= reachedTxid + 1;
    if (run.length > 0 && !goesOn) {
      found.push(run);
      run = [];
    }
    run.push(file);
    reachedTxid = file.maxTxid;
  }
  return run.length === 0 ? found : [...found, run];
}

function compactionOf<File extends LtxFile>(
  inputs: readonly File[],
  level: number,
): Compaction<File> {
  const first = inputs[0];
  const last = inputs.at(-1);
  assert(first !== undefined && last !== undefined, 'a compaction has inputs');
  const { minTxid } = first;
  const { maxTxid, createdMs } = last;
  return { level, minTxid, maxTxid, createdMs, inputs };
}

function byStart<File extends LtxFile>(files: readonly File[]): File[] {
  return [...files].sort(
    (left, right) => left.minTxid - right.minTxid || right.maxTxid - left.maxTxid,
  );
}
