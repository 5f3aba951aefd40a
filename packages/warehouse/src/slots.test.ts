import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slots } from './slots.ts';
import { StopSignal } from './stop-signal.ts';

test('slots go to those who wait in the order of arrival', async () => {
  const slots = new Slots({ runningMax: 1, waitingMax: 3 });
  using stop = new StopSignal({});
  await slots.acquire(stop);
  const order: number[] = [];
  const waits = [1, 2, 3].map(async (name) => {
    await slots.acquire(stop);
    order.push(name);
    slots.release();
  });
  expect(slots.waiting).toBe(3);
  await expect(slots.acquire(stop)).rejects.toMatchObject({ code: 'overloaded', retryable: true });
  slots.release();
  await Promise.all(waits);
  expect(order).toEqual([1, 2, 3]);
  expect(slots.running).toBe(0);
});

test('no slot is lost or made up, whatever is released and abandoned in whatever order (W9)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(
        fc.record({ act: fc.constantFrom('ask', 'release', 'abandon', 'turn'), at: fc.nat() }),
        {
          maxLength: 60,
        },
      ),
      async (runningMax, steps) => {
        const slots = new Slots({ runningMax, waitingMax: 100 });
        const controllers: AbortController[] = [];
        const asked: Promise<boolean>[] = [];
        let held = 0;
        for (const { act, at } of steps) {
          if (act === 'ask') {
            const controller = new AbortController();
            controllers.push(controller);
            const stop = new StopSignal({ signal: controller.signal });
            asked.push(
              slots.acquire(stop).then(
                () => {
                  held += 1;
                  return true;
                },
                () => false,
              ),
            );
          } else if (act === 'abandon') controllers[at % controllers.length]?.abort();
          else if (act === 'turn') await new Promise(setImmediate);
          else if (held > 0) {
            held -= 1;
            slots.release();
          }
        }
        // Whoever still waits gets a turn when all others have given theirs back.
        for (;;) {
          await new Promise(setImmediate);
          expect(held).toBeLessThanOrEqual(runningMax);
          expect(slots.running).toBe(held);
          if (held === 0) break;
          held -= 1;
          slots.release();
        }
        expect(slots.waiting).toBe(0);
        await Promise.all(asked);
      },
    ),
  );
});
