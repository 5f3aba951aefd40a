import { planRetention } from './log-retention.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';

export interface RetentionSweep {
  readonly nowMs: number;
  readonly ageMaxMs: number;
  readonly bytesMax: number;
  /** The lowest transaction that a connected replica still needs. */
  readonly replicaFromTxid: number | undefined;
  /** The lowest transaction that is not backed up yet; undefined where nothing is. */
  readonly backupFromTxid: number | undefined;
}

/** Transactions that went from the log before they were backed up. */
export interface LostToBackup {
  readonly minTxid: number;
  readonly maxTxid: number;
}

/** A replica or a backup that is behind holds the log back, up to so many times its size. */
export const HARD_FACTOR = 4;

/**
 * Removes from the log of a database what is too old or too much.
 *
 * @returns what the backup would have needed and had no room any more
 */
export function sweepLog(
  { log, syncedTxid }: Pick<ReplicatedDatabase, 'log' | 'syncedTxid'>,
  sweep: RetentionSweep,
): LostToBackup | undefined {
  if (log === undefined) return undefined;
  const { nowMs, ageMaxMs, bytesMax, replicaFromTxid, backupFromTxid = Infinity } = sweep;
  const throughTxid = planRetention(log.measuredEntries(), {
    nowMs,
    ageMaxMs,
    bytesMax,
    keepFromTxid: Math.min(replicaFromTxid ?? Infinity, backupFromTxid),
    bytesHardMax: HARD_FACTOR * bytesMax,
  });
  // What the database itself does not hold durably may have to be applied once more.
  const maxTxid = Math.min(throughTxid, syncedTxid);
  const minTxid = Math.max(backupFromTxid, log.firstTxid);
  log.removeThrough(maxTxid);
  return minTxid <= maxTxid ? { minTxid, maxTxid } : undefined;
}
