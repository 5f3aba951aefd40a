import { assert } from '@tandem/base';
import type { WalChecksum } from './wal-checksum.ts';
import { WAL_HEADER_BYTES, type WalGeneration } from './wal-header.ts';

/** Bytes of a frame before its page. */
export const FRAME_HEADER_BYTES = 24;
/** How many bytes of a frame's header its checksum covers. */
export const FRAME_CHECKED_BYTES = 8;

/** The first 24 bytes of a frame. */
export interface FrameHeader {
  /** Which page the frame holds. */
  readonly pgno: number;
  /** Pages of the database after the transaction that this frame commits; 0: it commits none. */
  readonly commit: number;
  readonly salt1: number;
  readonly salt2: number;
  readonly checksum1: number;
  readonly checksum2: number;
}

/** What goes into a frame. */
export interface FrameContent {
  readonly pgno: number;
  /** Pages of the database after the transaction on its last frame, else 0. */
  readonly commit: number;
  /** The page, of exactly the size of the generation's. */
  readonly page: Uint8Array;
}

/** Where in a WAL a frame, counted from 1, begins. */
export function frameOffset(frame: number, pageSize: number): number {
  return WAL_HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + pageSize);
}

/** The header of the frame that begins at `offset`, whether it is valid or not. */
export function parseFrameHeader(bytes: Uint8Array, offset: number): FrameHeader {
  assert(offset >= 0 && offset + FRAME_HEADER_BYTES <= bytes.length, 'the header is in the bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, FRAME_HEADER_BYTES);
  return {
    pgno: view.getUint32(0),
    commit: view.getUint32(4),
    salt1: view.getUint32(8),
    salt2: view.getUint32(12),
    checksum1: view.getUint32(16),
    checksum2: view.getUint32(20),
  };
}

/**
 * Writes the frame, header and page, to `into` at `offset`. `run` names the generation and carries
 * the checksum of the frame before, which moves on by this frame.
 */
export function encodeFrame(
  into: Uint8Array,
  offset: number,
  frame: FrameContent,
  run: { readonly generation: WalGeneration; readonly checksum: WalChecksum },
): void {
  const { generation, checksum } = run;
  const { pageSize, salt1, salt2, isBigEndianChecksum } = generation;
  const pageStart = offset + FRAME_HEADER_BYTES;
  assert(frame.page.length === pageSize, 'the page has the size of the others');
  assert(frame.pgno > 0, 'pages are counted from 1');
  assert(offset >= 0 && pageStart + pageSize <= into.length, 'there is room for the frame');
  const view = new DataView(into.buffer, into.byteOffset + offset, FRAME_HEADER_BYTES);
  view.setUint32(0, frame.pgno);
  view.setUint32(4, frame.commit);
  view.setUint32(8, salt1);
  view.setUint32(12, salt2);
  into.set(frame.page, pageStart);
  checksum.update(into, offset, offset + FRAME_CHECKED_BYTES, isBigEndianChecksum);
  checksum.update(into, pageStart, pageStart + pageSize, isBigEndianChecksum);
  view.setUint32(16, checksum.s0);
  view.setUint32(20, checksum.s1);
}
