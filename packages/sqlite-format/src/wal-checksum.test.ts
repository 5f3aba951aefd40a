import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WalChecksum } from './wal-checksum.ts';

const MASK = 0xffff_ffffn;

/** The checksum as its definition has it, with numbers that cannot overflow. */
function checksumByDefinition(bytes: Uint8Array, isBigEndian: boolean, start: [bigint, bigint]) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [s0, s1] = start;
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + BigInt(view.getUint32(at, !isBigEndian)) + s1) & MASK;
    s1 = (s1 + BigInt(view.getUint32(at + 4, !isBigEndian)) + s0) & MASK;
  }
  return { s0: Number(s0), s1: Number(s1) };
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const units = fc
  .array(fc.uint8Array({ minLength: 8, maxLength: 8 }), { maxLength: 64 })
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

describe('WalChecksum', () => {
  it('is the sum of its definition, in both byte orders, wherever the bytes lie', () => {
    const start = fc.record({ s0: word, s1: word, shift: fc.nat(9) });
    fc.assert(
      fc.property(units, fc.boolean(), start, (bytes, isBigEndian, { s0, s1, shift }) => {
        const placed = new Uint8Array(bytes.length + 20).fill(255);
        placed.set(bytes, shift + 3);
        const checksum = new WalChecksum(s0, s1);
        checksum.update(placed.subarray(shift), 3, 3 + bytes.length, isBigEndian);
        const expected = checksumByDefinition(bytes, isBigEndian, [BigInt(s0), BigInt(s1)]);
        expect({ s0: checksum.s0, s1: checksum.s1 }).toEqual(expected);
      }),
    );
  });

  it('does not care how the bytes are cut, and goes on from anywhere', () => {
    fc.assert(
      fc.property(units, fc.boolean(), fc.nat(64), (bytes, isBigEndian, cutAt) => {
        const cut = Math.min(bytes.length, cutAt * 8);
        const whole = new WalChecksum();
        whole.update(bytes, 0, bytes.length, isBigEndian);
        const first = new WalChecksum();
        first.update(bytes, 0, cut, isBigEndian);
        const second = new WalChecksum(1, 2);
        second.reset(first.s0, first.s1);
        second.update(bytes.slice(cut), 0, bytes.length - cut, isBigEndian);
        expect([second.s0, second.s1]).toEqual([whole.s0, whole.s1]);
      }),
    );
  });

  it('refuses ranges outside of the bytes or not of whole units', () => {
    const checksum = new WalChecksum();
    const bytes = new Uint8Array(16);
    expect(() => checksum.update(bytes, 0, 12, false)).toThrow('eight');
    expect(() => checksum.update(bytes, 8, 0, false)).toThrow('eight');
    expect(() => checksum.update(bytes, 8, 24, false)).toThrow('within');
    expect(() => checksum.update(bytes, -8, 8, false)).toThrow('within');
  });
});
