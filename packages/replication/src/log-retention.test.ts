import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRetention, type RetainedFile, type RetentionRules } from './log-retention.ts';

const NOW_MS = 1_000_000;
const RULES: RetentionRules = {
  nowMs: NOW_MS,
  ageMaxMs: 1000,
  bytesMax: 1000,
  keepFromTxid: undefined,
  bytesHardMax: 5000,
};

/** Files with transactions 1, 2, 3 … of these ages. */
function agedMs(...agesMs: number[]): RetainedFile[] {
  return agesMs.map((ageMs, index) => {
    return { maxTxid: index + 1, sizeBytes: 100, timestampMs: NOW_MS - ageMs };
  });
}

/** Young files with transactions 1, 2, 3 … of these sizes. */
function sized(...sizes: number[]): RetainedFile[] {
  return sizes.map((sizeBytes, index) => {
    return { maxTxid: index + 1, sizeBytes, timestampMs: NOW_MS };
  });
}

describe('planRetention', () => {
  it('lets nothing go from an empty log', () => {
    expect(planRetention([], RULES)).toBe(0);
  });

  it('lets files go that are older than the age, and no others', () => {
    expect(planRetention(agedMs(3000, 1001, 1000, 0), RULES)).toBe(2);
    expect(planRetention(agedMs(1000, 0), RULES)).toBe(0);
  });

  it('keeps the newest, however old or large', () => {
    expect(planRetention(agedMs(9000, 8000), RULES)).toBe(1);
    expect(planRetention(agedMs(9000), RULES)).toBe(0);
    expect(planRetention(sized(99_999), RULES)).toBe(0);
    expect(planRetention(sized(1, 99_999), RULES)).toBe(1);
  });

  it('lets the oldest go until the rest has the size', () => {
    expect(planRetention(sized(500, 400, 400, 200), RULES)).toBe(1);
    expect(planRetention(sized(500, 500), RULES)).toBe(0);
  });

  it('holds back what somebody needs, against age and size', () => {
    expect(planRetention(agedMs(9000, 9000, 9000, 0), { ...RULES, keepFromTxid: 2 })).toBe(1);
    expect(planRetention(sized(900, 900, 900), { ...RULES, keepFromTxid: 1 })).toBe(0);
  });

  it('holds back a file with more transactions when one of them is needed', () => {
    const files = [
      { maxTxid: 10, sizeBytes: 1, timestampMs: 0 },
      { maxTxid: 20, sizeBytes: 1, timestampMs: 0 },
    ];
    expect(planRetention(files, { ...RULES, keepFromTxid: 10 })).toBe(0);
    expect(planRetention(files, { ...RULES, keepFromTxid: 11 })).toBe(10);
  });

  it('gives a need up at the hard limit, and only as far as that asks', () => {
    const files = sized(2000, 2000, 2000, 2000);
    expect(planRetention(files, { ...RULES, keepFromTxid: 1 })).toBe(2);
  });

  it('takes a reading from the future for no younger than what follows it', () => {
    expect(planRetention(agedMs(-99_999, 2000, 500, 0), RULES)).toBe(2);
    expect(planRetention(agedMs(-99_999, 500, 0), RULES)).toBe(0);
  });

  it('keeps its promises whatever the files and rules', () => {
    const file = fc.record({
      count: fc.integer({ min: 1, max: 5 }),
      sizeBytes: fc.integer({ min: 1, max: 100 }),
      timestampMs: fc.integer({ min: 0, max: 100 }),
    });
    const rules = fc.record({
      nowMs: fc.integer({ min: 0, max: 150 }),
      ageMaxMs: fc.integer({ min: 0, max: 100 }),
      bytesMax: fc.integer({ min: 0, max: 800 }),
      keepFromTxid: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
      bytesHardMax: fc.integer({ min: 0, max: 1600 }),
    });
    fc.assert(
      fc.property(fc.array(file, { maxLength: 12 }), rules, (shapes, given) => {
        let maxTxid = 0;
        const files = shapes.map(({ count, ...rest }) => ({
          ...rest,
          maxTxid: (maxTxid += count),
        }));
        const throughTxid = planRetention(files, given);
        const gone = files.filter((each) => each.maxTxid <= throughTxid);
        const kept = files.slice(gone.length);
        const bytesOf = (some: readonly RetainedFile[]): number =>
          some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        expect(gone.at(-1)?.maxTxid ?? 0).toBe(throughTxid);
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(1, files.length));
        if (kept.length > 1) expect(bytesOf(kept)).toBeLessThanOrEqual(given.bytesHardMax);
        const needed = gone.findIndex((each) => each.maxTxid >= (given.keepFromTxid ?? Infinity));
        if (needed !== -1) {
          expect(bytesOf(files.slice(gone.length - 1))).toBeGreaterThan(given.bytesHardMax);
        }
        const youngMs = given.nowMs - given.ageMaxMs;
        const isFree = (kept[0]?.maxTxid ?? 0) < (given.keepFromTxid ?? Infinity);
        if (kept.length > 1 && isFree) {
          expect(bytesOf(kept)).toBeLessThanOrEqual(given.bytesMax);
          expect(kept.every((each) => each.timestampMs >= youngMs)).toBe(true);
        }
        if (gone.length > 0) {
          const rest = files.slice(gone.length - 1);
          const wasOld = rest.some((each) => each.timestampMs < youngMs);
          const limit = Math.min(given.bytesMax, given.bytesHardMax);
          expect(wasOld || bytesOf(rest) > limit).toBe(true);
        }
      }),
    );
  });
});
