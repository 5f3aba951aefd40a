import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const WORDS_MIN = 3;

/** The program's text, with literals that are joined by `+` in one piece. */
const PROGRAM = globSync(['packages/*/src/**/*.ts', 'apps/tandem/src/**/*.ts'], { cwd: ROOT })
  .filter((path) => !path.endsWith('.test.ts'))
  .map((path) => readFileSync(`${ROOT}/${path}`, 'utf8'))
  .join('\n')
  .replaceAll(/['`]\s*\+\s*['`]/g, '');

/** Messages that the tables of failures quote in their first column. */
function quotedMessages(): string[] {
  const document = readFileSync(`${ROOT}/docs/guides/tandem-operations.md`, 'utf8');
  const [, failures = ''] = /^## What goes wrong\n([^]*?)^## /m.exec(document) ?? [];
  const cells = failures.split('\n').flatMap((line) => /^\| (.*?) \|/.exec(line)?.[1] ?? []);
  const spans = cells.flatMap((cell) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
  );
  return spans.filter((text) => text.split(/\s+/).length >= WORDS_MIN);
}

it.each(quotedMessages())('the program says: %s', (message) => {
  const parts = message.split('…').map((part) => part.trim());
  expect(parts.filter((part) => !PROGRAM.includes(part))).toEqual([]);
});

it('docs/guides/tandem-operations.md quotes what the program says', () => {
  expect(quotedMessages().length).toBeGreaterThan(30);
});
