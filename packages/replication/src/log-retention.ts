/** A file of the log with what retention goes by. */
export interface RetainedFile {
  readonly maxTxid: number;
  readonly sizeBytes: number;
  /** When its last transaction was committed. */
  readonly timestampMs: number;
}

export interface RetentionRules {
  readonly nowMs: number;
  /** Files older than this may go. */
  readonly ageMaxMs: number;
  /** Above this size, the oldest files may go, however young. */
  readonly bytesMax: number;
  /** The lowest transaction that somebody, such as a connected replica or the backup, still needs. */
  readonly keepFromTxid: number | undefined;
  /** Above this size, not even a need holds a file. */
  readonly bytesHardMax: number;
}

/**
 * The transaction through which files go, or 0 when none does. `files` are in the order of
 * transactions. The newest stays always. When the result reaches `keepFromTxid`, whoever needed that
 * will have to take a snapshot.
 *
 * Clocks jump, so a file is as old as the oldest reading after it says: it cannot be younger than
 * its successors. A reading from the future therefore holds nothing back once a right one follows.
 */
export function planRetention(files: readonly RetainedFile[], rules: RetentionRules): number {
  const { keepFromTxid = Infinity } = rules;
  const youngMs = rules.nowMs - rules.ageMaxMs;
  const oldCount = files.findLastIndex(({ timestampMs }) => timestampMs < youngMs) + 1;
  let totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let throughTxid = 0;
  for (const [index, file] of files.slice(0, -1).entries()) {
    const isDue = index < oldCount || totalBytes > rules.bytesMax;
    const isNeeded = file.maxTxid >= keepFromTxid;
    if (totalBytes <= rules.bytesHardMax && (isNeeded || !isDue)) break;
    throughTxid = file.maxTxid;
    totalBytes -= file.sizeBytes;
  }
  return throughTxid;
}
