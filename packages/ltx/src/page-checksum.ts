import { Crc64, joinUint64 } from './crc64.ts';

/** Bit 63: every checksum of the format has it, so that none of them is 0. */
export const CHECKSUM_FLAG = 0x8000_0000_0000_0000n;
/** The same bit in the high half. */
export const CHECKSUM_FLAG_HI = 0x8000_0000;

/** SQLite keeps its locks in the page that holds the byte at 1 GiB. */
const LOCK_BYTE = 0x4000_0000;

/**
 * The number of the page that SQLite uses for its locks and never for data. It is neither stored
 * in LTX files nor part of checksums; a database above 1 GiB has zeros there.
 */
export function lockPage(pageSize: number): number {
  return Math.floor(LOCK_BYTE / pageSize) + 1;
}

/**
 * Writes the checksum of a page into `out`, high half first: the CRC of its number (four bytes,
 * the highest first) and its bytes, with bit 63 set. Nothing is allocated for it but a view.
 */
export function pageChecksum(pgno: number, data: Uint8Array, out: Uint32Array): void {
  const crc = SCRATCH_CRC.reset().updateUint32(pgno).update(data);
  out[0] = crc.hi | CHECKSUM_FLAG_HI;
  out[1] = crc.lo;
}

/** As `pageChecksum`, as one number. */
export function pageChecksumBigInt(pgno: number, data: Uint8Array): bigint {
  const crc = SCRATCH_CRC.reset().updateUint32(pgno).update(data);
  return joinUint64(crc.hi | CHECKSUM_FLAG_HI, crc.lo);
}

/** Carries nothing from one call to the next. */
const SCRATCH_CRC = new Crc64();
