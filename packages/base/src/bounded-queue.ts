import { assert } from './assert.ts';

/** First in, first out, of at most `itemsMax` items. A full queue refuses; it never drops. */
export class BoundedQueue<Item> {
  readonly itemsMax: number;
  #items: Item[] = [];

  constructor(itemsMax: number) {
    assert(itemsMax > 0, 'a queue holds at least one item');
    this.itemsMax = itemsMax;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Adds all of `items` or, when they do not all fit, none of them and returns false. */
  tryPush(items: readonly Item[]): boolean {
    if (this.#items.length + items.length > this.itemsMax) return false;
    for (const item of items) this.#items.push(item);
    return true;
  }

  /** Removes and returns the oldest items, `itemsMax` at most. */
  take(itemsMax: number): Item[] {
    if (this.#items.length <= itemsMax) {
      const all = this.#items;
      this.#items = [];
      return all;
    }
    return this.#items.splice(0, itemsMax);
  }
}
