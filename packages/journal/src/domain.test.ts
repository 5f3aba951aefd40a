import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDomain, tryParseDomain } from './domain.ts';
import { JournalError } from './journal-error.ts';

describe('parseDomain', () => {
  it('strips what people copy along from the address bar', () => {
    expect(parseDomain('  https://Example.ORG/ ')).toBe('example.org');
    expect(parseDomain('http://example.org/blog/')).toBe('example.org/blog');
  });

  it('keeps www., a port, a path and letters of any script', () => {
    expect(parseDomain('www.example.org')).toBe('www.example.org');
    expect(parseDomain('localhost:3000')).toBe('localhost:3000');
    expect(parseDomain('example.org/~user/a_b')).toBe('example.org/~user/a_b');
    expect(parseDomain('Bücher.example')).toBe('bücher.example');
    expect(parseDomain('пример.испытание')).toBe('пример.испытание');
  });

  it('takes two spellings of one letter for the same', () => {
    expect(parseDomain('bu\u0308cher.example')).toBe(parseDomain('bücher.example'));
  });

  it.each([
    '',
    '/',
    'https://',
    'two words.org',
    'a.org,b.org',
    'a.org?x=1',
    'a.org#top',
    'a.org//b',
    'user@a.org',
    '.org',
    'a..org',
    '-a.org',
    'a.org:port',
    '"><script>',
    'a\u0000.org',
    'a'.repeat(254),
  ])('refuses %j', (text) => {
    expect(() => parseDomain(text)).toThrow(JournalError);
    expect(tryParseDomain(text)).toBeUndefined();
  });

  it('leaves a parsed name as it is', () => {
    const letters = ['a', 'A', 'z', 'ß', '9', 'İ', 'ǅ', 'u\u0308'];
    const signs = ['.', '-', '_', '/', ':', '~', '%', ' ', ',', '..', 'https://', 'www.'];
    const sign = fc.constantFrom(...letters, ...signs);
    const text = fc.array(sign, { maxLength: 12 }).map((signs) => signs.join(''));
    fc.assert(
      fc.property(text, (candidate) => {
        const domain = tryParseDomain(candidate);
        if (domain === undefined) return;
        expect(tryParseDomain(domain)).toBe(domain);
        expect(domain).not.toMatch(/[\s,"<>?#]/);
      }),
      { numRuns: 1000 },
    );
  });
});
