/** The most bytes that an integer below 2^53 takes. */
export const UVARINT_BYTES_MAX = 8;

/**
 * Writes an integer from 0 to 2^53 - 1 as a varint of Go's `encoding/binary`: seven bits a byte,
 * the lowest first, the top bit set on all but the last. Returns where it ends.
 */
export function writeUvarint(value: number, target: Uint8Array, at: number): number {
  let left = value;
  let end = at;
  while (left >= 0x80) {
    target[end] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
    end += 1;
  }
  target[end] = left;
  return end + 1;
}

/**
 * Reads varints one after the other. `next` returns undefined at the end of the bytes and for a
 * varint that the end cuts off, that is above 2^53 - 1, or that is longer than it needs to be.
 */
export class UvarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#at;
  }

  next(): number | undefined {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < UVARINT_BYTES_MAX; count += 1) {
      const byte = this.#bytes[this.#at + count];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte >= 0x80) continue;
      const isPadded = byte === 0 && count > 0;
      if (isPadded || !Number.isSafeInteger(value)) return undefined;
      this.#at += count + 1;
      return value;
    }
    return undefined;
  }
}
