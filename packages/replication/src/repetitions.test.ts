import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Repetitions } from './repetitions.ts';

const MINUTE_MS = 60_000;

/** When it is said, in minutes, if there is occasion to every half second for so long. */
function saidAt(repetitions: Repetitions, minutes: number, fromMs = 0): number[] {
  const said: number[] = [];
  for (let nowMs = fromMs; nowMs <= fromMs + minutes * MINUTE_MS; nowMs += 500) {
    if (repetitions.isDue('the stream', 'it is gone', nowMs)) said.push(nowMs / MINUTE_MS);
  }
  return said;
}

describe('what goes on', () => {
  test('is said at once, then ever more rarely, and at least every hour', () => {
    expect(saidAt(new Repetitions(), 300)).toEqual([
      0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 123.5, 183.5, 243.5,
    ]);
  });

  test('is new when it comes again after it was over', () => {
    const repetitions = new Repetitions();
    expect(saidAt(repetitions, 2)).toEqual([0, 0.5, 1.5]);
    repetitions.forget('the stream');
    expect(saidAt(repetitions, 1, 3 * MINUTE_MS)).toEqual([3, 3.5]);
  });

  test('is new when nothing was heard of it for a while', () => {
    const repetitions = new Repetitions();
    expect(saidAt(repetitions, 2)).toEqual([0, 0.5, 1.5]);
    expect(saidAt(repetitions, 1, 5 * MINUTE_MS)).toEqual([5, 5.5]);
  });

  test('is not said more often because it changes to and fro', () => {
    const repetitions = new Repetitions();
    const said = Array.from({ length: 100 }, (_, second) =>
      ['refused', 'gone'].filter((why) => repetitions.isDue('the stream', why, second * 100)),
    );
    expect(said.flat()).toEqual(['refused', 'gone']);
  });
});

test('whatever comes, what was never said of a subject is said at once', () => {
  const word = fc.constantFrom('a', 'b', 'c');
  const step = fc.record({ subject: word, message: word, waitMs: fc.nat(200_000) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const repetitions = new Repetitions();
      const seen = new Set<string>();
      let nowMs = 0;
      const withheld = steps.filter(({ subject, message, waitMs }) => {
        nowMs += waitMs;
        const isDue = repetitions.isDue(subject, message, nowMs);
        const isNew = !seen.has(subject + message);
        seen.add(subject + message);
        return isNew && !isDue;
      });
      expect(withheld).toEqual([]);
    }),
  );
});
