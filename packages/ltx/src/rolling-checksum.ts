import { joinUint64, splitUint64 } from './crc64.ts';
import { CHECKSUM_FLAG, CHECKSUM_FLAG_HI } from './page-checksum.ts';

/** The rolling checksum of a database without pages. */
export const EMPTY_ROLLING_CHECKSUM: bigint = CHECKSUM_FLAG;

/**
 * The checksum of a whole database as LTX files carry it: the XOR of the checksums of all pages
 * except the lock page, with bit 63 set. The order of pages does not matter, and a page is taken
 * out by the same operation that puts it in.
 *
 * It is a tripwire, not proof of equality: two pages that trade places or change alike leave it
 * as it was.
 */
export class RollingChecksum {
  #hi: number;
  #lo: number;

  /** Goes on from `start`, by default from a database without pages. */
  constructor(start: bigint = EMPTY_ROLLING_CHECKSUM) {
    [this.#hi, this.#lo] = splitUint64(start | CHECKSUM_FLAG);
  }

  /** The high 32 bits, unsigned. */
  get hi(): number {
    return (this.#hi | CHECKSUM_FLAG_HI) >>> 0;
  }

  /** The low 32 bits, unsigned. */
  get lo(): number {
    return this.#lo >>> 0;
  }

  /** Puts in the checksum of a page, or takes it out if it is in. */
  toggle(hi: number, lo: number): this {
    this.#hi ^= hi;
    this.#lo ^= lo;
    return this;
  }

  toBigInt(): bigint {
    return joinUint64(this.hi, this.lo);
  }
}
