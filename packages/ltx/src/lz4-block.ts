import { assert } from '@tandem/base';
import { LtxError } from './ltx-error.ts';
import { Lz4BlockCompressor, lz4BlockBytesMax } from './lz4-block-compressor.ts';

const MATCH_BYTES_MIN = 4;
const TOKEN_LENGTH_MAX = 15;
/** Copies up to this length by a loop; a native copy costs about as much as this many bytes. */
const LOOP_COPY_BYTES_MAX = 48;
/** Short copies go by whole words where there is room to write a few bytes too many. */
const WORD_BYTES = 4;
/** A decompressed size above this is refused: nothing in an LTX file needs more. */
const BYTES_MAX = 0x4000_0000;

/** Where bytes are unpacked, for access by bytes and by words. */
interface Room {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Carries nothing from one call to the next but tables that cost time to make. */
const COMPRESSOR = new Lz4BlockCompressor();

/**
 * `source` as an LZ4 block, in `target` from its beginning when it is given (it must have room for
 * `lz4BlockBytesMax(source.length)` bytes). The result is a view of exactly the block.
 */
export function compressLz4Block(
  source: Uint8Array,
  target: Uint8Array = new Uint8Array(lz4BlockBytesMax(source.length)),
): Uint8Array {
  return target.subarray(0, COMPRESSOR.compressInto(source, target));
}

/**
 * The bytes that an LZ4 block holds, which must be `bytes` many. The block may be hostile.
 *
 * @throws LtxError `ltx_bad_compression`.
 */
export function decompressLz4Block(source: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  assert(bytes >= 0 && bytes <= BYTES_MAX, 'the decompressed size is in range');
  const target = new Uint8Array(bytes);
  decompressLz4BlockInto(source, target);
  return target;
}

/**
 * As `decompressLz4Block`, into the whole of `target`. After an error the contents of `target` are
 * undefined.
 *
 * @throws LtxError `ltx_bad_compression`.
 */
export function decompressLz4BlockInto(source: Uint8Array, target: Uint8Array): void {
  const end = decompressLz4Sequences(source, target, 0);
  if (end !== target.length) fail(`it holds ${end} bytes instead of ${target.length}`);
}

/**
 * Decompresses into `target` from `targetStart` and returns where the bytes end. Matches may reach
 * back before `targetStart`, into what earlier blocks left there.
 *
 * @throws LtxError `ltx_bad_compression`, also when `target` is too small.
 */
export function decompressLz4Sequences(
  source: Uint8Array,
  target: Uint8Array,
  targetStart: number,
): number {
  const sourceEnd = source.length;
  const targetEnd = target.length;
  const sourceView = new DataView(source.buffer, source.byteOffset, sourceEnd);
  const targetView = new DataView(target.buffer, target.byteOffset, targetEnd);
  const room: Room = { bytes: target, view: targetView };
  let read = 0;
  let written = targetStart;
  for (;;) {
    if (read >= sourceEnd) fail('it ends where a sequence should begin');
    const token = source[read] ?? 0;
    read += 1;
    let literals = token >>> 4;
    if (literals === TOKEN_LENGTH_MAX) {
      let more = 255;
      while (more === 255) {
        if (read >= sourceEnd) fail('it ends in a length');
        more = source[read] ?? 0;
        read += 1;
        literals += more;
      }
    }
    if (literals > sourceEnd - read) fail('it ends in its literals');
    if (literals > targetEnd - written) fail('it holds more than it should');
    if (literals > LOOP_COPY_BYTES_MAX) {
      target.set(source.subarray(read, read + literals), written);
      read += literals;
      written += literals;
    } else if (literals + WORD_BYTES <= Math.min(sourceEnd - read, targetEnd - written)) {
      for (let at = 0; at < literals; at += WORD_BYTES) {
        targetView.setInt32(written + at, sourceView.getInt32(read + at));
      }
      read += literals;
      written += literals;
    } else {
      for (const end = written + literals; written < end; written += 1) {
        target[written] = source[read] ?? 0;
        read += 1;
      }
    }
    if (read === sourceEnd) return written;
    if (sourceEnd - read < 2) fail('it ends in an offset');
    const distance = (source[read] ?? 0) | ((source[read + 1] ?? 0) << 8);
    read += 2;
    if (distance === 0 || distance > written) fail('an offset points before the beginning');
    let length = (token & TOKEN_LENGTH_MAX) + MATCH_BYTES_MIN;
    if (length === TOKEN_LENGTH_MAX + MATCH_BYTES_MIN) {
      let more = 255;
      while (more === 255) {
        if (read >= sourceEnd) fail('it ends in a length');
        more = source[read] ?? 0;
        read += 1;
        length += more;
      }
    }
    if (length > targetEnd - written) fail('it holds more than it should');
    copyMatch(room, written, distance, length);
    written += length;
  }
}

/** Repeats what lies `distance` before `at`; the repetition may overlap itself. */
function copyMatch(room: Room, at: number, distance: number, length: number): void {
  const { bytes, view } = room;
  if (length > LOOP_COPY_BYTES_MAX) {
    copyLongMatch(bytes, at, distance, length);
  } else if (distance >= WORD_BYTES && length + WORD_BYTES <= bytes.length - at) {
    for (const end = at + length; at < end; at += WORD_BYTES) {
      view.setInt32(at, view.getInt32(at - distance));
    }
  } else {
    for (const end = at + length; at < end; at += 1) bytes[at] = bytes[at - distance] ?? 0;
  }
}

function copyLongMatch(target: Uint8Array, at: number, distance: number, length: number): void {
  const from = at - distance;
  // Each copy doubles what there is to copy from, which keeps every one free of overlap.
  let copied = 0;
  while (copied < length) {
    const count = Math.min(distance + copied, length - copied);
    target.copyWithin(at + copied, from, from + count);
    copied += count;
  }
}

function fail(what: string): never {
  throw new LtxError('ltx_bad_compression', `A compressed block is damaged: ${what}.`);
}
