import { describe, expect, it } from 'vitest';
import { citationViolations } from './citations.ts';
import { errorSection, errorTableViolations, errorTables } from './error-tables.ts';
import { invariantViolations } from './invariants.ts';
import { linkViolations } from './links.ts';
import { repositoryOf, violationText } from './repository.ts';

describe('links', () => {
  const check = (text: string) =>
    linkViolations(
      repositoryOf({
        'docs/a.md': text,
        'docs/b.md':
          '# One thing: `x`, or two\n\n## Same\n\n## Same\n\n```\n# not a heading\n```\n',
        'packages/base/src/c.ts': '',
      }),
    ).map(violationText);

  it.each([
    '[x](b.md)',
    '[x](b.md#one-thing-x-or-two)',
    '[x](./b.md#same-1)',
    '[x](../packages/base)',
    '[x](../packages/base/src/c.ts)',
    '[x](https://example.org/missing.md)',
    '`[x](missing.md)`',
    '```\n[x](missing.md)\n```',
    '# Here\n\n[x](#here)',
  ])('accepts %s', (text) => {
    expect(check(text)).toEqual([]);
  });

  it.each([
    '[x](missing.md)',
    '[x](b.md#missing)',
    '[x](b.md#not-a-heading)',
    '[x](#missing)',
    '[x](/docs/b.md)',
    '![x](missing.png)',
    '[`x` and [y]](../packages/missing)',
    '[x]: missing.md',
    '[x]()',
  ])('refuses %s', (text) => {
    expect(check(text)).toHaveLength(1);
  });
});

describe('citations', () => {
  const check = (text: string) =>
    citationViolations(
      repositoryOf({
        'packages/a/DESIGN.md': text,
        'packages/a/src/queue.ts': 'export class Queue { #take() {} } // Gone',
      }),
    ).map(violationText);

  it.each([
    '`packages/a/src/queue.ts`',
    '`src/queue.ts`',
    '`Queue` in `queue.ts`',
    '`Queue.take()` in `queue.ts`',
    '`queue.ts` (`Queue`)',
    '`packages/a/`',
    '`some words` in `queue.ts`',
    '`ipaddr.js`',
  ])('accepts %s', (text) => {
    expect(check(text)).toEqual([]);
  });

  it.each([
    '`packages/a/src/missing.ts`',
    '`missing.ts`',
    '`Missing` in `queue.ts`',
    '`Gone` in `queue.ts`',
    '`queue.ts` (`Missing`)',
    '`queue.ts:12`',
    '`packages/missing/`',
  ])('refuses %s', (text) => {
    expect(check(text)).toHaveLength(1);
  });
});

describe('error tables', () => {
  const path = 'packages/a/src/a-error.ts';
  const source = `
    export const A_ERROR_CODES = {
      one: 'The first.',
      two: { status: 400, meaning: 'The second ' + 'one.', deep: { three: 'no code' } },
    } as const;
    const NOT_ERROR_CODES = { hidden: '' };
    export const OTHER_CODES = { four: 'Not asked for.' };
  `;
  const tables = errorTables(repositoryOf({ [path]: source }));
  const document = tables.map((table) => errorSection(table)).join('\n\n');
  const check = (text: string) =>
    errorTableViolations(repositoryOf({ [path]: source, 'docs/reference/errors.md': text }));

  it('reads codes, statuses and meanings', () => {
    expect(tables).toEqual([
      {
        name: 'A_ERROR_CODES',
        path,
        codes: [
          { code: 'one', status: undefined, meaning: 'The first.' },
          { code: 'two', status: '400', meaning: 'The second one.' },
        ],
      },
    ]);
  });

  it('accepts the document that says the same', () => {
    expect(check(document.replace('| `one` |  |', '| `one` |'))).toEqual([]);
  });

  it.each([
    ['a missing code', document.replace(/\| `one`.*\n/, '')],
    ['another status', document.replace('400', '401')],
    ['another meaning', document.replace('The second one.', 'The second.')],
    ['another table', document.replace('A_ERROR_CODES', 'B_ERROR_CODES')],
    ['a code that is gone', `${document}\n| \`gone\` |  | Gone. |`],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(check(text)).not.toEqual([]);
  });

  it('refuses a table without codes', () => {
    const empty = { [path]: 'export const ERROR_CODES = codes();' };
    expect(errorTableViolations(repositoryOf(empty))).not.toEqual([]);
  });
});

describe('invariants', () => {
  const design = 'packages/a/DESIGN.md';
  const check = (files: Record<string, string>) =>
    invariantViolations(repositoryOf(files)).map(violationText);

  it.each([
    '- **J1** Always.',
    '- **J1.** Always.',
    '| J1 | Always. |',
    '### J1. Always',
    'J1: Always.',
  ])('knows %s as one', (text) => {
    expect(check({ [design]: text })).toHaveLength(2);
  });

  it('asks for it in the program and in a test', () => {
    const program = { 'packages/a/src/b.ts': '// J1: never twice.' };
    const test = { 'packages/a/src/b.test.ts': `it('J1: is never there twice', () => {});` };
    const text = { [design]: '- **J1** Always.\n\nJ1 is named again, and J2 in passing.' };
    expect(check({ ...text, ...program, ...test })).toEqual([]);
    expect(check({ ...text, ...program })).toEqual([`${design}:1: J1 is cited in no test`]);
    expect(check({ ...text, ...test })).toHaveLength(1);
    expect(check({ ...text, 'packages/a/src/b.ts': 'const J10 = J1;', ...test })).toHaveLength(1);
  });

  it('asks storage packages to state some', () => {
    const journal = { 'packages/journal/package.json': '{}' };
    expect(check(journal)).toHaveLength(1);
    expect(check({ ...journal, 'packages/journal/DESIGN.md': 'No numbers.' })).toHaveLength(1);
    const cited = {
      'packages/journal/src/a.ts': '// J1',
      'packages/journal/src/a.test.ts': '// J1',
    };
    expect(check({ ...journal, ...cited, 'packages/journal/DESIGN.md': '- **J1** x' })).toEqual([]);
  });

  it('gives each number to one document', () => {
    const cited = {
      'packages/a/src/b.ts': '// J1',
      'packages/a/src/b.test.ts': '// J1',
      [design]: '- **J1** Always.',
    };
    expect(check({ ...cited, 'packages/c/DESIGN.md': '- **J1** Never.' })).toEqual([
      `packages/c/DESIGN.md:1: J1 is also an invariant of ${design}`,
    ]);
  });
});
