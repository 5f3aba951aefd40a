import { describe, expect, it } from 'vitest';
import { isCandidateBy, parseCandidateRule } from './candidate-rule.ts';
import { nameByRule, parseStaticRule } from './static-rule.ts';

function judge(text: string, name: string): boolean | undefined | string {
  const rule = parseCandidateRule(text);
  return 'value' in rule ? isCandidateBy(rule.value, name) : rule.problem;
}

describe('a candidate rule', () => {
  it.each([
    ['true', 'alpha', true],
    ['no', 'alpha', false],
    ['ordinal < 3', 'web-2', true],
    ['ordinal < 3', 'web-3', false],
    ['ordinal<=3', 'web-3', true],
    ['ordinal > 3', 'web-3', false],
    ['ordinal >= 3', 'web-3', true],
    ['ordinal == 0', 'web-0', true],
    ['ordinal != 0', 'web-0', false],
    ['ordinal < 3', 'alpha', undefined],
    ['ordinal < 3', '3', undefined],
    ["name == 'web-0'", 'web-0', true],
    ['name == web-0', 'web-1', false],
    ['name != "web-0"', 'web-1', true],
  ])('%s holds for %s: %s', (text, name, expected) => {
    expect(judge(text, name)).toBe(expected);
  });

  it.each(['maybe', 'ordinal', 'ordinal < x', 'ordinal < -1', 'name = x', '', 'ordinal < 3 or so'])(
    "'%s' is refused",
    (text) => {
      expect(judge(text, 'web-0')).toBe(
        'is neither true or false nor a rule about the ordinal or the name',
      );
    },
  );
});

describe('a static rule', () => {
  it('is a name or an ordinal', () => {
    expect(parseStaticRule('web-0')).toEqual({ value: { kind: 'name', name: 'web-0' } });
    expect(parseStaticRule('0')).toEqual({ value: { kind: 'ordinal', ordinal: 0 } });
    expect(parseStaticRule('0.0.0.0')).toEqual({ problem: 'cannot be the name of a node' });
  });

  it('means the same node wherever it is read', () => {
    for (const reader of ['web-0', 'web-1', 'web-17']) {
      expect(nameByRule({ kind: 'ordinal', ordinal: 1 }, reader)).toBe('web-1');
      expect(nameByRule({ kind: 'name', name: 'web-1' }, reader)).toBe('web-1');
    }
    expect(nameByRule({ kind: 'ordinal', ordinal: 1 }, 'alpha')).toBeUndefined();
  });
});
