import { assert } from '@tandem/base';

/**
 * The running checksum of a WAL, kept as the two unsigned 32-bit halves that headers store. It runs
 * over 8-byte units, in the byte order that the WAL's magic names, without making an object. (It
 * holds on to the buffer it has last seen.)
 */
export class WalChecksum {
  s0: number;
  s1: number;
  /** Making a view costs as much as the checksum of a small page. */
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(s0 = 0, s1 = 0) {
    this.s0 = s0;
    this.s1 = s1;
  }

  /** Goes on from another point: a header's or a frame's checksum. */
  reset(s0: number, s1: number): void {
    this.s0 = s0;
    this.s1 = s1;
  }

  /** Takes in the bytes from `start` to before `end`, a multiple of eight of them. */
  update(bytes: Uint8Array, start: number, end: number, isBigEndian: boolean): void {
    assert(start >= 0 && end <= bytes.length, 'the range lies within the bytes');
    assert(end >= start && (end - start) % 8 === 0, 'the checksum goes by eight bytes');
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    const from = bytes.byteOffset + start;
    const to = bytes.byteOffset + end;
    if (isBigEndian) this.#addBigEndian(from, to);
    else this.#addLittleEndian(from, to);
  }

  // Two loops: with the byte order in a variable, every load would ask for it.
  #addLittleEndian(from: number, to: number): void {
    const view = this.#view;
    let s0 = this.s0 | 0;
    let s1 = this.s1 | 0;
    for (let at = from; at < to; at += 8) {
      s0 = (s0 + view.getInt32(at, true) + s1) | 0;
      s1 = (s1 + view.getInt32(at + 4, true) + s0) | 0;
    }
    this.s0 = s0 >>> 0;
    this.s1 = s1 >>> 0;
  }

  #addBigEndian(from: number, to: number): void {
    const view = this.#view;
    let s0 = this.s0 | 0;
    let s1 = this.s1 | 0;
    for (let at = from; at < to; at += 8) {
      s0 = (s0 + view.getInt32(at, false) + s1) | 0;
      s1 = (s1 + view.getInt32(at + 4, false) + s0) | 0;
    }
    this.s0 = s0 >>> 0;
    this.s1 = s1 >>> 0;
  }
}
