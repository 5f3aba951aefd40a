import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseShellWords, shellOperatorIn } from './shell-words.ts';

describe('parseShellWords', () => {
  it.each([
    ['node server.js', ['node', 'server.js']],
    ['  a   b\tc\n', ['a', 'b', 'c']],
    [`sh -c 'echo "x y" $HOME'`, ['sh', '-c', 'echo "x y" $HOME']],
    [`a "b \\"c\\" \\$d \\n"`, ['a', 'b "c" $d \\n']],
    [`a b\\ c ''`, ['a', 'b c', '']],
    [`pre'fix'"ed"`, ['prefixed']],
    ['a \\\n b', ['a', 'b']],
  ])('splits %s', (text, words) => {
    expect(parseShellWords(text)).toEqual({ value: words });
  });

  it.each([
    ['', 'names no program'],
    ['   ', 'names no program'],
    [`'' x`, 'names no program'],
    [`a 'b`, "has a ' that is never closed"],
    ['a "b', 'has a " that is never closed'],
    ['a \\', 'ends in a backslash'],
  ])('refuses %s', (text, problem) => {
    expect(parseShellWords(text)).toEqual({ problem });
  });

  it('gives back any words that were quoted', () => {
    const words = fc.tuple(fc.string({ minLength: 1 }), fc.array(fc.string()));
    fc.assert(
      fc.property(words, ([first, rest]) => {
        const all = [first, ...rest];
        const text = all.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
        expect(parseShellWords(text)).toEqual({ value: all });
      }),
    );
  });
});

it('finds what only a shell understands', () => {
  expect(shellOperatorIn(['a', '&&', 'b'])).toBe('&&');
  expect(shellOperatorIn(['a', '2>&1'])).toBe('2>&1');
  expect(shellOperatorIn(['a', '|', 'b'])).toBe('|');
  expect(shellOperatorIn(['a', '-x=1>2', 'b;c', '--'])).toBeUndefined();
});
