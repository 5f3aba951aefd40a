import { describe, expect, it } from 'vitest';
import { nameViolations } from './names.ts';
import { repositoryOf, violationText } from './repository.ts';
import { countCodeLines, sizeViolations } from './size-ratchet.ts';
import { suppressionViolations } from './suppressions.ts';
import { tokenize } from './tokens.ts';
import { unfinishedViolations } from './unfinished-work.ts';

describe('size', () => {
  const lines = (count: number): string => 'a();\n'.repeat(count);
  const path = 'packages/journal/src/a.ts';
  const exception = (linesMax: number, reason = 'a table that only reads in one piece') => [
    { path, linesMax, reason },
  ];

  it('counts neither blank lines nor comments', () => {
    expect(countCodeLines(tokenize('a();\n\n// b\n/*\n c\n*/\nconst d = `\n\n`; // e\n'))).toBe(4);
  });

  it('allows 400 lines and not one more', () => {
    expect(sizeViolations(repositoryOf({ [path]: lines(400) }))).toEqual([]);
    expect(sizeViolations(repositoryOf({ [path]: lines(401) }))).toHaveLength(1);
    expect(sizeViolations(repositoryOf({ 'apps/a/test/b.test.ts': lines(801) }))).toHaveLength(1);
  });

  it('allows an exception, exactly as long as it is', () => {
    const check = (count: number, exceptions: ReturnType<typeof exception>) =>
      sizeViolations(repositoryOf({ [path]: lines(count) }), exceptions);
    expect(check(450, exception(450))).toEqual([]);
    expect(check(451, exception(450))).toHaveLength(1);
    expect(check(449, exception(450))).toHaveLength(1);
    expect(check(400, exception(450))).toHaveLength(1);
    expect(check(450, exception(450, ' '))).toHaveLength(1);
    expect(sizeViolations(repositoryOf({}), exception(450))).toHaveLength(1);
  });
});

describe('suppressions', () => {
  const check = (text: string) =>
    suppressionViolations(repositoryOf({ 'packages/a/src/b.ts': text }));

  it.each([
    '// oxlint-disable-next-line',
    '// oxlint-disable-next-line no-console',
    '/* eslint-disable */',
    '/* oxlint-disable no-console -- x */',
    '// @ts-ignore: the library is wrong here',
    '// @ts-nocheck',
    '// @ts-expect-error',
  ])('refuses %s', (comment) => {
    expect(check(comment)).toHaveLength(1);
  });

  it.each([
    '// oxlint-disable-next-line no-console -- the command prints to its user',
    '/* oxlint-disable no-console -- the command prints to its user */',
    '// @ts-expect-error the type lacks a field that the library has',
    `const a = '// oxlint-disable';`,
  ])('accepts %s', (comment) => {
    expect(check(comment)).toEqual([]);
  });
});

describe('names', () => {
  const check = (path: string) => nameViolations(repositoryOf({ [path]: '' }));

  it.each([
    'packages/a/src/utils.ts',
    'packages/a/src/shared/b.ts',
    'packages/a/test/helpers.ts',
    'packages/a/test/browser-helpers.ts',
    'packages/types/src/b.ts',
    'packages/a/src/someThing.ts',
    'packages/a/src/Some.test.ts',
    'apps/a/test/under_score/b.ts',
    'bench/src/Main.ts',
  ])('refuses %s', (path) => {
    expect(check(path)).toHaveLength(1);
  });

  it.each([
    'packages/a/src/some-thing.test.ts',
    'packages/a/src/column-types.ts',
    'packages/a/DESIGN.md',
    'README.md',
  ])('accepts %s', (path) => {
    expect(check(path)).toEqual([]);
  });
});

describe('unfinished work', () => {
  const marker = ['TO', 'DO'].join('');

  it('is found in code and in documents', () => {
    const files = { 'packages/a/src/b.ts': `\n// ${marker}: later`, 'docs/a.md': marker };
    expect(unfinishedViolations(repositoryOf(files)).map(violationText)).toEqual([
      `packages/a/src/b.ts:2: '${marker}' is left`,
      `docs/a.md:1: '${marker}' is left`,
    ]);
  });

  it('is not seen in other words', () => {
    expect(unfinishedViolations(repositoryOf({ 'docs/a.md': `${marker}S, to do` }))).toEqual([]);
  });
});
