/** Pages that are made at once at most, so that one that is kept keeps little else. */
const PAGES_MAX = 64;

/**
 * Makes the memory of pages: several at once, since each piece of memory costs as much to make and to
 * forget as reading a page does. A file of one page takes no more than that.
 */
export class PageRoom {
  readonly #pageSize: number;
  #bytes = new Uint8Array(0);
  #used = 0;
  #pages = 1;

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
  }

  /** Memory for one page, all zeros, which nothing else uses. */
  next(): Uint8Array {
    if (this.#used === this.#bytes.length) {
      this.#bytes = new Uint8Array(this.#pages * this.#pageSize);
      this.#used = 0;
      this.#pages = Math.min(2 * this.#pages, PAGES_MAX);
    }
    const start = this.#used;
    this.#used += this.#pageSize;
    return this.#bytes.subarray(start, this.#used);
  }
}
