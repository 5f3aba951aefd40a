import { isPageSize } from './page-size.ts';

/** Bytes of a rollback journal's header; the rest of its sector is not used. */
export const JOURNAL_HEADER_BYTES = 28;

const MAGIC_HIGH = 0xd9d5_05f9;
const MAGIC_LOW = 0x20a1_63d7;
const COUNT_BY_SIZE = 0xffff_ffff;
const SECTOR_BYTES_MIN = 32;
const SECTOR_BYTES_MAX = 65_536;
/** A record is a page between its number and its checksum. */
const RECORD_EXTRA_BYTES = 8;
/** Only every so many-th byte of a page counts for its checksum. */
const CHECKSUM_STRIDE = 200;

/** The header of a rollback journal or of one of its later segments. */
export interface JournalHeader {
  /**
   * Records of the segment. 0 while the writer has not synced them: a journal found with that is
   * not played back. Undefined when the size of the file decides (`journalRecordCount`), because
   * the writer never syncs.
   */
  readonly recordCount: number | undefined;
  /** The start value of each page's checksum. */
  readonly nonce: number;
  /** Pages of the database before the transaction, to which a rollback cuts it. */
  readonly pageCount: number;
  /** Bytes that the header takes up before the first record. */
  readonly sectorSize: number;
  /** Bytes of a page. */
  readonly pageSize: number;
}

/**
 * The header of a rollback journal, from its first 28 bytes. Undefined when they are fewer or not a
 * header, as those of a journal that its transaction has ended by zeroing it: such a journal has
 * nothing to roll back.
 */
export function parseJournalHeader(bytes: Uint8Array): JournalHeader | undefined {
  if (bytes.length < JOURNAL_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, JOURNAL_HEADER_BYTES);
  if (view.getUint32(0) !== MAGIC_HIGH || view.getUint32(4) !== MAGIC_LOW) return undefined;
  const count = view.getUint32(8);
  const sectorSize = view.getUint32(20);
  const pageSize = view.getUint32(24);
  if (!isPageSize(pageSize) || !isSectorSize(sectorSize)) return undefined;
  return {
    recordCount: count === COUNT_BY_SIZE ? undefined : count,
    nonce: view.getUint32(12),
    pageCount: view.getUint32(16),
    sectorSize,
    pageSize,
  };
}

/** How many records the first segment of a journal of so many bytes holds. */
export function journalRecordCount(header: JournalHeader, journalBytes: number): number {
  if (header.recordCount !== undefined) return header.recordCount;
  const recordBytes = header.pageSize + RECORD_EXTRA_BYTES;
  return Math.max(0, Math.floor((journalBytes - header.sectorSize) / recordBytes));
}

/** The checksum of a page in a journal: the nonce and some of the bytes, counted from the end. */
export function journalPageChecksum(nonce: number, page: Uint8Array): number {
  let sum = nonce;
  for (let at = page.length - CHECKSUM_STRIDE; at > 0; at -= CHECKSUM_STRIDE) {
    sum = (sum + (page[at] ?? 0)) >>> 0;
  }
  return sum;
}

function isSectorSize(bytes: number): boolean {
  const isPowerOfTwo = (bytes & (bytes - 1)) === 0;
  return isPowerOfTwo && bytes >= SECTOR_BYTES_MIN && bytes <= SECTOR_BYTES_MAX;
}
