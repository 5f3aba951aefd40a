import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandVariables } from './expansion.ts';

const ENV: Readonly<Record<string, string>> = {
  A: 'one',
  B: 'two',
  EMPTY: '',
  SAME: 'one',
  N_1: 'x',
};
const expand = (text: string) => {
  const result = expandVariables(text, (name) => ENV[name]);
  return 'text' in result ? result.text : result.fault;
};

describe('expandVariables', () => {
  it.each([
    ['plain', 'plain'],
    ['$A', 'one'],
    ['$A-$B', 'one-two'],
    ['x$A.y', 'xone.y'],
    ['${A}', 'one'],
    ['${ A }/${B}', 'one/two'],
    ['${N_1}', 'x'],
    ['${EMPTY}', ''],
    ['${NONE:-fallback}', 'fallback'],
    ['${EMPTY:-fallback}', 'fallback'],
    ['${A:-fallback}', 'one'],
    ['${NONE:-}', ''],
    ['${NONE:-${B}/$A}', 'two/one'],
    ['${NONE:-a == b}', 'a == b'],
    ["${A == 'one'}", 'true'],
    ["${A=='two'}", 'false'],
    ['${A == "one"}', 'true'],
    ["${A != 'one'}", 'false'],
    ['${A == SAME}', 'true'],
    ['${A == B}', 'false'],
    ['${A != B}', 'true'],
    ["${EMPTY == ''}", 'true'],
    ['$$', '$'],
    ['$$A', '$A'],
    ['$${A}', '${A}'],
    ['pa$5word', 'pa$5word'],
    ['ends in $', 'ends in $'],
    ['$ A', '$ A'],
  ])('makes %s into %s', (text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  it.each([
    ['$NONE', { kind: 'unset', variable: 'NONE', isCompared: false }],
    ['a${NONE}', { kind: 'unset', variable: 'NONE', isCompared: false }],
    ["${NONE == 'x'}", { kind: 'unset', variable: 'NONE', isCompared: true }],
    ['${A == NONE}', { kind: 'unset', variable: 'NONE', isCompared: true }],
    ['${X:-${NONE}}', { kind: 'unset', variable: 'NONE', isCompared: false }],
  ])('does not take %s for nothing', (text, fault) => {
    expect(expand(text)).toEqual(fault);
  });

  it.each(['${A', '${}', '${A B}', '${A:=x}', '${A > 1}', '${1}', "${A == 'one}"])(
    'refuses %s',
    (text) => {
      expect(expand(text)).toMatchObject({ kind: 'malformed' });
    },
  );

  it('knows the forms of LiteFS: unbraced, braced with blanks, both quotes, two variables', () => {
    expect(expand('$A')).toBe('one');
    expect(expand('${ A }')).toBe('one');
    expect(expand("${A == 'one'}")).toBe('true');
    expect(expand('${ A == "two" }')).toBe('false');
    expect(expand("${A != 'one'}")).toBe('false');
    expect(expand('${A != "two"}')).toBe('true');
    expect(expand('${A == SAME}')).toBe('true');
    expect(expand('${A != B}')).toBe('true');
  });

  it('says which variables a text names, those of defaults in use included', () => {
    const result = expandVariables('$A ${NONE:-$B} ${A == SAME}', (name) => ENV[name]);
    expect(result).toMatchObject({ variables: ['A', 'NONE', 'B', 'SAME'] });
  });

  it('leaves what a variable holds as it is', () => {
    const result = expandVariables('${A}', () => '${B} $$ #');
    expect(result).toMatchObject({ text: '${B} $$ #' });
  });

  it('gives back any text whose dollar signs are doubled', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(expand(text.replaceAll('$', '$$$$'))).toBe(text);
      }),
    );
  });

  it('always answers, however odd the text', () => {
    const piece = fc.constantFrom('$', '{', '}', 'A', ':-', '==', "'", ' ', '${', '$$', 'NONE');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(expand(pieces.join(''))).toBeDefined();
      }),
    );
    expect(expand('${X:-'.repeat(50) + '}'.repeat(50))).toMatchObject({ kind: 'malformed' });
  });
});
