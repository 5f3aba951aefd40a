import type { CompactionPolicy } from './compaction-plan.ts';
import type { LtxFile } from './ltx-files.ts';
import { SNAPSHOT_LEVEL } from './ltx-layout.ts';

/**
 * What may be deleted now, oldest first:
 *
 * - B11: everything that ends no later than the newest snapshot from before the retention time, which
 *   itself stays: without it the first hours of that time could not be restored;
 * - B12: files of a level with `keepMs` that are older, once the next level holds all their
 *   transactions, but not the newest of the level: Litestream takes its position from it.
 *
 * Age counts from the newest file, or from `nowMs` if that is earlier, so that a clock that jumps
 * ahead deletes nothing, and a database at rest keeps its history.
 */
export function planRetention<File extends LtxFile>(
  files: readonly File[],
  policy: CompactionPolicy,
  nowMs: number,
): File[] {
  const newestMs = files.reduce((newest, file) => Math.max(newest, file.createdMs), 0);
  const referenceMs = Math.min(nowMs, newestMs);
  const floorTxid = retentionFloor(files, referenceMs - policy.retentionMs);
  const merged = new Set(mergedFiles(files, policy, referenceMs));
  return files
    .filter((file) => isBelowFloor(file, floorTxid) || merged.has(file))
    .sort((left, right) => left.maxTxid - right.maxTxid);
}

/** Where the newest snapshot from before the cut ends; 0 when there is none. */
function retentionFloor(files: readonly LtxFile[], cutMs: number): number {
  return files
    .filter((file) => file.level === SNAPSHOT_LEVEL && file.createdMs <= cutMs)
    .reduce((floor, file) => Math.max(floor, file.maxTxid), 0);
}

function isBelowFloor(file: LtxFile, floorTxid: number): boolean {
  return file.level === SNAPSHOT_LEVEL ? file.maxTxid < floorTxid : file.maxTxid <= floorTxid;
}

function mergedFiles<File extends LtxFile>(
  files: readonly File[],
  policy: CompactionPolicy,
  referenceMs: number,
): File[] {
  return policy.levels.flatMap(({ keepMs }, level) => {
    if (keepMs === undefined || level + 1 >= policy.levels.length) return [];
    const ofLevel = files.filter((file) => file.level === level);
    const newestTxid = ofLevel.reduce((newest, file) => Math.max(newest, file.maxTxid), 0);
    const above = new Coverage(files.filter((file) => file.level === level + 1));
    return ofLevel.filter(
      (file) =>
        file.createdMs < referenceMs - keepMs && file.maxTxid < newestTxid && above.holds(file),
    );
  });
}

/** Which transactions a set of files holds, as ranges without gaps. */
class Coverage {
  readonly #ranges: { readonly minTxid: number; maxTxid: number }[] = [];

  constructor(files: readonly LtxFile[]) {
    for (const { minTxid, maxTxid } of [...files].sort((a, b) => a.minTxid - b.minTxid)) {
      const last = this.#ranges.at(-1);
      if (last === undefined || minTxid > last.maxTxid + 1) this.#ranges.push({ minTxid, maxTxid });
      else last.maxTxid = Math.max(last.maxTxid, maxTxid);
    }
  }

  holds(file: LtxFile): boolean {
    const at = this.#ranges.findLastIndex((range) => range.minTxid <= file.minTxid);
    return file.maxTxid <= (this.#ranges[at]?.maxTxid ?? 0);
  }
}
