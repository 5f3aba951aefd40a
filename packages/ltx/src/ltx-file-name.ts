import { assert } from '@tandem/base';
import { formatTxid, isTxid, tryParseTxid, type Txid } from './txid.ts';

/** The transactions of a file, both ends included. */
export interface TxidRange {
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
}

const SUFFIX = '.ltx';
const DIGITS = 16;
const NAME_LENGTH = 2 * DIGITS + 1 + SUFFIX.length;

/** The name under which a file with these transactions is kept: `MIN-MAX.ltx` in hexadecimal. */
export function ltxFileName(minTxid: Txid, maxTxid: Txid): string {
  assert(isTxid(minTxid), 'a file begins with a transaction');
  assert(minTxid <= maxTxid, 'a file ends with or after its first transaction');
  return `${formatTxid(minTxid)}-${formatTxid(maxTxid)}${SUFFIX}`;
}

/** The transactions that a file name states, or undefined when it is not the name of an LTX file. */
export function parseLtxFileName(name: string): TxidRange | undefined {
  if (name.length !== NAME_LENGTH || name[DIGITS] !== '-' || !name.endsWith(SUFFIX)) {
    return undefined;
  }
  const minTxid = tryParseTxid(name.slice(0, DIGITS));
  const maxTxid = tryParseTxid(name.slice(DIGITS + 1, -SUFFIX.length));
  if (minTxid === undefined || maxTxid === undefined) return undefined;
  return minTxid >= 1 && minTxid <= maxTxid ? { minTxid, maxTxid } : undefined;
}

/**
 * True when a database at `prevMaxTxid` is brought forward by a file with the transactions of
 * `next`: nothing is missing between, and something is new. Overlap is allowed.
 */
export function areContiguous(prevMaxTxid: Txid, next: TxidRange): boolean {
  return next.minTxid <= prevMaxTxid + 1 && next.maxTxid > prevMaxTxid;
}
