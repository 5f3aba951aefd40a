import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TANDEM_HTTP_ERROR_CODES } from '../src/http/http-error.ts';
import { METRICS } from '../src/http/metrics.ts';
import { HttpFixture } from './http-fixture.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), 'utf8');

/** The cells of all rows of tables whose first cell is code. */
function codeRows(text: string): string[][] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('| `')) return [];
    return [
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim()),
    ];
  });
}

describe('docs/reference/tandem-metrics.md', () => {
  it('lists every metric with its type and help, and no other', () => {
    const rows = codeRows(read('tandem-metrics.md'));
    const ofMetrics = rows.filter(([, type = '']) => ['gauge', 'counter'].includes(type));
    const documented = ofMetrics.map((cells) => cells.join(' | '));
    const expected = METRICS.map(({ name, type, help }) => `\`${name}\` | ${type} | ${help}`);
    expect(documented.sort()).toEqual(expected.sort());
  });
});

describe('docs/reference/tandem-http-api.md', () => {
  const text = read('tandem-http-api.md');

  it('names every path with its methods', async () => {
    await using fixture = await HttpFixture.open();
    const { json } = await fixture.ask('/nothing');
    const paths = String(json['hint']).slice('The paths are '.length, -1).split(', ');
    expect(paths.length).toBeGreaterThan(15);
    for (const path of paths) {
      const { headers } = await fixture.ask(path, { method: 'PUT' });
      for (const method of String(headers.allow).split(', ')) {
        if (method === 'HEAD') continue;
        expect(text).toContain(`\`${method} ${path}\``);
      }
    }
  });

  it('lists every error that is answered, with its status', () => {
    const listed = codeRows(text).flatMap(([code = '', status = '', meaning = '']) =>
      /^\d{3}$/.test(status) ? [[code.replaceAll('`', ''), Number(status), meaning]] : [],
    );
    const expected = Object.entries(TANDEM_HTTP_ERROR_CODES).map(([code, { status, meaning }]) => [
      code,
      status,
      meaning,
    ]);
    expect(listed).toEqual(expected);
  });
});
