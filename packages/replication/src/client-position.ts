import type { EpochHistory, Position } from './epoch-history.ts';

/** Whether a node has what a client has seen. */
export type ClientPositionVerdict =
  | 'reached'
  /** It is still to come. */
  | 'awaited'
  /** It never comes: the epoch lost it to the next primary. */
  | 'lost';

/**
 * Compares what a client has seen, on any node, with the state of this one. A history says for
 * certain which epochs wrote what the node has, and which writes the next transaction; of what comes
 * after that only that its epochs are no lower.
 */
export function judgeClientPosition(
  wanted: Position,
  history: EpochHistory,
  ownTxid: number,
): ClientPositionVerdict {
  const { epoch, txid } = wanted;
  if (txid === 0) return 'reached';
  const isHeld = txid <= ownTxid;
  const writer = isHeld ? history.epochOf(txid) : undefined;
  // Of the oldest it is not known any more who wrote them.
  if (writer === epoch || writer === 0) return 'reached';
  const nextWriter = history.epochOf(ownTxid + 1);
  return epoch < nextWriter || (isHeld && epoch === nextWriter) ? 'lost' : 'awaited';
}
