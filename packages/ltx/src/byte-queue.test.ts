import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteQueue } from './byte-queue.ts';

it('gives out the bytes in the order in which they came, however they were cut', () => {
  const step = fc.record({ chunk: fc.uint8Array({ maxLength: 50 }), take: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(step), fc.boolean(), (steps, isReused) => {
      const queue = new ByteQueue();
      let expected = Buffer.alloc(0);
      let taken = 0;
      for (const { chunk, take } of steps) {
        expected = Buffer.concat([expected, chunk]);
        queue.push(chunk);
        expect(queue.length).toBe(expected.length);
        const count = Math.min(take, queue.length);
        expect(expected.subarray(0, take).compare(queue.peek(take))).toBe(0);
        expect(expected.subarray(0, count).compare(queue.take(count))).toBe(0);
        expected = expected.subarray(count);
        taken += count;
        expect(queue.taken).toBe(taken);
        if (!isReused) continue;
        queue.settle();
        chunk.fill(0xaa);
      }
    }),
  );
});

it('uses a chunk in place as long as nothing waits', () => {
  const queue = new ByteQueue();
  const chunk = Uint8Array.of(1, 2, 3);
  queue.push(chunk);
  expect(queue.take(3).buffer).toBe(chunk.buffer);
});

it('what is not there cannot be taken', () => {
  const queue = new ByteQueue();
  queue.push(Uint8Array.of(1));
  expect(() => queue.take(2)).toThrow(/the bytes to take are there/);
});
