import { LtxError } from './ltx-error.ts';
import type { LtxHeader } from './ltx-header.ts';
import { CHECKSUM_FLAG } from './page-checksum.ts';
import { EMPTY_ROLLING_CHECKSUM } from './rolling-checksum.ts';

/** The size of the trailer in all versions, in bytes. */
export const TRAILER_BYTES = 16;

/** What the last 16 bytes of an LTX file say. */
export interface LtxTrailer {
  /** The database's rolling checksum after; 0 in a file without checksums. */
  readonly postApplyChecksum: bigint;
  /** The checksum of the file itself, over uncompressed pages. */
  readonly fileChecksum: bigint;
}

/** The trailer's 16 bytes. */
export function encodeTrailer(trailer: LtxTrailer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, trailer.postApplyChecksum);
  view.setBigUint64(8, trailer.fileChecksum);
  return bytes;
}

/** Reads the 16 bytes of a trailer. It says nothing about whether they are right. */
export function decodeTrailer(bytes: Uint8Array): LtxTrailer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TRAILER_BYTES);
  return { postApplyChecksum: view.getBigUint64(0), fileChecksum: view.getBigUint64(8) };
}

/**
 * Checks the checksum of the database after the transactions of a file with this header.
 *
 * A dropped database has the checksum of no pages. Without checksums it is 0, also after a drop,
 * where the encoder of other tools asks for both values at once and so writes nothing; either is
 * taken there.
 *
 * @throws LtxError `ltx_bad_trailer`.
 */
export function validatePostApplyChecksum(header: LtxHeader, checksum: bigint): void {
  const isEmpty = checksum === EMPTY_ROLLING_CHECKSUM;
  if (!header.isChecksummed) {
    if (checksum === 0n || (header.commit === 0 && isEmpty)) return;
    throw new LtxError('ltx_bad_trailer', 'A file without checksums has a post-apply checksum.');
  }
  if (header.commit === 0) {
    if (isEmpty) return;
    throw new LtxError('ltx_bad_trailer', 'A dropped database has the checksum of some pages.');
  }
  if (checksum < CHECKSUM_FLAG || checksum >= 2n * CHECKSUM_FLAG) {
    throw new LtxError('ltx_bad_trailer', 'The post-apply checksum is missing or not one.');
  }
}
