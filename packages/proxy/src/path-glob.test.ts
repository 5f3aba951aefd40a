import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesGlob } from './path-glob.ts';

test('a star is any run of characters, slashes and nothing included', () => {
  expect(matchesGlob('/a/*', '/a/')).toBe(true);
  expect(matchesGlob('/a/*', '/a/b/c')).toBe(true);
  expect(matchesGlob('*.png', '/x/y.png')).toBe(true);
  expect(matchesGlob('/a/*/z', '/a/b/c/z')).toBe(true);
  expect(matchesGlob('*', '')).toBe(true);
});

test('the whole path must match, and all else stands for itself', () => {
  expect(matchesGlob('/a', '/a/')).toBe(false);
  expect(matchesGlob('/a/*', '/a')).toBe(false);
  expect(matchesGlob('*.png', '/x.png?')).toBe(false);
  expect(matchesGlob('/a.b', '/axb')).toBe(false);
  expect(matchesGlob('/[ab]?', '/a')).toBe(false);
});

test('it agrees with a regular expression', () => {
  const letter = fc.constantFrom('a', 'b', '/', '.');
  const glob = fc.array(fc.oneof(letter, fc.constant('*')), { maxLength: 8 });
  const path = fc.array(letter, { maxLength: 10 });
  fc.assert(
    fc.property(glob, path, (globParts, pathParts) => {
      const pattern = globParts.map((part) => (part === '*' ? '.*' : part.replace('.', '\\.')));
      const expected = new RegExp(`^${pattern.join('')}$`).test(pathParts.join(''));
      expect(matchesGlob(globParts.join(''), pathParts.join(''))).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test('many stars cost no more than their number times the length', () => {
  expect(matchesGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(5000))).toBe(false);
});
