import { assert } from '@tandem/base';
import type { Prng } from './prng.ts';

/** A choice among items, each as likely as its weight. */
export class WeightedChoice<Item> {
  readonly #items: readonly Item[];
  /** The sum of all weights up to and including each item. */
  readonly #sums: readonly number[];

  constructor(items: readonly Item[], weightOf: (item: Item, index: number) => number) {
    assert(items.length > 0, 'there is something to choose from');
    let sum = 0;
    this.#items = items;
    this.#sums = items.map((item, index) => (sum += weightOf(item, index)));
  }

  pick(prng: Prng): Item {
    const wanted = prng.float() * (this.#sums.at(-1) ?? 0);
    let low = 0;
    let high = this.#sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sums[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    const item = this.#items[low];
    assert(item !== undefined, 'the choice lies within the items');
    return item;
  }
}
