import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  differingGroups,
  differingPages,
  DIGEST_BYTES,
  DigestSum,
  ENTRY_BYTES,
  GROUP_PAGES,
  pageDigest,
  totalOf,
} from './page-digest.ts';

const word = fc.integer({ min: 0, max: 0xffff_ffff });
/** Words at the ends of their range make carries that run through all of them. */
const digest = fc
  .array(fc.oneof(word, fc.constantFrom(0, 1, 0xffff_ffff)), { minLength: 4, maxLength: 4 })
  .map((words) => Uint32Array.from(words));

function toBigInt(words: Readonly<Uint32Array>): bigint {
  return words.reduce((sum, value) => (sum << 32n) + BigInt(value), 0n);
}

function sumOf(digests: readonly Uint32Array[]): DigestSum {
  const sum = new DigestSum();
  for (const words of digests) sum.add(words);
  return sum;
}

describe('pageDigest', () => {
  it('is the first 16 bytes of SHA-256 over the number and the page', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0xffff_fffe }),
        fc.constantFrom(512, 4096, 65_536),
        fc.integer(),
        (pgno, pageSize, seed) => {
          const data = new Uint8Array(pageSize).map((_, index) => index * seed);
          const out = new Uint32Array(6);
          pageDigest(pgno, data, out, 2);
          const number = Buffer.alloc(4);
          number.writeUInt32BE(pgno);
          const expected = createHash('sha256').update(number).update(data).digest();
          const found = Buffer.alloc(16);
          for (const [index, value] of out.subarray(2).entries()) {
            found.writeUInt32BE(value, index * 4);
          }
          expect(found.toString('hex')).toBe(expected.subarray(0, 16).toString('hex'));
          expect([...out.subarray(0, 2)]).toEqual([0, 0]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('differs for the same bytes on another page', () => {
    const [one, two] = [new Uint32Array(4), new Uint32Array(4)];
    pageDigest(1, new Uint8Array(512), one);
    pageDigest(2, new Uint8Array(512), two);
    expect(toBigInt(one)).not.toBe(toBigInt(two));
  });
});

describe('DigestSum', () => {
  it('adds modulo 2^128', () => {
    fc.assert(
      fc.property(fc.array(digest, { maxLength: 20 }), (digests) => {
        const expected = digests.reduce((sum, words) => sum + toBigInt(words), 0n) % 2n ** 128n;
        const sum = sumOf(digests);
        expect(toBigInt(sum.words)).toBe(expected);
        expect(sum.toHex()).toBe(expected.toString(16).padStart(32, '0'));
      }),
    );
  });

  it('is the same in any order, and as it was when a digest goes that came', () => {
    fc.assert(
      fc.property(fc.array(digest, { maxLength: 20 }), digest, (digests, extra) => {
        const sum = sumOf(digests);
        const reversed = new DigestSum().add(extra);
        for (const words of digests.slice().reverse()) reversed.add(words);
        expect(reversed.subtract(extra).equals(sum)).toBe(true);
        const isZero = toBigInt(extra) === 0n;
        expect(sum.equals(sumOf([...digests, extra]))).toBe(isZero);
      }),
    );
  });

  it('takes digests from inside of an array', () => {
    const words = Uint32Array.of(9, 9, 1, 2, 3, 4);
    expect(new DigestSum().add(words, 2).toHex()).toBe('00000001000000020000000300000004');
    expect(new DigestSum().add(words, 2).subtract(words, 2).equals(new DigestSum())).toBe(true);
    expect(new DigestSum().add(words, 2).clear().equals(new DigestSum())).toBe(true);
  });
});

describe('totalOf', () => {
  it('adds up the entries that were written, as a sum of digests and an XOR of checksums', () => {
    const entry = fc.record({ hi: word, lo: word, digest, isPresent: fc.boolean() });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), fc.nat(30), (shapes, skipped) => {
        const entries = new DataView(new ArrayBuffer(shapes.length * ENTRY_BYTES));
        const from = Math.min(skipped, shapes.length);
        const [sum, checksum] = [new DigestSum(), { hi: 0, lo: 0 }];
        let presentCount = 0;
        for (const [index, shape] of shapes.entries()) {
          if (!shape.isPresent) continue;
          const hi = (shape.hi | 0x8000_0000) >>> 0;
          for (const [at, value] of [hi, shape.lo, ...shape.digest].entries()) {
            entries.setUint32(index * ENTRY_BYTES + at * 4, value);
          }
          if (index < from) continue;
          presentCount += 1;
          checksum.hi ^= hi;
          checksum.lo ^= shape.lo;
          sum.add(shape.digest);
        }
        const total = totalOf(entries, from, shapes.length);
        expect(total).toMatchObject({ ...checksum, presentCount });
        expect(new DigestSum().add(total.digest).toHex()).toBe(sum.toHex());
      }),
    );
  });
});

describe('differingPages and differingGroups', () => {
  const digests = fc
    .array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 })
    .map((values) => values.flatMap((value) => Array.from({ length: DIGEST_BYTES }, () => value)))
    .map((bytes) => Uint8Array.from(bytes));

  it('list what is wanted and not held the same, in order', () => {
    fc.assert(
      fc.property(digests, digests, fc.nat(5), (wanted, held, group) => {
        const count = wanted.length / DIGEST_BYTES;
        const expected = Array.from({ length: count }, (_, index) => index).filter(
          (index) => wanted[index * DIGEST_BYTES] !== held[index * DIGEST_BYTES],
        );
        expect(differingGroups(wanted, held)).toEqual(expected);
        expect(differingPages(group, wanted, held)).toEqual(
          expected.map((index) => group * GROUP_PAGES + index + 1),
        );
      }),
    );
  });

  it('see a difference in any byte', () => {
    for (let index = 0; index < DIGEST_BYTES; index += 1) {
      const held = new Uint8Array(3 * DIGEST_BYTES);
      held[DIGEST_BYTES + index] = 1;
      expect(differingPages(0, new Uint8Array(3 * DIGEST_BYTES), held)).toEqual([2]);
    }
  });
});
