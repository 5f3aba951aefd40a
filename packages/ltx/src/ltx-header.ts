import { LtxError } from './ltx-error.ts';
import { CHECKSUM_FLAG } from './page-checksum.ts';
import { isTxid, type Txid } from './txid.ts';

/** The size of the header in all versions, in bytes. */
export const HEADER_BYTES = 100;

/** What the first 100 bytes of an LTX file say. */
export interface LtxHeader {
  /** A power of two from 512 to 65536. */
  readonly pageSize: number;
  /** The size of the database in pages after these transactions; 0: the database was dropped. */
  readonly commit: number;
  /** The first transaction. 1: the file is a snapshot and holds every page. */
  readonly minTxid: Txid;
  /** The last transaction. */
  readonly maxTxid: Txid;
  /** When the last transaction was made, in milliseconds since 1970 UTC. */
  readonly timestampMs: number;
  /** The database's rolling checksum before; 0 in a snapshot and in a file without checksums. */
  readonly preApplyChecksum: bigint;
  /** Where in the WAL the transactions began, in bytes; 0: unknown, or not from a WAL. */
  readonly walOffsetBytes: number;
  /** How much of the WAL the transactions took, in bytes. */
  readonly walSizeBytes: number;
  readonly walSalt1: number;
  readonly walSalt2: number;
  /** Who wrote the file, a number of 64 bits; 0: unset. */
  readonly nodeId: bigint;
  /** False: the file states no checksums of the database before and after. */
  readonly isChecksummed: boolean;
}

/** A header with a fact of its bytes that is no business of most readers. */
export interface DecodedHeader {
  readonly header: LtxHeader;
  /** Version 1 only: all pages together are one compressed stream. */
  readonly isBodyCompressed: boolean;
}

const MAGIC = 0x4c54_5831;
const MAGIC_TEXT = 'LTX1';
const FLAG_BODY_COMPRESSED = 1;
const FLAG_NO_CHECKSUM = 2;
const KNOWN_FLAGS = FLAG_BODY_COMPRESSED | FLAG_NO_CHECKSUM;
const PAGE_SIZE_MIN = 512;
const PAGE_SIZE_MAX = 65_536;
const UINT32_MAX = 0xffff_ffff;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;

/** True when the file holds every page of its database. */
export function isSnapshot(header: LtxHeader): boolean {
  return header.minTxid === 1;
}

/** True for the page sizes that SQLite has. */
export function isPageSize(pageSize: number): boolean {
  const isInRange = pageSize >= PAGE_SIZE_MIN && pageSize <= PAGE_SIZE_MAX;
  return isInRange && Number.isInteger(Math.log2(pageSize));
}

/**
 * The header's 100 bytes, without the flag of a compressed body.
 *
 * @throws LtxError `ltx_bad_header` when it breaks a rule.
 */
export function encodeHeader(header: LtxHeader): Uint8Array<ArrayBuffer> {
  validateHeader(header);
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, header.isChecksummed ? 0 : FLAG_NO_CHECKSUM);
  view.setUint32(8, header.pageSize);
  view.setUint32(12, header.commit);
  view.setBigUint64(16, BigInt(header.minTxid));
  view.setBigUint64(24, BigInt(header.maxTxid));
  view.setBigInt64(32, BigInt(header.timestampMs));
  view.setBigUint64(40, header.preApplyChecksum);
  view.setBigInt64(48, BigInt(header.walOffsetBytes));
  view.setBigInt64(56, BigInt(header.walSizeBytes));
  view.setUint32(64, header.walSalt1);
  view.setUint32(68, header.walSalt2);
  view.setBigUint64(72, header.nodeId);
  return bytes;
}

/**
 * Reads the first 100 bytes of a file of any version. The 20 reserved bytes at their end may be
 * anything; the file's checksum covers them.
 *
 * @throws LtxError `ltx_truncated`, `ltx_bad_header`.
 */
export function decodeHeader(bytes: Uint8Array): DecodedHeader {
  if (bytes.length < HEADER_BYTES) {
    throw new LtxError('ltx_truncated', `The header has only ${bytes.length} of 100 bytes.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  check(view.getUint32(0) === MAGIC, `The file does not begin with ${MAGIC_TEXT}.`);
  const flags = view.getUint32(4);
  check((flags & ~KNOWN_FLAGS) === 0, `The header has unknown flags (0x${flags.toString(16)}).`);
  const header: LtxHeader = {
    pageSize: view.getUint32(8),
    commit: view.getUint32(12),
    minTxid: Number(view.getBigUint64(16)),
    maxTxid: Number(view.getBigUint64(24)),
    timestampMs: Number(view.getBigInt64(32)),
    preApplyChecksum: view.getBigUint64(40),
    walOffsetBytes: Number(view.getBigInt64(48)),
    walSizeBytes: Number(view.getBigInt64(56)),
    walSalt1: view.getUint32(64),
    walSalt2: view.getUint32(68),
    nodeId: view.getBigUint64(72),
    isChecksummed: (flags & FLAG_NO_CHECKSUM) === 0,
  };
  validateHeader(header);
  return { header, isBodyCompressed: (flags & FLAG_BODY_COMPRESSED) !== 0 };
}

/**
 * Checks a header against the rules of the format.
 *
 * @throws LtxError `ltx_bad_header`.
 */
export function validateHeader(header: LtxHeader): void {
  const { pageSize, commit, minTxid, maxTxid, timestampMs } = header;
  check(isPageSize(pageSize), `The page size ${pageSize} is none that SQLite has.`);
  check(isUint32(commit), `The database size of ${commit} pages is out of range.`);
  check(isTxid(minTxid), `The first transaction id ${minTxid} is out of range.`);
  check(isTxid(maxTxid), `The last transaction id ${maxTxid} is out of range.`);
  check(minTxid <= maxTxid, `The first transaction ${minTxid} is after the last, ${maxTxid}.`);
  check(Number.isSafeInteger(timestampMs), `The time ${timestampMs} is out of range.`);
  validatePreApplyChecksum(header);
  validateWalFields(header);
  check(isUint64(header.nodeId), `The node id ${header.nodeId} is out of range.`);
}

function validatePreApplyChecksum(header: LtxHeader): void {
  const { preApplyChecksum } = header;
  if (isSnapshot(header) || !header.isChecksummed) {
    const why = header.isChecksummed ? 'a snapshot' : 'a file without checksums';
    check(preApplyChecksum === 0n, `The header of ${why} has a pre-apply checksum.`);
    return;
  }
  const isChecksum = isUint64(preApplyChecksum) && preApplyChecksum >= CHECKSUM_FLAG;
  check(isChecksum, 'The pre-apply checksum is missing or not one.');
}

function validateWalFields({ walOffsetBytes, walSizeBytes, walSalt1, walSalt2 }: LtxHeader): void {
  check(isByteCount(walOffsetBytes), `The WAL offset ${walOffsetBytes} is out of range.`);
  check(isByteCount(walSizeBytes), `The WAL size ${walSizeBytes} is out of range.`);
  check(isUint32(walSalt1), 'The first salt of the WAL is out of range.');
  check(isUint32(walSalt2), 'The second salt of the WAL is out of range.');
  if (walOffsetBytes > 0) return;
  check(walSizeBytes === 0, 'The header has a WAL size without a WAL offset.');
  check(walSalt1 === 0 && walSalt2 === 0, 'The header has salts of a WAL without a WAL offset.');
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= UINT32_MAX;
}

function isUint64(value: bigint): boolean {
  return value >= 0n && value <= UINT64_MAX;
}

function isByteCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new LtxError('ltx_bad_header', message);
}
