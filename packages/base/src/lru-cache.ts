import { assert } from './assert.ts';

/**
 * A map of at most `entriesMax` entries that forgets those that have not been used for long.
 *
 * Entries are kept in two generations. What is set or found moves to the younger one; when that has
 * half of all entries, the older one is forgotten and the younger one takes its place. So whatever
 * was used since `entriesMax / 2` other entries were is still there, and using an entry again costs
 * no more than finding it.
 */
export class LruCache<Key, Value> {
  readonly #generationEntriesMax: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(entriesMax: number) {
    assert(entriesMax >= 2, 'a cache holds an entry of each generation');
    this.#generationEntriesMax = Math.floor(entriesMax / 2);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The value of `key`, which is then among the most recently used. */
  get(key: Key): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: Key, value: Value): void {
    this.#old.delete(key);
    this.#young.set(key, value);
    if (this.#young.size < this.#generationEntriesMax) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: Key): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
