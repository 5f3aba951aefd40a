import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BoundedQueue } from './bounded-queue.ts';

it('gives back what was pushed, in order, and refuses more than it holds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.constantFrom('push', 'take')),
      (itemsMax, steps) => {
        const queue = new BoundedQueue<number>(itemsMax);
        const model: number[] = [];
        for (const [index, step] of steps.entries()) {
          if (step === 'push') {
            expect(queue.tryPush(index)).toBe(model.length < itemsMax);
            if (model.length < itemsMax) model.push(index);
          } else {
            expect(queue.take()).toBe(model.shift());
          }
          expect(queue.size).toBe(model.length);
        }
      },
    ),
  );
});
