import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LtxFile } from './ltx-files.ts';
import { type RestoreTarget, planRestore } from './restore-plan.ts';

/** `level:min-max@createdMs`; the time is the last transaction's number unless said. */
function file(text: string): LtxFile {
  const match = /^(?<level>\d):(?<min>\d+)-(?<max>\d+)(?:@(?<at>\d+))?$/.exec(text)?.groups;
  const maxTxid = Number(match?.['max']);
  return {
    level: Number(match?.['level']),
    minTxid: Number(match?.['min']),
    maxTxid,
    createdMs: Number(match?.['at'] ?? maxTxid),
  };
}

function nameOf({ level, minTxid, maxTxid }: LtxFile): string {
  return `${level}:${minTxid}-${maxTxid}`;
}

function planned(texts: readonly string[], target: RestoreTarget): string[] {
  return planRestore(texts.map(file), target).files.map(nameOf);
}

const LATEST: RestoreTarget = { kind: 'latest' };
const BACKUP = ['9:1-100', '9:1-200', '3:101-150', '2:151-180', '2:181-230', '1:201-240'].concat(
  Array.from({ length: 15 }, (_, index) => `0:${231 + index}-${231 + index}`),
);

describe('B5: a restore', () => {
  it('takes the newest snapshot, then the most merged files, then the tail', () => {
    expect(planned(BACKUP, LATEST)).toEqual([
      '9:1-200',
      '1:201-240',
      '0:241-241',
      '0:242-242',
      '0:243-243',
      '0:244-244',
      '0:245-245',
    ]);
  });

  it('takes an older snapshot for an older transaction', () => {
    expect(planned(BACKUP, { kind: 'txid', txid: 180 })).toEqual([
      '9:1-100',
      '3:101-150',
      '2:151-180',
    ]);
  });

  it('needs no snapshot when the first transaction is there', () => {
    expect(planned(['0:1-1', '0:2-2', '0:3-3'], LATEST)).toEqual(['0:1-1', '0:2-2', '0:3-3']);
  });

  it('goes through files that overlap', () => {
    expect(planned(['9:1-10', '1:5-15', '1:12-20'], LATEST)).toEqual([
      '9:1-10',
      '1:5-15',
      '1:12-20',
    ]);
  });

  it('of two files that end alike takes the one with less in it', () => {
    expect(planned(['9:1-10', '2:5-20', '1:11-20', '0:20-20'], LATEST)).toEqual([
      '9:1-10',
      '1:11-20',
    ]);
  });

  it('says what state comes out', () => {
    expect(planRestore(BACKUP.map(file), LATEST)).toMatchObject({
      txid: 245,
      createdMs: 245,
      next: undefined,
    });
  });
});

describe('B6: a restore to a moment', () => {
  it('holds what was committed in that millisecond, and nothing later', () => {
    const files = ['9:1-10@1000', '0:11-11@2000', '0:12-12@2001'];
    expect(planned(files, { kind: 'time', timeMs: 2000 })).toEqual(['9:1-10', '0:11-11']);
    expect(planned(files, { kind: 'time', timeMs: 1999 })).toEqual(['9:1-10']);
  });

  it('says which file holds the next transaction', () => {
    const files = ['9:1-10@1000', '1:11-50@9000', '2:11-80@9500'].map(file);
    const plan = planRestore(files, { kind: 'time', timeMs: 5000 });
    expect(plan).toMatchObject({ txid: 10, createdMs: 1000, next: { level: 1, maxTxid: 50 } });
  });

  it('after the last transaction is the last state', () => {
    expect(planned(['9:1-10', '0:11-11'], { kind: 'time', timeMs: 9e15 })).toHaveLength(2);
  });

  it('stops at the first later transaction, though a clock was set back after it', () => {
    const files = ['9:1-10@1000', '0:11-11@5000', '0:12-12@1500'];
    expect(planned(files, { kind: 'time', timeMs: 2000 })).toEqual(['9:1-10']);
  });
});

describe('B7: a backup that cannot give the state', () => {
  it.each<[string, readonly string[], RestoreTarget, string]>([
    ['holds nothing', [], LATEST, 'holds no LTX files'],
    ['lacks transactions', ['9:1-10', '0:15-15'], LATEST, 'transactions 11 to 14 are missing'],
    ['lacks one', ['9:1-10', '0:12-12', '0:14-14'], LATEST, 'transaction 11 is missing'],
    [
      'lacks a snapshot',
      ['0:5-5', '0:6-6'],
      LATEST,
      'no snapshot: transactions 1 to 4 are missing',
    ],
    [
      'lacks transactions on the way',
      ['9:1-10', '0:15-15'],
      { kind: 'txid', txid: 15 },
      'transactions 11 to 14 are missing',
    ],
    [
      'lacks transactions before the moment',
      ['9:1-10', '0:15-15'],
      { kind: 'time', timeMs: 15 },
      'transactions 11 to 14 are missing',
    ],
    ['ends earlier', ['9:1-10', '0:11-11'], { kind: 'txid', txid: 12 }, 'ends with transaction 11'],
    [
      'begins later',
      ['9:1-10', '0:11-11'],
      { kind: 'txid', txid: 5 },
      'reach back to transaction 5',
    ],
    [
      'begins after the moment',
      ['9:1-10', '0:11-11'],
      { kind: 'time', timeMs: 9 },
      'reach back to 1970-01-01T00:00:00.009Z',
    ],
    [
      'has merged it with later ones',
      ['9:1-10', '1:11-20'],
      { kind: 'txid', txid: 15 },
      'in the file of 11 to 20',
    ],
    [
      'has a snapshot only later, and changes after the moment',
      ['0:5-5', '0:6-6'],
      { kind: 'time', timeMs: 1 },
      'has no snapshot',
    ],
  ])('because it %s says so', (_, files, target, message) => {
    expect(() => planned(files, target)).toThrow(message);
  });

  it('says what can be had instead', () => {
    const hintOf = (files: readonly string[], target: RestoreTarget): string | undefined => {
      try {
        planned(files, target);
      } catch (error) {
        return (error as { hint?: string }).hint;
      }
      return undefined;
    };
    expect(hintOf(['9:1-10', '0:15-15'], LATEST)).toContain('transaction number 10');
    expect(hintOf(['9:1-10', '1:11-20'], { kind: 'txid', txid: 15 })).toBe(
      'Choose transaction 10 or 20.',
    );
    expect(hintOf(['9:1-10', '9:1-30'], { kind: 'txid', txid: 5 })).toBe(
      'The oldest state in it is transaction 10 of 1970-01-01T00:00:00.010Z.',
    );
  });

  it('does not mind a gap that lies after what is asked for', () => {
    const files = ['9:1-10', '0:11-11', '0:15-15', '9:1-20'];
    expect(planned(files, { kind: 'txid', txid: 11 })).toEqual(['9:1-10', '0:11-11']);
    expect(planned(files, { kind: 'time', timeMs: 12 })).toEqual(['9:1-10', '0:11-11']);
    expect(planned(files, LATEST)).toEqual(['9:1-20']);
  });
});

const anyFile = fc
  .record({
    level: fc.nat({ max: 9 }),
    minTxid: fc.integer({ min: 1, max: 12 }),
    length: fc.nat({ max: 6 }),
    createdMs: fc.integer({ min: 1, max: 10 }),
  })
  .map(({ level, minTxid, length, createdMs }): LtxFile => ({
    level,
    minTxid: level === 9 ? 1 : minTxid,
    maxTxid: minTxid + length,
    createdMs,
  }));

/** Every state that some order of files leads to. */
function reachable(files: readonly LtxFile[]): Set<number> {
  const reached = new Set([0]);
  for (const txid of reached)
    for (const file of files)
      if (file.minTxid <= txid + 1 && file.maxTxid > txid) reached.add(file.maxTxid);
  return reached;
}

describe('B8: among all sets of files', () => {
  it('no other choice of files gets closer to the target', () => {
    const target = fc.oneof(
      fc.constant(LATEST),
      fc.record({ kind: fc.constant('txid' as const), txid: fc.integer({ min: 1, max: 18 }) }),
      fc.record({ kind: fc.constant('time' as const), timeMs: fc.nat({ max: 11 }) }),
    );
    fc.assert(
      fc.property(fc.array(anyFile, { maxLength: 12 }), target, (files, target) => {
        const usable = files.filter(
          ({ maxTxid, createdMs }) =>
            target.kind === 'latest' ||
            (target.kind === 'txid' ? maxTxid <= target.txid : createdMs <= target.timeMs),
        );
        const best = Math.max(...reachable(usable));
        const outcome = attempt(files, target);
        if (outcome === undefined) {
          const isWanted = target.kind === 'txid' ? best < target.txid : best === 0;
          const hasGap = files.some(({ minTxid }) => minTxid > best + 1);
          expect(isWanted || hasGap).toBe(true);
          return;
        }
        expect(outcome.txid).toBe(best);
        let txid = 0;
        for (const step of outcome.files) {
          expect(usable).toContain(step);
          expect(step.minTxid).toBeLessThanOrEqual(txid + 1);
          expect(step.maxTxid).toBeGreaterThan(txid);
          txid = step.maxTxid;
        }
        expect(txid).toBe(outcome.txid);
      }),
      { numRuns: 1000 },
    );
  });
});

function attempt(files: readonly LtxFile[], target: RestoreTarget) {
  try {
    return planRestore(files, target);
  } catch (error) {
    expect((error as { code?: string }).code).toMatch(/^backup_/);
    return undefined;
  }
}
