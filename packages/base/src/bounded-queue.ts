import { assert } from './assert.ts';

/** First in, first out, of at most `itemsMax` items. A full queue refuses; it never drops. */
export class BoundedQueue<Item> {
  readonly itemsMax: number;
  #items: Item[] = [];
  /** Items before this index have been taken; they are let go in one go, so that taking is cheap. */
  #head = 0;

  constructor(itemsMax: number) {
    assert(itemsMax > 0, 'a queue holds at least one item');
    this.itemsMax = itemsMax;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Adds `item`, or returns false when the queue is full. */
  tryPush(item: Item): boolean {
    if (this.size >= this.itemsMax) return false;
    this.#items.push(item);
    return true;
  }

  /** Removes and returns the oldest item. */
  take(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#head += 1;
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
