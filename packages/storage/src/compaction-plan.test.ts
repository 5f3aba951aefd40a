import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CompactionPolicy,
  DEFAULT_COMPACTION_POLICY,
  planCompaction,
  snapshotDue,
} from './compaction-plan.ts';
import type { LtxFile } from './ltx-files.ts';
import { planRestore } from './restore-plan.ts';
import { planRetention } from './retention-plan.ts';

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 0, 10, 12, 0, 45);
const POLICY = DEFAULT_COMPACTION_POLICY;

function file(level: number, minTxid: number, maxTxid: number, createdMs: number): LtxFile {
  return { level, minTxid, maxTxid, createdMs };
}

describe('B9: what to merge', () => {
  it('is what came in before the last boundary of the interval', () => {
    const files = [
      file(0, 1, 1, NOW - 40 * SECOND),
      file(0, 2, 3, NOW - 16 * SECOND),
      file(0, 4, 4, NOW - 15 * SECOND),
      file(0, 5, 5, NOW - SECOND),
    ];
    expect(planCompaction(files, POLICY, NOW)).toEqual([
      {
        level: 1,
        minTxid: 1,
        maxTxid: 3,
        createdMs: NOW - 16 * SECOND,
        inputs: files.slice(0, 2),
      },
    ]);
  });

  it('is nothing once it is merged', () => {
    const files = [file(0, 1, 1, NOW - HOUR), file(1, 1, 1, NOW - HOUR), file(2, 1, 1, NOW - HOUR)];
    expect(planCompaction([...files, file(3, 1, 1, NOW - HOUR)], POLICY, NOW)).toEqual([]);
  });

  it('ends at a gap and goes on after it', () => {
    const files = [1, 2, 5, 6].map((txid) => file(0, txid, txid, NOW - HOUR));
    const ranges = planCompaction(files, POLICY, NOW).map(({ minTxid, maxTxid }) => [
      minTxid,
      maxTxid,
    ]);
    expect(ranges).toEqual([
      [1, 2],
      [5, 6],
    ]);
  });

  it('is cut into pieces of so many files', () => {
    const files = Array.from({ length: 7 }, (_, index) => file(0, index + 1, index + 1, 0));
    const pieces = planCompaction(files, { ...POLICY, inputsMax: 3 }, NOW);
    expect(pieces.map(({ inputs }) => inputs.length)).toEqual([3, 3, 1]);
  });

  it('is not held up by a file from a clock that ran ahead', () => {
    const files = [file(0, 1, 1, NOW + DAY), file(0, 2, 2, NOW - HOUR)];
    expect(planCompaction(files, POLICY, NOW)[0]).toMatchObject({
      minTxid: 1,
      maxTxid: 2,
      createdMs: NOW - HOUR,
    });
  });

  it('takes a file that reaches over what is merged, and leaves out one within another', () => {
    const files = [
      file(1, 1, 5, NOW - 2 * HOUR),
      file(0, 4, 8, NOW - HOUR),
      file(0, 6, 7, NOW - HOUR),
      file(0, 9, 9, NOW - HOUR),
    ];
    const [first] = planCompaction(files, POLICY, NOW);
    expect(first).toMatchObject({ level: 1, minTxid: 4, maxTxid: 9, inputs: [files[1], files[3]] });
  });
});

describe('B10: a snapshot', () => {
  const today = file(9, 1, 50, NOW - HOUR);
  const yesterday = file(9, 1, 50, NOW - DAY);

  it.each<[string, readonly LtxFile[], ReturnType<typeof snapshotDue>]>([
    ['is due when there is none', [file(0, 1, 1, NOW)], 'first'],
    ['is due for an empty backup', [], 'first'],
    ['is due on a new day', [yesterday, file(0, 51, 51, NOW)], 'interval'],
    ['is not due on the same day', [today, file(0, 51, 51, NOW)], undefined],
    ['is not due when nothing has changed', [yesterday, file(0, 50, 50, NOW)], undefined],
    ['is due at once after a gap', [today, file(0, 51, 51, NOW), file(0, 53, 53, NOW)], 'gap'],
    ['is due at once when the next transaction is missing', [today, file(0, 52, 52, NOW)], 'gap'],
  ])('%s', (_, files, expected) => {
    expect(snapshotDue(files, POLICY, NOW)).toBe(expected);
  });
});

describe('B11: retention', () => {
  const old = file(9, 1, 10, NOW - 3 * DAY);
  const before = file(9, 1, 20, NOW - 25 * HOUR);
  const after = file(9, 1, 30, NOW - HOUR);
  const newest = file(0, 40, 40, NOW);

  it('keeps the newest snapshot from before its time, and all that comes after it', () => {
    const files = [
      old,
      file(3, 11, 20, NOW - DAY),
      before,
      file(3, 21, 30, NOW - HOUR),
      after,
      newest,
    ];
    expect(planRetention(files, POLICY, NOW)).toEqual([old, files[1]]);
  });

  it('keeps everything while no snapshot is old enough', () => {
    expect(planRetention([file(3, 1, 30, NOW - 9 * DAY), after, newest], POLICY, NOW)).toEqual([]);
  });

  it('counts from the newest file, so that a clock that runs ahead deletes nothing', () => {
    const files = [before, after, file(1, 31, 40, NOW)];
    expect(planRetention(files, POLICY, NOW + 400 * DAY)).toEqual([]);
    expect(planRetention([...files, newest], POLICY, NOW + 400 * DAY)).toEqual([]);
  });
});

describe('B12: small files', () => {
  const created = NOW - 10 * 60 * SECOND;

  it('go when they are old and wholly in the next level, but not the newest', () => {
    const files = [
      file(1, 1, 3, created),
      file(1, 4, 6, created),
      file(0, 1, 1, created),
      file(0, 2, 5, created),
      file(0, 6, 6, NOW),
      file(0, 7, 7, NOW),
    ];
    expect(planRetention(files, POLICY, NOW)).toEqual([files[2], files[3]]);
    expect(planRetention([file(1, 1, 1, created), file(0, 1, 1, created)], POLICY, NOW)).toEqual(
      [],
    );
  });

  it('stay when the next level holds only part of them', () => {
    const files = [file(1, 1, 2, created), file(1, 4, 9, created), file(0, 2, 4, created)];
    expect(planRetention([...files, file(0, 10, 10, NOW)], POLICY, NOW)).toEqual([]);
  });
});

/** Small times, so that few steps meet every boundary. */
const QUICK: CompactionPolicy = {
  levels: [
    { intervalMs: 0, keepMs: 4 },
    { intervalMs: 2, keepMs: 20 },
    { intervalMs: 6, keepMs: 40 },
    { intervalMs: 18 },
  ],
  snapshotIntervalMs: 30,
  retentionMs: 50,
  inputsMax: 4,
};

/** Does what the plans say, for as long as they say something. */
function maintain(files: readonly LtxFile[], nowMs: number): LtxFile[] {
  let kept = [...files];
  for (;;) {
    const merged = planCompaction(kept, QUICK, nowMs);
    if (merged.length === 0) break;
    kept.push(
      ...merged.map(({ level, minTxid, maxTxid, createdMs }) => ({
        level,
        minTxid,
        maxTxid,
        createdMs,
      })),
    );
  }
  const last = kept.reduce((best, next) => (next.maxTxid > best.maxTxid ? next : best));
  if (snapshotDue(kept, QUICK, nowMs) !== undefined) kept.push({ ...last, level: 9, minTxid: 1 });
  const deleted = new Set(planRetention(kept, QUICK, nowMs));
  kept = kept.filter((one) => !deleted.has(one));
  expect(planRetention(kept, QUICK, nowMs)).toEqual([]);
  return kept;
}

describe('B8: a backup under maintenance', () => {
  it('always restores the last state, and any moment within retention to within a merged file', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(steps, (pausesMs) => {
        let files: LtxFile[] = [];
        const committedMs: number[] = [];
        let nowMs = 1000;
        for (const pauseMs of pausesMs) {
          nowMs += pauseMs;
          committedMs.push(nowMs);
          files = maintain(
            [...files, file(0, committedMs.length, committedMs.length, nowMs)],
            nowMs,
          );
          expect(planRestore(files, { kind: 'latest' }).txid).toBe(committedMs.length);
          const startMs = Math.max(committedMs[0] ?? 0, nowMs - QUICK.retentionMs);
          for (let timeMs = startMs; timeMs <= nowMs; timeMs += 7) {
            const exact = committedMs.filter((committed) => committed <= timeMs).length;
            const plan = planRestore(files, { kind: 'time', timeMs });
            expect(plan.txid).toBeLessThanOrEqual(exact);
            expect(plan.next?.maxTxid ?? Infinity).toBeGreaterThanOrEqual(exact);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
