import fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitUint64 } from './crc64.ts';
import { pageChecksum, pageChecksumBigInt } from './page-checksum.ts';
import { EMPTY_ROLLING_CHECKSUM, RollingChecksum } from './rolling-checksum.ts';

const FLAG = 0x8000_0000_0000_0000n;
const pageSum = fc
  .tuple(fc.nat(0xffff_ffff), fc.uint8Array({ minLength: 1, maxLength: 64 }))
  .map(([pgno, data]) => pageChecksumBigInt(pgno, data));

function rollingOf(sums: readonly bigint[], start?: bigint): bigint {
  const rolling = new RollingChecksum(start);
  for (const sum of sums) rolling.toggle(...splitUint64(sum));
  return rolling.toBigInt();
}

it('is the XOR of the pages with bit 63 set after each, as the format defines it', () => {
  fc.assert(
    fc.property(fc.array(pageSum), (sums) => {
      const defined = sums.reduce((rolling, sum) => FLAG | (rolling ^ sum), FLAG);
      expect(rollingOf(sums)).toBe(defined);
    }),
  );
});

it('does not depend on the order of the pages', () => {
  const shuffled = fc
    .array(pageSum)
    .chain((sums) =>
      fc.tuple(
        fc.constant(sums),
        fc.shuffledSubarray(sums, { minLength: sums.length, maxLength: sums.length }),
      ),
    );
  fc.assert(
    fc.property(shuffled, ([sums, others]) => {
      expect(rollingOf(others)).toBe(rollingOf(sums));
    }),
  );
});

it('a page that is put in and taken out leaves no trace', () => {
  fc.assert(
    fc.property(fc.array(pageSum), pageSum, (sums, page) => {
      expect(rollingOf([page, ...sums, page])).toBe(rollingOf(sums));
    }),
  );
});

it('goes on from where another stopped', () => {
  fc.assert(
    fc.property(fc.array(pageSum), fc.array(pageSum), (first, second) => {
      expect(rollingOf(second, rollingOf(first))).toBe(rollingOf([...first, ...second]));
    }),
  );
});

it('begins with a database without pages', () => {
  expect(new RollingChecksum().toBigInt()).toBe(EMPTY_ROLLING_CHECKSUM);
  expect(EMPTY_ROLLING_CHECKSUM).toBe(FLAG);
});

it('the halves of a page checksum are those of the whole', () => {
  const out = new Uint32Array(2);
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.uint8Array({ maxLength: 600 }), (pgno, data) => {
      pageChecksum(pgno, data, out);
      expect([...out]).toEqual(splitUint64(pageChecksumBigInt(pgno, data)));
    }),
  );
});
