import { assert } from '@tandem/base';

/** Random numbers that are the same for the same seed, on every machine: splitmix32. */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 up to but not including `limit`. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** True in `probability` of all cases. */
  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  /** One of `values`, of which there must be some. The first ones come more often. */
  skewed<Value>(values: readonly Value[]): Value {
    return valueAt(values, Math.floor(values.length * this.#next() ** 2));
  }

  /** One of `values`, of which there must be some. */
  pick<Value>(values: readonly Value[]): Value {
    return valueAt(values, this.below(values.length));
  }

  #next(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0;
    return mix32(this.#state) / 2 ** 32;
  }
}

function mix32(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x21f0_aaad);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x735a_2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function valueAt<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  assert(value !== undefined, 'there is a value to choose');
  return value;
}
