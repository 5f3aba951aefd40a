import { assert } from '@tandem/base';
import { isPageSize } from './page-size.ts';
import { WalChecksum } from './wal-checksum.ts';
import type { WalPosition } from './wal-position.ts';

/** Bytes of the WAL before its first frame. */
export const WAL_HEADER_BYTES = 32;
/** The only version of the WAL and of the wal-index there has been. */
export const WAL_VERSION = 3_007_000;

/** The last bit says that checksums take words as big-endian. */
const MAGIC = 0x377f_0682;
const CHECKSUM_OFFSET = 24;

/** What the frames of one generation of a WAL have in common. */
export interface WalGeneration {
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Counts up with each restart of the WAL. */
  readonly salt1: number;
  /** Random, another with each restart of the WAL. */
  readonly salt2: number;
  /** True when checksums were computed over big-endian words. */
  readonly isBigEndianChecksum: boolean;
}

/** The first 32 bytes of a WAL without the checksum. */
export interface WalHeaderFields extends WalGeneration {
  /** Counts the restarts of the WAL. */
  readonly checkpointSequence: number;
}

/** The first 32 bytes of a WAL. */
export interface WalHeader extends WalHeaderFields {
  /** First half of the checksum, from which that of the first frame runs on. */
  readonly checksum1: number;
  /** Second half of the checksum. */
  readonly checksum2: number;
}

/**
 * The header of a WAL from its first 32 bytes. Undefined when they are fewer, not a header, of
 * another version, or do not match their checksum: SQLite takes such a WAL for empty (and refuses
 * one of another version, which does not exist).
 */
export function parseWalHeader(bytes: Uint8Array): WalHeader | undefined {
  if (bytes.length < WAL_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, WAL_HEADER_BYTES);
  const magic = view.getUint32(0);
  const pageSize = view.getUint32(8);
  if ((magic & ~1) !== MAGIC || view.getUint32(4) !== WAL_VERSION) return undefined;
  if (!isPageSize(pageSize)) return undefined;
  const isBigEndianChecksum = (magic & 1) === 1;
  const checksum = new WalChecksum();
  checksum.update(bytes, 0, CHECKSUM_OFFSET, isBigEndianChecksum);
  const checksum1 = view.getUint32(CHECKSUM_OFFSET);
  const checksum2 = view.getUint32(CHECKSUM_OFFSET + 4);
  if (checksum.s0 !== checksum1 || checksum.s1 !== checksum2) return undefined;
  return {
    pageSize,
    checkpointSequence: view.getUint32(12),
    salt1: view.getUint32(16),
    salt2: view.getUint32(20),
    isBigEndianChecksum,
    checksum1,
    checksum2,
  };
}

/** Writes a header of 32 bytes to the start of `into` and returns it with its checksum. */
export function encodeWalHeader(fields: WalHeaderFields, into: Uint8Array): WalHeader {
  assert(into.length >= WAL_HEADER_BYTES, 'there is room for the header');
  assert(isPageSize(fields.pageSize), 'the page size is one that SQLite knows');
  const { pageSize, checkpointSequence, salt1, salt2, isBigEndianChecksum } = fields;
  const view = new DataView(into.buffer, into.byteOffset, WAL_HEADER_BYTES);
  view.setUint32(0, isBigEndianChecksum ? MAGIC | 1 : MAGIC);
  view.setUint32(4, WAL_VERSION);
  view.setUint32(8, pageSize);
  view.setUint32(12, checkpointSequence);
  view.setUint32(16, salt1);
  view.setUint32(20, salt2);
  const checksum = new WalChecksum();
  checksum.update(into, 0, CHECKSUM_OFFSET, isBigEndianChecksum);
  view.setUint32(CHECKSUM_OFFSET, checksum.s0);
  view.setUint32(CHECKSUM_OFFSET + 4, checksum.s1);
  return { ...fields, checksum1: checksum.s0, checksum2: checksum.s1 };
}

/** The position before the first frame of the WAL with that header. */
export function walStart(header: WalHeader): WalPosition {
  return { frame: 0, s0: header.checksum1, s1: header.checksum2 };
}
