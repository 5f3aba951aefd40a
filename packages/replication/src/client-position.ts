import type { EpochHistory, Position } from './epoch-history.ts';

/** Whether a node has what a client has seen. */
export type ClientPositionVerdict =
  | 'reached'
  /** It is still to come. */
  | 'awaited'
  /** It never comes: the epoch lost it to the next primary. */
  | 'lost';

/**
 * Compares what a client has seen, on any node, with the state of this one. An epoch above all that
 * is known here is one of which news is still to come.
 */
export function judgeClientPosition(
  wanted: Position,
  history: EpochHistory,
  ownTxid: number,
): ClientPositionVerdict {
  if (wanted.txid === 0) return 'reached';
  if (wanted.epoch > history.highestEpoch) return 'awaited';
  const index = history.starts.findIndex(({ epoch }) => epoch === wanted.epoch);
  const next = history.starts[index + 1];
  const isOfEpoch = index >= 0 && (next === undefined || wanted.txid < next.firstTxid);
  if (isOfEpoch) return ownTxid >= wanted.txid ? 'reached' : 'awaited';
  // An epoch that has begun here in name only may still bring its first transaction.
  return wanted.epoch === history.highestEpoch && index < 0 ? 'awaited' : 'lost';
}
