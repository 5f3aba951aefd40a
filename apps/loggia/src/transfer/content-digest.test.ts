import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ContentDigest } from './content-digest.ts';

it('the digests of a content and of its beginnings do not depend on how it comes', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 20 }));
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(120)), (given, marks) => {
      const whole = Buffer.concat(given);
      const digest = new ContentDigest(marks);
      for (const piece of given) digest.update(piece);
      const reached = [...new Set(marks)].filter((mark) => mark <= whole.length);
      reached.sort((left, right) => left - right);
      expect(digest.sha256()).toBe(hash('sha256', whole));
      expect(digest.bytes).toBe(whole.length);
      expect(digest.marked).toEqual(
        given.length === 0
          ? []
          : reached.map((bytes) => ({ bytes, sha256: hash('sha256', whole.subarray(0, bytes)) })),
      );
    }),
  );
});
