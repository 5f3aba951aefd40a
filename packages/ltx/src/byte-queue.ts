/**
 * Bytes that come in chunks and are taken in pieces. A chunk is used in place; what is left of it
 * when `settle` is called is copied, so its owner may then reuse it.
 */
export class ByteQueue {
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #taken = 0;
  #isOwn = true;

  /** How many bytes wait. */
  get length(): number {
    return this.#bytes.length - this.#start;
  }

  /** How many bytes have been taken since the beginning. */
  get taken(): number {
    return this.#taken;
  }

  /** Adds a chunk, which must not change before `settle`. */
  push(chunk: Uint8Array): void {
    const waiting = this.length;
    if (waiting === 0) {
      this.#bytes = chunk;
      this.#isOwn = false;
    } else {
      const joined = new Uint8Array(waiting + chunk.length);
      joined.set(this.#bytes.subarray(this.#start));
      joined.set(chunk, waiting);
      this.#bytes = joined;
      this.#isOwn = true;
    }
    this.#start = 0;
  }

  /** Lets go of the chunks that came in. Views taken before are no longer valid. */
  settle(): void {
    if (this.#isOwn) return;
    this.#bytes = this.#bytes.slice(this.#start);
    this.#start = 0;
    this.#isOwn = true;
  }

  /** The next `count` bytes without taking them; as many as there are when there are fewer. */
  peek(count: number): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#start + count);
  }

  /** Takes the next `count` bytes, which must be there; a view, valid until `push` or `settle`. */
  take(count: number): Uint8Array {
    const start = this.#start;
    this.#start += count;
    this.#taken += count;
    return this.#bytes.subarray(start, start + count);
  }
}
