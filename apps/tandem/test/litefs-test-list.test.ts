import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const ROW = /^\| (?<entry>.+) \| `(?<file>[^`]+)` \| (?<title>.+) \|$/gm;

it('each test that stands for one of LiteFS is there', () => {
  const rows = [...read('docs/internals/litefs-test-list.md').matchAll(ROW)];
  const missing = rows.flatMap(({ groups }) => {
    const { entry = '', file = '', title = '' } = groups ?? {};
    return isTitle(read(file), title) ? [] : [`${entry}: ${file} has no test '${title}'`];
  });
  expect(missing).toEqual([]);
  expect(rows.length).toBeGreaterThan(100);
});

/** Whether a text in quotes, in the place of a title, ends or begins with it. */
function isTitle(source: string, title: string): boolean {
  return ["'", '`', '"'].some(
    (quote) => source.includes(`${quote}${title}`) || source.includes(`${title}${quote}`),
  );
}
