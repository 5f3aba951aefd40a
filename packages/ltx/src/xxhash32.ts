const PRIME_1 = 0x9e37_79b1;
const PRIME_2 = 0x85eb_ca77;
const PRIME_3 = 0xc2b2_ae3d;
const PRIME_4 = 0x27d4_eb2f;
const PRIME_5 = 0x1656_67b1;
const STRIPE_BYTES = 16;

/** The 32-bit xxHash with seed 0, which LZ4 frames use for their checksums. */
export class XxHash32 {
  readonly #lanes = Int32Array.of(PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1);
  readonly #pending = new Uint8Array(STRIPE_BYTES);
  #pendingBytes = 0;
  #totalBytes = 0;

  update(bytes: Uint8Array): this {
    this.#totalBytes += bytes.length;
    let at = 0;
    if (this.#pendingBytes > 0) {
      at = Math.min(STRIPE_BYTES - this.#pendingBytes, bytes.length);
      this.#pending.set(bytes.subarray(0, at), this.#pendingBytes);
      this.#pendingBytes += at;
      if (this.#pendingBytes < STRIPE_BYTES) return this;
      this.#stripes(this.#pending, 0, STRIPE_BYTES);
    }
    const rest = (bytes.length - at) % STRIPE_BYTES;
    this.#stripes(bytes, at, bytes.length - rest);
    this.#pending.set(bytes.subarray(bytes.length - rest));
    this.#pendingBytes = rest;
    return this;
  }

  /** The hash of all bytes so far, unsigned. */
  digest(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#lanes;
    let hash =
      this.#totalBytes < STRIPE_BYTES
        ? PRIME_5
        : rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    hash = (hash + this.#totalBytes) | 0;
    const pending = this.#pending.subarray(0, this.#pendingBytes);
    const view = new DataView(pending.buffer);
    let at = 0;
    for (; at + 4 <= pending.length; at += 4) {
      hash = (hash + Math.imul(view.getInt32(at, true), PRIME_3)) | 0;
      hash = Math.imul(rotate(hash, 17), PRIME_4);
    }
    for (; at < pending.length; at += 1) {
      hash = (hash + Math.imul(pending[at] ?? 0, PRIME_5)) | 0;
      hash = Math.imul(rotate(hash, 11), PRIME_1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let [a = 0, b = 0, c = 0, d = 0] = this.#lanes;
    for (let at = start; at < end; at += STRIPE_BYTES) {
      a = round(a, view.getInt32(at, true));
      b = round(b, view.getInt32(at + 4, true));
      c = round(c, view.getInt32(at + 8, true));
      d = round(d, view.getInt32(at + 12, true));
    }
    this.#lanes.set([a, b, c, d]);
  }
}

/** The hash of `bytes`, unsigned. */
export function xxHash32(bytes: Uint8Array): number {
  return new XxHash32().update(bytes).digest();
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
