import { assert } from '@tandem/base';

/** A source of pages that has one to offer. */
export interface HeapEntry {
  readonly source: number;
  readonly pgno: number;
}

/** A binary heap: the lowest page first, and of several versions of it the latest source's. */
export class CompactionHeap {
  readonly #entries: HeapEntry[] = [];

  /** The first entry, or undefined when there is none. */
  peek(): HeapEntry | undefined {
    return this.#entries[0];
  }

  push(entry: HeapEntry): void {
    const entries = this.#entries;
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the first entry away; there must be one. */
  pop(): HeapEntry {
    const entries = this.#entries;
    const [first] = entries;
    const last = entries.pop();
    assert(first !== undefined && last !== undefined, 'the heap has an entry');
    if (entries.length === 0) return first;
    entries[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const least = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(least, at)) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(at: number, other: number): boolean {
    const a = this.#entries[at];
    const b = this.#entries[other];
    if (a === undefined || b === undefined) return false;
    return a.pgno < b.pgno || (a.pgno === b.pgno && a.source > b.source);
  }

  #swap(at: number, other: number): void {
    const a = this.#entries[at];
    const b = this.#entries[other];
    assert(a !== undefined && b !== undefined, 'both entries exist');
    this.#entries[at] = b;
    this.#entries[other] = a;
  }
}
