import { describe, expect, it } from 'vitest';
import type { Condition } from './condition.ts';
import type { Outcome } from './outcome.ts';
import { exceptionLines, judge, summaryLine } from './verdict.ts';

const condition = (isGiven: boolean, isOptional: boolean): Condition => ({
  meaning: '',
  isGiven: () => isGiven,
  isOptional,
});
const conditions = {
  here: condition(true, true),
  absent: condition(false, true),
  demanded: condition(false, false),
};
const skipped = (reason?: string): Outcome => ({
  name: 'a',
  state: 'skipped',
  ...(reason === undefined ? {} : { reason }),
});
const stateOf = (reason: string | undefined, strict: boolean) =>
  judge([skipped(reason)], { strict, conditions })[0]?.state;

describe('judge', () => {
  it.each([
    [undefined, 'failed', 'failed'],
    [' ', 'failed', 'failed'],
    ['needs here: x', 'failed', 'failed'],
    ['needs here', 'failed', 'failed'],
    ['needs absent: x', 'skipped', 'skipped'],
    ['needs absent', 'skipped', 'skipped'],
    ['needs demanded: x', 'skipped', 'failed'],
    ['needs unheard-of: x', 'skipped', 'failed'],
    ['it is slow', 'skipped', 'failed'],
    ['this needs absent: x', 'skipped', 'failed'],
  ])('a skip for the reason %j is %s, and when strict %s', (reason, lenient, strict) => {
    expect(stateOf(reason, false)).toBe(lenient);
    expect(stateOf(reason, true)).toBe(strict);
  });

  it('leaves everything else as it is, and asks the machine once', () => {
    let asked = 0;
    const counting = { ...conditions.absent, isGiven: () => (asked += 1) > 99 };
    const outcomes: Outcome[] = [
      { name: 'a', state: 'passed' },
      { name: 'b', state: 'failed', reason: 'x' },
      skipped('needs absent'),
      skipped('needs absent'),
    ];
    expect(judge(outcomes, { strict: true, conditions: { absent: counting } })).toEqual(outcomes);
    expect(asked).toBe(1);
  });
});

describe('the summary', () => {
  const outcomes: Outcome[] = [
    { name: 'a', state: 'passed' },
    { name: 'b', state: 'failed', reason: 'x' },
    { name: 'c', state: 'passed' },
    { name: 'd', state: 'skipped', reason: 'needs absent' },
  ];

  it('counts, and names skips only when there are any', () => {
    expect(summaryLine(outcomes)).toBe('2 passed, 1 failed, 1 skipped');
    expect(summaryLine(outcomes.slice(0, 3))).toBe('2 passed, 1 failed');
    expect(summaryLine([])).toBe('0 passed, 0 failed');
  });

  it('names everything that did not pass', () => {
    expect(exceptionLines(outcomes)).toEqual(['skipped: d (needs absent)', 'failed: b (x)']);
  });
});
