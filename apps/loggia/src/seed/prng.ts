/**
 * Random numbers that are the same for the same seed, on every machine: the sfc32 generator of
 * Chris Doty-Humphrey's PractRand. Not for secrets.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#a = hash32(seed, 0x9e37_79b9);
    this.#b = hash32(seed, 0x85eb_ca6b);
    this.#c = hash32(seed, 0xc2b2_ae35);
    for (let round = 0; round < 12; round++) this.uint32();
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number from 0 up to but not including 1. */
  float(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number between two bounds, both included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.float() * (max - min + 1));
  }

  /** True in `probability` of all cases. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** A normally distributed number of mean 0 and deviation 1. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }

  /** A signed integer of 64 bits. */
  int64(): bigint {
    return BigInt.asIntN(64, (BigInt(this.uint32()) << 32n) | BigInt(this.uint32()));
  }
}

/** 32 bits of `text`, in the manner of FNV-1a with a final mix. */
function hash32(text: string, start: number): number {
  let hash = start | 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0_aaad);
  return hash ^ (hash >>> 15);
}
