import type { Crc64 } from './crc64.ts';
import { UVARINT_BYTES_MAX, writeUvarint } from './uvarint.ts';

const ENTRY_BYTES_MAX = 3 * UVARINT_BYTES_MAX;
const FIRST_BYTES = 64;

/**
 * The page index of a file as it grows: for each page its number, the offset of its frame in the
 * file and the frame's length, about ten bytes in all.
 */
export class PageIndexBuilder {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  add(pgno: number, offset: number, frameBytes: number): void {
    if (this.#length + ENTRY_BYTES_MAX > this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#bytes.length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#length = writeEntry(this.#bytes, this.#length, { pgno, offset, frameBytes });
  }

  /** The index with its closing zero and its size, as it stands in the file. */
  finish(): Uint8Array<ArrayBuffer> {
    const bytes = this.#length + 1;
    const index = new Uint8Array(bytes + 8);
    index.set(this.#bytes.subarray(0, this.#length));
    new DataView(index.buffer).setBigUint64(bytes, BigInt(bytes));
    return index;
  }
}

/**
 * What the index of a file must be, as a checksum, so that a reader can compare without keeping
 * the index.
 */
export class PageIndexExpectation {
  readonly #crc: Crc64;
  readonly #scratch = new Uint8Array(ENTRY_BYTES_MAX);
  #bytes = 0;

  /** `crc` takes in the bytes of the index. */
  constructor(crc: Crc64) {
    this.#crc = crc;
  }

  /** How many bytes the index has, without its closing zero. */
  get bytes(): number {
    return this.#bytes;
  }

  add(pgno: number, offset: number, frameBytes: number): void {
    const bytes = writeEntry(this.#scratch, 0, { pgno, offset, frameBytes });
    this.#crc.update(this.#scratch, 0, bytes);
    this.#bytes += bytes;
  }
}

interface IndexEntry {
  readonly pgno: number;
  readonly offset: number;
  readonly frameBytes: number;
}

function writeEntry(target: Uint8Array, at: number, entry: IndexEntry): number {
  let end = writeUvarint(entry.pgno, target, at);
  end = writeUvarint(entry.offset, target, end);
  return writeUvarint(entry.frameBytes, target, end);
}
