import { assert } from '@tandem/base';
import { ByteQueue } from './byte-queue.ts';
import type { Crc64 } from './crc64.ts';
import { LtxError } from './ltx-error.ts';
import { isPageSize } from './ltx-header.ts';
import { lz4BlockBytesMax } from './lz4-block-compressor.ts';
import { decompressLz4BlockInto } from './lz4-block.ts';
import { readLz4Frame } from './lz4-frame.ts';
import { PageRoom } from './page-room.ts';
import type { LtxPage, PageSequence } from './page-sequence.ts';

/** Version 3: page number and flags, before a page and, all zero, after the last. */
export const PAGE_HEAD_BYTES = 6;
/** Version 3 as it is written here: page number, flags, size of the block. */
export const FRAME_HEAD_BYTES = 10;
/** The page's bytes are one LZ4 block, and its size stands before it. */
export const FRAME_FLAG_SIZE = 1;

/** How pages stand in a file. Only version 1 can hold them as they are. */
export type LtxVersion = 1 | 2 | 3;

/** How a page is read: from where, in which form, and what watches over it. */
export interface PageFrameSource {
  readonly input: ByteQueue;
  readonly version: LtxVersion;
  readonly pageSize: number;
  /** Takes in what the file's checksum covers. */
  readonly crc?: Crc64;
  readonly sequence?: PageSequence;
  readonly room: PageRoom;
}

/**
 * Reads one page, whose bytes are the caller's to keep, or undefined at the mark that ends the
 * pages. Yields while `input` has too few bytes.
 *
 * @throws LtxError `ltx_bad_page`, `ltx_bad_compression`, `ltx_snapshot_incomplete`.
 */
export function* readPageFrame(
  source: PageFrameSource,
): Generator<undefined, LtxPage | undefined, void> {
  const { input, version, pageSize, crc } = source;
  const headBytes = version === 3 ? PAGE_HEAD_BYTES : 4;
  while (input.length < headBytes) yield undefined;
  const head = input.take(headBytes);
  crc?.update(head);
  const pgno = uint32(head);
  const flags = version === 3 ? ((head[4] ?? 0) << 8) | (head[5] ?? 0) : 0;
  if ((flags & ~FRAME_FLAG_SIZE) !== 0 || (pgno === 0 && flags !== 0)) {
    throw new LtxError('ltx_bad_page', `Page ${pgno} has unknown flags (0x${flags.toString(16)}).`);
  }
  if (pgno === 0) return undefined;
  source.sequence?.accept(pgno);
  const data = source.room.next();
  if (version === 1) {
    while (input.length < pageSize) yield undefined;
    data.set(input.take(pageSize));
  } else if (flags === FRAME_FLAG_SIZE) {
    yield* readBlock(source, data);
  } else {
    yield* readFrame(input, data);
  }
  crc?.update(data);
  return { pgno, data };
}

/**
 * The page in a frame that was cut out of a file by an entry of its index.
 *
 * @throws LtxError when the frame is damaged. No checksum covers it, except in older files.
 */
export function decodePageFrame(
  frame: Uint8Array,
  pageSize: number,
  version: LtxVersion = 3,
): LtxPage {
  assert(isPageSize(pageSize), 'the page size is one that SQLite has');
  const input = new ByteQueue();
  input.push(frame);
  const step = readPageFrame({ input, version, pageSize, room: new PageRoom(pageSize) }).next();
  if (step.done !== true) throw new LtxError('ltx_truncated', 'The frame of a page is too short.');
  if (step.value === undefined) throw new LtxError('ltx_bad_page', 'The frame holds no page.');
  if (input.length > 0) throw new LtxError('ltx_too_long', 'The frame of a page is too long.');
  return step.value;
}

function* readBlock(source: PageFrameSource, data: Uint8Array): Generator<undefined, void, void> {
  const { input, crc } = source;
  while (input.length < 4) yield undefined;
  const sizeField = input.take(4);
  crc?.update(sizeField);
  const blockBytes = uint32(sizeField);
  if (blockBytes > lz4BlockBytesMax(data.length)) {
    throw new LtxError(
      'ltx_bad_compression',
      `A page of ${data.length} bytes cannot take ${blockBytes} bytes.`,
    );
  }
  while (input.length < blockBytes) yield undefined;
  decompressLz4BlockInto(input.take(blockBytes), data);
}

function* readFrame(input: ByteQueue, data: Uint8Array): Generator<undefined, void, void> {
  let filled = 0;
  for (const piece of readLz4Frame(input, data.length)) {
    if (piece === undefined) {
      yield undefined;
    } else {
      data.set(piece, filled);
      filled += piece.length;
    }
  }
  if (filled === data.length) return;
  throw new LtxError(
    'ltx_bad_compression',
    `A page of ${data.length} bytes decompresses to ${filled} bytes.`,
  );
}

function uint32(bytes: Uint8Array): number {
  return (
    (((bytes[0] ?? 0) << 24) |
      ((bytes[1] ?? 0) << 16) |
      ((bytes[2] ?? 0) << 8) |
      (bytes[3] ?? 0)) >>>
    0
  );
}
