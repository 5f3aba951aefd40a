import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Crc64, crc64, joinUint64, splitUint64 } from './crc64.ts';

const POLYNOMIAL = 0xd800_0000_0000_0000n;
const ONES = 0xffff_ffff_ffff_ffffn;

/** Bit by bit, as the definition has it. */
function crc64ByDefinition(bytes: Uint8Array): bigint {
  let register = ONES;
  for (const byte of bytes) {
    register ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) {
      register = (register & 1n) === 1n ? (register >> 1n) ^ POLYNOMIAL : register >> 1n;
    }
  }
  return register ^ ONES;
}

it('is what the definition says', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(crc64(bytes)).toBe(crc64ByDefinition(bytes));
    }),
  );
});

it('does not depend on how the bytes come in or where they lie in memory', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 });
  fc.assert(
    fc.property(parts, fc.nat(9), (arrays, shift) => {
      const whole = Buffer.concat([new Uint8Array(shift), ...arrays]);
      const crc = new Crc64();
      for (const array of arrays) crc.update(array);
      expect(crc.toBigInt()).toBe(crc64(whole.subarray(shift)));
      expect(new Crc64().update(whole, shift).toBigInt()).toBe(crc.toBigInt());
    }),
  );
});

it('takes an integer as its four bytes, the highest first', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.uint8Array(), (value, before) => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, value);
      const crc = new Crc64().update(before).updateUint32(value);
      expect(crc.toBigInt()).toBe(new Crc64().update(before).update(bytes).toBigInt());
    }),
  );
});

it('its halves are those of the whole, unsigned', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const crc = new Crc64().update(bytes);
      const { hi, lo } = crc;
      expect([hi, lo]).toEqual(splitUint64(crc.toBigInt()));
      expect(joinUint64(hi, lo)).toBe(crc.toBigInt());
      expect(Math.min(hi, lo)).toBeGreaterThanOrEqual(0);
    }),
  );
});

it('begins anew after a reset', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  expect(new Crc64().update(bytes).reset().update(bytes).toBigInt()).toBe(crc64(bytes));
});
