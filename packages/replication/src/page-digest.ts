import { hash } from 'node:crypto';
import { assert } from '@tandem/base';

/** The bytes of a page's digest, and of a sum of digests. */
export const DIGEST_BYTES = 16;
/** The same as 32-bit words, the highest first. */
export const DIGEST_WORDS = 4;
/** A group of digests covers this many consecutive pages: group 0 pages 1 to 1,024. */
export const GROUP_PAGES = 1024;

/** An entry of the page table: the checksum of the LTX format, 8 bytes, and the digest. */
export const ENTRY_BYTES = 8 + DIGEST_BYTES;

const WORD = 0x1_0000_0000;
const PAGE_BYTES_MAX = 65_536;
/** Holds what is hashed. Nothing is carried from one call to the next. */
const SCRATCH = Buffer.alloc(4 + PAGE_BYTES_MAX);

/**
 * Writes the digest of a page into four words of `out` from `at` on: the first 16 bytes of SHA-256
 * over its number (four bytes, the highest first) and its bytes.
 *
 * One call over a copy of the page takes about 5 µs for 4 KiB, a hash object fed in two pieces 7 µs.
 */
export function pageDigest(pgno: number, data: Uint8Array, out: Uint32Array, at = 0): void {
  assert(data.length <= PAGE_BYTES_MAX, 'a page has at most 65,536 bytes');
  SCRATCH.writeUInt32BE(pgno, 0);
  SCRATCH.set(data, 4);
  const input = SCRATCH.subarray(0, 4 + data.length);
  // One character per byte: cheaper to make than an object, and than digits to read.
  const text = hash('sha256', input, 'binary');
  for (let word = 0; word < DIGEST_WORDS; word += 1) {
    const from = word * 4;
    out[at + word] =
      ((text.charCodeAt(from) << 24) |
        (text.charCodeAt(from + 1) << 16) |
        (text.charCodeAt(from + 2) << 8) |
        text.charCodeAt(from + 3)) >>>
      0;
  }
}

/**
 * The digest of a set of pages: the sum of their digests modulo 2^128. The order does not matter,
 * and a page is taken out as it was put in. Unlike the XOR of checksums, two pages that change
 * places or alike do not cancel out, because a digest depends on all of a page and its number.
 *
 * It tells honest copies from damaged ones. Against somebody who can choose many pages freely, a sum
 * is weaker than the hash under it.
 */
export class DigestSum {
  readonly #words = new Uint32Array(DIGEST_WORDS);

  /** Puts in the digest in the four words from `at` on. */
  add(words: Uint32Array, at = 0): this {
    const sum = this.#words;
    let carry = 0;
    for (let index = DIGEST_WORDS - 1; index >= 0; index -= 1) {
      const total = (sum[index] ?? 0) + (words[at + index] ?? 0) + carry;
      sum[index] = total;
      carry = total >= WORD ? 1 : 0;
    }
    return this;
  }

  /** Takes out the digest in the four words from `at` on. */
  subtract(words: Uint32Array, at = 0): this {
    const sum = this.#words;
    let borrow = 0;
    for (let index = DIGEST_WORDS - 1; index >= 0; index -= 1) {
      const rest = (sum[index] ?? 0) - (words[at + index] ?? 0) - borrow;
      sum[index] = rest;
      borrow = rest < 0 ? 1 : 0;
    }
    return this;
  }

  /** The four words, the highest first; a view that the next change changes. */
  get words(): Readonly<Uint32Array> {
    return this.#words;
  }

  clear(): this {
    this.#words.fill(0);
    return this;
  }

  equals(other: DigestSum): boolean {
    return this.#words.every((word, index) => word === other.#words[index]);
  }

  /** 32 lower-case hexadecimal digits. */
  toHex(): string {
    return Array.from(this.#words, (word) => word.toString(16).padStart(8, '0')).join('');
  }
}

/** What an entry says. */
export interface PageEntry {
  /** The checksum of the LTX format. */
  readonly checksum: bigint;
  /** The 16 bytes of `pageDigest`. */
  readonly digest: Uint8Array;
}

/** The digests in a series of entries, without the checksums. */
export function digestsOf(entries: Uint8Array): Uint8Array<ArrayBuffer> {
  const digests = new Uint8Array((entries.length / ENTRY_BYTES) * DIGEST_BYTES);
  for (let from = 8, to = 0; from < entries.length; from += ENTRY_BYTES, to += DIGEST_BYTES) {
    digests.set(entries.subarray(from, from + DIGEST_BYTES), to);
  }
  return digests;
}

/** What a range of entries adds up to. */
export interface EntryTotal {
  /** The XOR of the checksums, in two halves. */
  readonly hi: number;
  readonly lo: number;
  /** How many entries are not all zeros, as those are that were never written. */
  readonly presentCount: number;
  /** The sum of the digests in four words. */
  readonly digest: Readonly<Uint32Array>;
}

/**
 * Adds up the entries from index `from` to before `to`. The words are added without carry, which
 * floating point holds exactly for two million entries, and carried once at the end.
 */
export function totalOf(entries: DataView, from: number, to: number): EntryTotal {
  let [hi, lo, presentCount] = [0, 0, 0];
  let [word0, word1, word2, word3] = [0, 0, 0, 0];
  for (let at = from * ENTRY_BYTES; at < to * ENTRY_BYTES; at += ENTRY_BYTES) {
    const entryHi = entries.getUint32(at);
    // Every checksum has its highest bit set.
    if (entryHi === 0) continue;
    presentCount += 1;
    hi ^= entryHi;
    lo ^= entries.getUint32(at + 4);
    word0 += entries.getUint32(at + 8);
    word1 += entries.getUint32(at + 12);
    word2 += entries.getUint32(at + 16);
    word3 += entries.getUint32(at + 20);
  }
  word2 += Math.floor(word3 / WORD);
  word1 += Math.floor(word2 / WORD);
  word0 += Math.floor(word1 / WORD);
  return { hi, lo, presentCount, digest: Uint32Array.of(word0, word1, word2, word3) };
}

/**
 * The groups of the database `wanted` that the database `held` lacks or has otherwise, from the
 * digests of their groups. What `held` has beyond the end of `wanted` is not listed.
 */
export function differingGroups(wanted: Uint8Array, held: Uint8Array): number[] {
  return differingDigests(wanted, held);
}

/**
 * The numbers of the pages of one group of the database `wanted` that the database `held` lacks or
 * has otherwise, from the digests of the pages of that group. A page that is absent in both does not
 * differ.
 */
export function differingPages(group: number, wanted: Uint8Array, held: Uint8Array): number[] {
  return differingDigests(wanted, held).map((index) => group * GROUP_PAGES + index + 1);
}

function differingDigests(wanted: Uint8Array, held: Uint8Array): number[] {
  assert(wanted.length % DIGEST_BYTES === 0, 'digests are whole');
  assert(held.length % DIGEST_BYTES === 0, 'digests are whole');
  const differing: number[] = [];
  for (let at = 0; at < wanted.length; at += DIGEST_BYTES) {
    const isSame = at < held.length && areSame(wanted, held, at);
    if (!isSame) differing.push(at / DIGEST_BYTES);
  }
  return differing;
}

function areSame(wanted: Uint8Array, held: Uint8Array, at: number): boolean {
  for (let index = at; index < at + DIGEST_BYTES; index += 1) {
    if (wanted[index] !== held[index]) return false;
  }
  return true;
}
