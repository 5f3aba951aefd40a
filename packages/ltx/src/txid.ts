import { LtxError } from './ltx-error.ts';

/**
 * A transaction id: an integer from 1 to 2^53 - 1. The format has 64 bits for it; at a million
 * transactions a second the bits above would come into use after 285 years.
 */
export type Txid = number;

const DIGITS = /^[0-9a-f]{16}$/;

/** True for an integer from 1 to 2^53 - 1. */
export function isTxid(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

/**
 * The id as the format writes it in names: 16 lower-case hexadecimal digits. 0, which stands for
 * 'before the first transaction', is written as well.
 *
 * @throws LtxError `ltx_bad_txid` when the number is no integer from 0 to 2^53 - 1.
 */
export function formatTxid(txid: Txid): string {
  if (txid !== 0 && !isTxid(txid)) {
    throw new LtxError('ltx_bad_txid', `${txid} is not a transaction id.`);
  }
  return txid.toString(16).padStart(16, '0');
}

/**
 * The reverse of `formatTxid`.
 *
 * @throws LtxError `ltx_bad_txid` on anything else than 16 lower-case hexadecimal digits, and on
 * ids above 2^53 - 1.
 */
export function parseTxid(text: string): Txid {
  const txid = tryParseTxid(text);
  if (txid === undefined) {
    throw new LtxError('ltx_bad_txid', `'${text.slice(0, 40)}' is not a transaction id.`, {
      hint: 'A transaction id has 16 digits, 0 to 9 and a to f, and is at most 001fffffffffffff.',
    });
  }
  return txid;
}

/** As `parseTxid`, with undefined instead of an error. */
export function tryParseTxid(text: string): Txid | undefined {
  if (!DIGITS.test(text)) return undefined;
  const txid = Number.parseInt(text, 16);
  return Number.isSafeInteger(txid) ? txid : undefined;
}
