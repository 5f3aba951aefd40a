import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WriteGate } from './write-gate.ts';

test('an open gate lets through at once, a paused one nobody', async () => {
  const gate = new WriteGate();
  expect(await gate.whenOpen(0)).toBe(true);
  gate.pause();
  expect(await gate.whenOpen(1)).toBe(false);
  expect(gate.tryEnter()).toBeUndefined();
});

test('those who wait go on when the gate opens', async () => {
  const gate = new WriteGate();
  gate.pause();
  const waits = [gate.whenOpen(60_000), gate.whenOpen(Number.POSITIVE_INFINITY)];
  gate.resume();
  expect(await Promise.all(waits)).toEqual([true, true]);
});

test('leaving twice counts once', () => {
  const gate = new WriteGate();
  const leave = gate.tryEnter();
  gate.tryEnter();
  leave?.();
  leave?.();
  expect(gate.running).toBe(1);
});

test('draining ends exactly when nobody is inside, whatever happened before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('enter', 'leave', 'pause', 'resume', 'turn'), { maxLength: 40 }),
      async (steps) => {
        const gate = new WriteGate();
        const inside: (() => void)[] = [];
        let isPaused = false;
        for (const step of steps) {
          if (step === 'enter') {
            const leave = gate.tryEnter();
            expect(leave === undefined).toBe(isPaused);
            if (leave !== undefined) inside.push(leave);
          } else if (step === 'leave') inside.shift()?.();
          else if (step === 'turn') await Promise.resolve();
          else {
            isPaused = step === 'pause';
            if (isPaused) gate.pause();
            else gate.resume();
          }
          expect(gate.running).toBe(inside.length);
        }
        let isDrained = false;
        const drained = gate.drain(60_000).then((running) => {
          isDrained = true;
          return running;
        });
        while (inside.length > 0) {
          await Promise.resolve();
          expect(isDrained).toBe(false);
          inside.shift()?.();
        }
        expect(await drained).toBe(0);
      },
    ),
  );
});
