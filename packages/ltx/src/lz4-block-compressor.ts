import { assert } from '@tandem/base';

/** Matches shorter than this are not worth a reference. */
const MATCH_BYTES_MIN = 4;
/** A block ends with at least this many literal bytes. */
const LAST_LITERALS_BYTES = 5;
/** The last match of a block begins at least this far from its end. */
const MATCH_MARGIN_BYTES = 12;
/** How far back a match can lie. */
const DISTANCE_BYTES_MAX = 65_535;
/** A length in the token from here on goes on in the bytes that follow. */
const TOKEN_LENGTH_MAX = 15;
/** After how many failed searches (as a power of two) the steps grow by one byte. */
const SKIP_TRIGGER = 5;
const HASH_BITS = 12;
const HASH_SHIFT = 32 - HASH_BITS;
const HASH_FACTOR = 0x9e37_79b1;
/** Copies up to this length by a loop; a native copy costs about as much as this many bytes. */
const LOOP_COPY_BYTES_MAX = 48;
const POSITION_MAX = 0x4000_0000;

/** The largest size of a block that holds `bytes` bytes, whatever they are. */
export function lz4BlockBytesMax(bytes: number): number {
  return bytes + Math.floor(bytes / 255) + 16;
}

/**
 * Compresses into the LZ4 block format (`lz4_Block_format.md` of the LZ4 project): greedily, with
 * one table of the places at which four bytes were last seen.
 *
 * The table is kept between calls and not cleared: positions count on from call to call, so that
 * what an earlier call left lies before the beginning of this one.
 */
export class Lz4BlockCompressor {
  readonly #positions = new Int32Array(1 << HASH_BITS);
  #positionNext = 1;
  #source: Uint8Array = new Uint8Array(0);
  #target: Uint8Array = new Uint8Array(0);
  #written = 0;

  /**
   * Writes the block of `source` into `target` from `targetStart`, and returns where it ends.
   * What does not compress is stored as literals, so this always succeeds; `target` must have
   * `lz4BlockBytesMax(source.length)` bytes left, and `source` at most 1 GiB.
   */
  compressInto(source: Uint8Array, target: Uint8Array, targetStart = 0): number {
    assert(source.length < POSITION_MAX, 'the source is small enough');
    const bytesMax = lz4BlockBytesMax(source.length);
    assert(target.length - targetStart >= bytesMax, 'the target has room for the block');
    this.#source = source;
    this.#target = target;
    this.#written = targetStart;
    const anchor = this.#writeMatches(source, this.#claimPositions(source.length));
    this.#writeLiterals(anchor, source.length, 0);
    return this.#written;
  }

  /** Position numbers for `count` bytes that no earlier call has used; returns the first. */
  #claimPositions(count: number): number {
    if (this.#positionNext + count > POSITION_MAX) {
      this.#positions.fill(0);
      this.#positionNext = 1;
    }
    const base = this.#positionNext;
    this.#positionNext += count;
    return base;
  }

  /** Writes all sequences that end with a match; returns where the last of them ends. */
  #writeMatches(source: Uint8Array, base: number): number {
    const view = new DataView(source.buffer, source.byteOffset, source.length);
    const positions = this.#positions;
    const searchEnd = source.length - MATCH_MARGIN_BYTES;
    let anchor = 0;
    let at = 0;
    let searches = 1 << SKIP_TRIGGER;
    while (at < searchEnd) {
      const word = view.getInt32(at, true);
      const slot = Math.imul(word, HASH_FACTOR) >>> HASH_SHIFT;
      const candidate = (positions[slot] ?? 0) - base;
      positions[slot] = at + base;
      if (
        candidate < 0 ||
        at - candidate > DISTANCE_BYTES_MAX ||
        view.getInt32(candidate, true) !== word
      ) {
        at += searches >>> SKIP_TRIGGER;
        searches += 1;
        continue;
      }
      const distance = at - candidate;
      const end = matchEnd(view, at + MATCH_BYTES_MIN, distance);
      while (at > anchor && at > distance && source[at - 1] === source[at - 1 - distance]) at -= 1;
      this.#writeLiterals(anchor, at, end - at - MATCH_BYTES_MIN);
      this.#writeMatch(distance, end - at - MATCH_BYTES_MIN);
      at = end;
      anchor = end;
      searches = 1 << SKIP_TRIGGER;
      if (at < searchEnd) {
        const hashed = Math.imul(view.getInt32(at - 2, true), HASH_FACTOR) >>> HASH_SHIFT;
        positions[hashed] = at - 2 + base;
      }
    }
    return anchor;
  }

  /** The token of a sequence and its literals, the source's bytes from `from` up to `to`. */
  #writeLiterals(from: number, to: number, matchExtra: number): void {
    const target = this.#target;
    const count = to - from;
    const matchCode = matchExtra < TOKEN_LENGTH_MAX ? matchExtra : TOKEN_LENGTH_MAX;
    if (count < TOKEN_LENGTH_MAX) {
      target[this.#written] = (count << 4) | matchCode;
      this.#written += 1;
    } else {
      target[this.#written] = (TOKEN_LENGTH_MAX << 4) | matchCode;
      this.#written += 1;
      this.#writeLength(count - TOKEN_LENGTH_MAX);
    }
    const source = this.#source;
    const start = this.#written;
    this.#written += count;
    if (count > LOOP_COPY_BYTES_MAX) {
      target.set(source.subarray(from, to), start);
      return;
    }
    for (let index = 0; index < count; index += 1)
      target[start + index] = source[from + index] ?? 0;
  }

  #writeMatch(distance: number, matchExtra: number): void {
    const target = this.#target;
    target[this.#written] = distance & 0xff;
    target[this.#written + 1] = distance >>> 8;
    this.#written += 2;
    if (matchExtra >= TOKEN_LENGTH_MAX) this.#writeLength(matchExtra - TOKEN_LENGTH_MAX);
  }

  /** What of a length does not fit into the token: bytes of 255 and one below. */
  #writeLength(rest: number): void {
    const target = this.#target;
    let left = rest;
    for (; left >= 255; left -= 255) {
      target[this.#written] = 255;
      this.#written += 1;
    }
    target[this.#written] = left;
    this.#written += 1;
  }
}

/** Where bytes stop to be those `distance` before, as far as a match may go. */
function matchEnd(view: DataView, start: number, distance: number): number {
  const endMax = view.byteLength - LAST_LITERALS_BYTES;
  let at = start;
  while (at + 4 <= endMax) {
    const difference = view.getInt32(at, true) ^ view.getInt32(at - distance, true);
    if (difference !== 0) {
      // The lowest byte comes first, so the lowest differing bit tells how many bytes are equal.
      return at + ((31 - Math.clz32(difference & -difference)) >>> 3);
    }
    at += 4;
  }
  while (at < endMax && view.getUint8(at) === view.getUint8(at - distance)) at += 1;
  return at;
}
