import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeTokens, tokenize } from './tokens.ts';

const texts = (source: string): string[] => codeTokens(source).map(({ text }) => text);

describe('tokenize', () => {
  it('tells strings and comments from code', () => {
    expect(tokenize(`a 'b\\'c' // d\n"e" /* f\n */ g`)).toEqual([
      { kind: 'word', text: 'a', line: 1 },
      { kind: 'string', text: "b'c", line: 1 },
      { kind: 'comment', text: '// d', line: 1 },
      { kind: 'string', text: 'e', line: 2 },
      { kind: 'comment', text: '/* f\n */', line: 2 },
      { kind: 'word', text: 'g', line: 3 },
    ]);
  });

  it('tells a regular expression from a division', () => {
    expect(texts(`x = /'/g; y = a / b / c; return /[/"]/`)).toEqual([
      'x',
      '=',
      "/'/g",
      ';',
      'y',
      '=',
      'a',
      '/',
      'b',
      '/',
      'c',
      ';',
      'return',
      '/[/"]/',
    ]);
  });

  it('sees the code inside a template, however deep', () => {
    const words = codeTokens('`a ${b(`c ${d} { }`, {e: 1})} f` + g').filter(
      ({ kind }) => kind === 'word',
    );
    expect(words.map(({ text }) => text)).toEqual(['b', 'd', 'e', 'g']);
  });

  it('ends at the last line, in order, whatever it is given', () => {
    const marks = [`'`, '"', '`', '/', '*', '{', '}', '$', '\\', '\n', ' ', 'a', '1', '.', '['];
    const source = fc.string({ unit: fc.constantFrom(...marks), maxLength: 60 });
    fc.assert(
      fc.property(source, (text) => {
        const lines = tokenize(text).map(({ line }) => line);
        expect(lines).toEqual(lines.toSorted((a, b) => a - b));
        expect(lines.at(-1) ?? 1).toBeLessThanOrEqual(text.split('\n').length);
        expect(text.trim() === '').toBe(lines.length === 0);
      }),
    );
  });
});
