import { assert } from '@tandem/base';

/**
 * Bytes that come in chunks and are taken in pieces. A chunk is used in place when nothing waits;
 * what is left of it when `settle` is called is copied, so its owner may then reuse it.
 */
export class ByteQueue {
  #storage: Uint8Array = new Uint8Array(0);
  #bytes: Uint8Array = this.#storage;
  #start = 0;
  #end = 0;
  #taken = 0;

  /** How many bytes wait. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** How many bytes have been taken since the beginning. */
  get taken(): number {
    return this.#taken;
  }

  /** Adds a chunk, which must not change before `settle`. */
  push(chunk: Uint8Array): void {
    if (this.length === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    this.settle();
    this.#makeRoom(chunk.length);
    this.#storage.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Lets go of the chunks that came in. Views taken before are no longer valid. */
  settle(): void {
    if (this.#bytes === this.#storage) return;
    const waiting = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = this.#storage;
    this.#start = 0;
    this.#end = 0;
    this.#makeRoom(waiting.length);
    this.#storage.set(waiting);
    this.#end = waiting.length;
  }

  /** The next `count` bytes without taking them; as many as there are when there are fewer. */
  peek(count: number): Uint8Array {
    return this.#bytes.subarray(this.#start, Math.min(this.#start + count, this.#end));
  }

  /** Takes the next `count` bytes, which must be there; a view, valid until `push` or `settle`. */
  take(count: number): Uint8Array {
    assert(count <= this.length, 'the bytes to take are there');
    const start = this.#start;
    this.#start += count;
    this.#taken += count;
    return this.#bytes.subarray(start, start + count);
  }

  /** Room for `count` bytes after those that wait in the storage, which doubles when it is full. */
  #makeRoom(count: number): void {
    if (this.#end + count <= this.#storage.length) return;
    const waiting = this.#storage.subarray(this.#start, this.#end);
    const needed = waiting.length + count;
    if (needed > this.#storage.length) {
      this.#storage = new Uint8Array(Math.max(needed, 2 * this.#storage.length));
    }
    this.#storage.set(waiting);
    this.#bytes = this.#storage;
    this.#start = 0;
    this.#end = waiting.length;
  }
}
