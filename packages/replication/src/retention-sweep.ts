import { planRetention } from './log-retention.ts';
import type { ReplicatedDatabase } from './replicated-database.ts';

export interface RetentionSweep {
  readonly nowMs: number;
  readonly ageMaxMs: number;
  readonly bytesMax: number;
  /** The lowest transaction of a database that a connected replica still needs. */
  readonly neededFrom: (name: string) => number | undefined;
}

/** A replica that is behind holds the log back, up to so many times its size. */
const HARD_FACTOR = 4;

/** Removes from the log of a database what is too old or too much. */
export function sweepLog(
  { name, log, syncedTxid }: ReplicatedDatabase,
  sweep: RetentionSweep,
): void {
  if (log === undefined) return;
  const { nowMs, ageMaxMs, bytesMax, neededFrom } = sweep;
  const throughTxid = planRetention(log.measuredEntries(), {
    nowMs,
    ageMaxMs,
    bytesMax,
    keepFromTxid: neededFrom(name),
    bytesHardMax: HARD_FACTOR * bytesMax,
  });
  // What the database itself does not hold durably may have to be applied once more.
  log.removeThrough(Math.min(throughTxid, syncedTxid));
}
