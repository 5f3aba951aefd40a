import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planWindows } from './export-statements.ts';

const HOUR_MS = 3_600_000;
const SPAN = { fromMs: 0, untilMs: 100 * HOUR_MS };

describe('the windows of an export', () => {
  it('are whole hours put together, or parts of one that is too full', () => {
    const hours = [
      { hour: 0, visits: 1, events: 4, lastMs: 10 },
      { hour: 2, visits: 1, events: 5, lastMs: 5 },
      { hour: 3, visits: 1, events: 6, lastMs: 30 },
      { hour: 4, visits: 1, events: 21, lastMs: 40 },
      { hour: 5, visits: 1, events: 1, lastMs: 50 },
    ];
    expect(planWindows(hours, SPAN, 10)).toEqual([
      { fromMs: 0, untilMs: 3 * HOUR_MS, lastMs: 10 },
      { fromMs: 3 * HOUR_MS, untilMs: 4 * HOUR_MS, lastMs: 30 },
      { fromMs: 4 * HOUR_MS, untilMs: 4 * HOUR_MS + HOUR_MS / 3, lastMs: 40 },
      { fromMs: 4 * HOUR_MS + HOUR_MS / 3, untilMs: 4 * HOUR_MS + (2 * HOUR_MS) / 3, lastMs: 40 },
      { fromMs: 4 * HOUR_MS + (2 * HOUR_MS) / 3, untilMs: 5 * HOUR_MS, lastMs: 40 },
      { fromMs: 5 * HOUR_MS, untilMs: 6 * HOUR_MS, lastMs: 50 },
    ]);
  });

  it('hold every beginning once, in order, and nothing outside of the span', () => {
    const hour = fc.record({ events: fc.integer({ min: 1, max: 100 }), gap: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(hour), fc.nat(HOUR_MS - 2), fc.nat(HOUR_MS), (given, early, late) => {
        let number = 0;
        const hours = given.map(({ events, gap }) => {
          number += 1 + gap;
          return { hour: number, visits: events, events, lastMs: number * HOUR_MS + 7 };
        });
        const first = hours[0]?.hour ?? 0;
        const span = {
          fromMs: first * HOUR_MS + early,
          untilMs: (number + 1) * HOUR_MS - Math.min(late, HOUR_MS - early - 1),
        };
        const windows = planWindows(hours, span, 30);
        for (const [index, window] of windows.entries()) {
          expect(window.fromMs).toBeGreaterThanOrEqual(windows[index - 1]?.untilMs ?? span.fromMs);
          expect(window.untilMs).toBeLessThanOrEqual(span.untilMs);
        }
        for (const { hour: each } of hours) {
          const start = Math.max(span.fromMs, each * HOUR_MS);
          const holders = windows.filter(
            ({ fromMs, untilMs }) => start >= fromMs && start < untilMs,
          );
          expect(holders.length).toBe(1);
          expect(holders[0]?.lastMs).toBeGreaterThanOrEqual(each * HOUR_MS + 7);
        }
      }),
    );
  });
});
