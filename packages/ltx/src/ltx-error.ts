import { BaseError, type ErrorDetails } from '@tandem/base';

/** Every operating failure of reading or writing LTX files, with its meaning. */
export const LTX_ERROR_CODES = {
  ltx_bad_txid: 'A text or number is not a transaction id.',
  ltx_bad_header: 'The header of an LTX file breaks the rules of the format.',
  ltx_bad_page: 'A page is out of order or range, has the wrong size, or is the lock page.',
  ltx_snapshot_incomplete: 'A snapshot lacks pages of its database.',
  ltx_bad_index: 'The page index of an LTX file does not describe its pages.',
  ltx_bad_trailer: 'The trailer of an LTX file breaks the rules of the format.',
  ltx_checksum_mismatch: 'The bytes of an LTX file do not have the checksum that it states.',
  ltx_truncated: 'An LTX file ends too early.',
  ltx_too_long: 'An LTX file goes on after its end.',
  ltx_bad_compression: 'Compressed bytes cannot be decompressed to what they should be.',
  ltx_not_contiguous: 'LTX files that should follow one another do not.',
} as const;

export type LtxErrorCode = keyof typeof LTX_ERROR_CODES;

/** Bytes or values that break the LTX format. */
export class LtxError extends BaseError<LtxErrorCode> {
  override readonly name = 'LtxError';

  constructor(code: LtxErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
  }
}
