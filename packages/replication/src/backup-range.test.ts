import { planRestore, type LtxFile } from '@tandem/storage';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { restorableRanges } from './backup-range.ts';

function file(level: number, minTxid: number, maxTxid: number): LtxFile {
  return { level, minTxid, maxTxid, createdMs: maxTxid * 1000 };
}

describe('what can be restored', () => {
  test('is one range when each file follows another', () => {
    expect(restorableRanges([file(9, 1, 3), file(0, 4, 4), file(0, 5, 7)])).toEqual([
      { fromTxid: 3, throughTxid: 7, fromMs: 3000, throughMs: 7000, stateCount: 3 },
    ]);
  });

  test('breaks at a gap, and goes on from the next snapshot', () => {
    const files = [file(9, 1, 3), file(0, 4, 4), file(0, 6, 6), file(9, 1, 7), file(0, 8, 8)];
    expect(restorableRanges(files)).toMatchObject([
      { fromTxid: 3, throughTxid: 4, stateCount: 2 },
      { fromTxid: 7, throughTxid: 8, stateCount: 2 },
    ]);
  });

  test('a snapshot right after the last state leaves nothing out', () => {
    expect(restorableRanges([file(9, 1, 3), file(9, 1, 4)])).toMatchObject([
      { fromTxid: 3, throughTxid: 4, stateCount: 2 },
    ]);
  });

  test('is nothing without a snapshot', () => {
    expect(restorableRanges([file(0, 2, 4), file(0, 5, 5)])).toEqual([]);
  });

  test('are exactly the states for which there is a plan', () => {
    const files = fc.array(
      fc
        .tuple(fc.integer({ min: 1, max: 12 }), fc.nat(5), fc.boolean())
        .map(([min, length, isWhole]) => file(isWhole ? 9 : 0, isWhole ? 1 : min, min + length)),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(files, (some) => {
        const states = new Set(some.map(({ maxTxid }) => maxTxid));
        const reached = [...states].filter((txid) => isPlanned(some, txid));
        const ranges = restorableRanges(some);
        expect(ranges.reduce((sum, { stateCount }) => sum + stateCount, 0)).toBe(reached.length);
        for (const txid of reached) {
          const isIn = ranges.some((range) => range.fromTxid <= txid && txid <= range.throughTxid);
          expect(isIn).toBe(true);
        }
      }),
    );
  });
});

function isPlanned(files: readonly LtxFile[], txid: number): boolean {
  try {
    return planRestore(files, { kind: 'txid', txid }).txid === txid;
  } catch {
    return false;
  }
}
