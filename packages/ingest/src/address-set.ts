import { assert } from '@tandem/base';
import ipaddr from 'ipaddr.js';
import { normaliseAddress } from './address.ts';

/** A range of addresses; a single one is a range of its full length. */
interface AddressRange {
  readonly parts: readonly number[];
  readonly prefixBits: number;
}

const DOT = '.'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

const IPV4_BITS = 32;
const IPV6_BITS = 128;

/** Whether `text` is an address or a CIDR range, as `AddressSet` takes them. */
export function isAddressRange(text: string): boolean {
  return addressRange(text) !== null;
}

/**
 * A set of addresses given as single ones and CIDR ranges. Looking up IPv4 is a binary search in
 * two arrays of integers; IPv6 ranges are compared one by one, since the lists in use have few.
 */
export class AddressSet {
  static readonly EMPTY = new AddressSet([]);

  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #longRanges: readonly AddressRange[];

  /** `ranges` must all be such as `isAddressRange` accepts. */
  constructor(ranges: readonly string[]) {
    const parsed = ranges.map((text) => {
      const range = addressRange(text);
      assert(range !== null, `'${text}' is an address or a CIDR range`);
      return range;
    });
    const spans = mergedSpans(parsed.filter((range) => range.parts.length === 4));
    this.#starts = Uint32Array.from(spans, ([start]) => start);
    this.#ends = Uint32Array.from(spans, ([, end]) => end);
    this.#longRanges = parsed.filter((range) => range.parts.length === 8);
  }

  /** Whether `address`, in the form of `normaliseAddress`, is in the set. */
  has(address: string): boolean {
    if (address.includes(':')) {
      if (this.#longRanges.length === 0) return false;
      const { parts } = ipaddr.IPv6.parse(address);
      return this.#longRanges.some((range) => isInRange(parts, range));
    }
    return this.#starts.length > 0 && this.#hasDotted(integerOf(address));
  }

  #hasDotted(value: number): boolean {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return low > 0 && value <= (this.#ends[low - 1] ?? -1);
  }
}

function addressRange(text: string): AddressRange | null {
  const [addressText = '', prefixText, ...rest] = text.trim().split('/');
  const hasPort = /^\d+\.[\d.]+:/.test(addressText);
  const address = hasPort || addressText.includes('[') ? null : normaliseAddress(addressText);
  if (address === null || rest.length > 0) return null;
  const isLong = address.includes(':');
  const parts = isLong ? ipaddr.IPv6.parse(address).parts : octetsOf(address);
  const bits = isLong ? IPV6_BITS : IPV4_BITS;
  if (prefixText === undefined) return { parts, prefixBits: bits };
  // The prefix of a range written as IPv4-mapped IPv6 counts from the first of 128 bits.
  const mappedBits = !isLong && addressText.includes(':') ? IPV6_BITS - IPV4_BITS : 0;
  const prefixBits = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) - mappedBits : -1;
  return prefixBits < 0 || prefixBits > bits ? null : { parts, prefixBits };
}

function octetsOf(dotted: string): readonly number[] {
  return dotted.split('.').map(Number);
}

function integerOf(dotted: string): number {
  let value = 0;
  let octet = 0;
  for (let index = 0; index < dotted.length; index += 1) {
    const code = dotted.charCodeAt(index);
    if (code === DOT) {
      value = value * 256 + octet;
      octet = 0;
    } else {
      octet = octet * 10 + code - ZERO;
    }
  }
  return value * 256 + octet;
}

function mergedSpans(ranges: readonly AddressRange[]): readonly (readonly [number, number])[] {
  const spans = ranges
    .map(({ parts, prefixBits }): [number, number] => {
      const size = 2 ** (IPV4_BITS - prefixBits);
      const start = Math.floor(integerOf(parts.join('.')) / size) * size;
      return [start, start + size - 1];
    })
    .sort(([left], [right]) => left - right);
  const merged: [number, number][] = [];
  for (const [start, end] of spans) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last[1] + 1) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

function isInRange(parts: readonly number[], range: AddressRange): boolean {
  let bitsLeft = range.prefixBits;
  for (let index = 0; bitsLeft > 0; index += 1) {
    const ignoredBits = Math.max(0, 16 - bitsLeft);
    const difference = (parts[index] ?? 0) ^ (range.parts[index] ?? 0);
    if (difference >>> ignoredBits !== 0) return false;
    bitsLeft -= 16;
  }
  return true;
}
