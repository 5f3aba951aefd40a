import { assert } from '@tandem/base';
import { IS_LITTLE_ENDIAN } from './native-order.ts';
import { PAGE_BYTES_MAX, isPageSize, pageSizeOf16 } from './page-size.ts';
import { WalChecksum } from './wal-checksum.ts';
import { WAL_VERSION, type WalGeneration } from './wal-header.ts';

/** Bytes of the wal-index before the first page number: two copies of the header, and the rest. */
export const WAL_INDEX_HEADER_BYTES = 136;
/** Bytes of one copy of the header; the second follows the first. */
export const WAL_INDEX_COPY_BYTES = 48;
/** A read mark that no reader holds and that means nothing. */
export const READ_MARK_UNUSED = 0xffff_ffff;

const CHECKSUM_OFFSET = 40;
const BACKFILL_OFFSET = 96;
const READ_MARKS_OFFSET = 100;
const READ_MARK_COUNT = 5;
const BACKFILL_ATTEMPTED_OFFSET = 128;

/**
 * What one of the two copies holds, without its checksum. All of it is 0, the salts and the page
 * size included, from when a connection finds an empty WAL until somebody writes the first frame;
 * the writer then makes salts up. Later the salts are those of the WAL's next header.
 */
export interface WalIndexFields extends WalGeneration {
  /** Rises with each transaction; readers compare it to see that something has changed. */
  readonly changeCounter: number;
  /** The last frame of the last committed transaction; 0 when the WAL holds none. */
  readonly mxFrame: number;
  /** Pages of the database. While `mxFrame` is 0 it may be out of date: the file's size decides. */
  readonly pageCount: number;
  /**
   * First half of the checksum of frame `mxFrame`. While that is 0 both halves are left over from
   * before, and checksums run on from the WAL's header (`walStart`).
   */
  readonly frameChecksum1: number;
  /** Second half of it. */
  readonly frameChecksum2: number;
}

/**
 * The first 136 bytes of the wal-index. `pageSize` and `pageCount` are 0 while the WAL has never held
 * a frame: the database's own header has them.
 */
export interface WalIndexHeader extends WalIndexFields {
  /** Always `WAL_VERSION`. */
  readonly version: number;
  /** nBackfill: up to this frame, the WAL has been copied to the database. */
  readonly backfilledFrames: number;
  /** nBackfillAttempted: up to this frame it may have been; a checkpoint was cut off if more. */
  readonly backfillAttemptedFrames: number;
  /** Up to which frame the readers of each of five locks look, or `READ_MARK_UNUSED`. */
  readonly readMarks: readonly number[];
}

/**
 * The header of a wal-index from the first 136 bytes of a `-shm` file. Undefined when its two copies
 * differ (somebody is writing: read again, at last under the write lock), when it was never made or
 * does not match its checksum (a connection has to recover it first), or when the bytes are fewer.
 */
export function parseWalIndexHeader(bytes: Uint8Array): WalIndexHeader | undefined {
  if (bytes.length < WAL_INDEX_HEADER_BYTES) return undefined;
  for (let at = 0; at < WAL_INDEX_COPY_BYTES; at += 1) {
    if (bytes[at] !== bytes[WAL_INDEX_COPY_BYTES + at]) return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, WAL_INDEX_HEADER_BYTES);
  const word = (at: number): number => view.getUint32(at, IS_LITTLE_ENDIAN);
  const checksum = checksumOf(bytes);
  if (checksum.s0 !== word(CHECKSUM_OFFSET) || checksum.s1 !== word(CHECKSUM_OFFSET + 4)) {
    return undefined;
  }
  const isInitialised = view.getUint8(12) !== 0;
  const mxFrame = word(16);
  const storedPageSize = view.getUint16(14, IS_LITTLE_ENDIAN);
  const isUnset = storedPageSize === 0 && mxFrame === 0;
  const pageSize = isUnset ? 0 : pageSizeOf16(storedPageSize);
  if (!isInitialised || word(0) !== WAL_VERSION || pageSize === undefined) return undefined;
  return {
    version: word(0),
    changeCounter: word(8),
    isBigEndianChecksum: view.getUint8(13) !== 0,
    pageSize,
    mxFrame,
    pageCount: word(20),
    frameChecksum1: word(24),
    frameChecksum2: word(28),
    // Copied from the WAL's header as they stand there: big-endian everywhere.
    salt1: view.getUint32(32),
    salt2: view.getUint32(36),
    backfilledFrames: word(BACKFILL_OFFSET),
    readMarks: Array.from({ length: READ_MARK_COUNT }, (_, index) =>
      word(READ_MARKS_OFFSET + 4 * index),
    ),
    backfillAttemptedFrames: word(BACKFILL_ATTEMPTED_OFFSET),
  };
}

/**
 * Writes one copy of the header, 48 bytes with its checksum, to the start of `into`. In the file the
 * second copy, at 48, is written before the first, so that readers see two that differ in between.
 */
export function encodeWalIndexHeader(header: WalIndexFields, into: Uint8Array): void {
  assert(into.length >= WAL_INDEX_COPY_BYTES, 'there is room for the header');
  const isUnset = header.pageSize === 0 && header.mxFrame === 0;
  assert(isUnset || isPageSize(header.pageSize), 'the page size is one that SQLite knows');
  const view = new DataView(into.buffer, into.byteOffset, WAL_INDEX_COPY_BYTES);
  const setWord = (at: number, value: number): void => view.setUint32(at, value, IS_LITTLE_ENDIAN);
  const storedPageSize = header.pageSize === PAGE_BYTES_MAX ? 1 : header.pageSize;
  setWord(0, WAL_VERSION);
  setWord(4, 0);
  setWord(8, header.changeCounter);
  view.setUint8(12, 1);
  view.setUint8(13, header.isBigEndianChecksum ? 1 : 0);
  view.setUint16(14, storedPageSize, IS_LITTLE_ENDIAN);
  setWord(16, header.mxFrame);
  setWord(20, header.pageCount);
  setWord(24, header.frameChecksum1);
  setWord(28, header.frameChecksum2);
  view.setUint32(32, header.salt1);
  view.setUint32(36, header.salt2);
  const checksum = checksumOf(into);
  setWord(CHECKSUM_OFFSET, checksum.s0);
  setWord(CHECKSUM_OFFSET + 4, checksum.s1);
}

/** Over the native words, whatever the byte order of the WAL's own checksums. */
function checksumOf(bytes: Uint8Array): WalChecksum {
  const checksum = new WalChecksum();
  checksum.update(bytes, 0, CHECKSUM_OFFSET, !IS_LITTLE_ENDIAN);
  return checksum;
}
