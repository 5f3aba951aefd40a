import type { Statement } from '@loggia/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { changeOf } from './change.ts';
import { parseQuery } from './query-parser.ts';
import { resolveQuery } from './resolved-query.ts';
import { queryStatement } from './statement.ts';

function statementOf(property: string, value: string): Statement {
  const query = parseQuery({
    site_id: 'example.org',
    metrics: ['visitors', 'pageviews', 'time_on_page'],
    date_range: 'year',
    dimensions: ['event:page', 'time:month'],
    filters: [
      ['is_not', `event:props:${property}`, [value]],
      ['contains', 'visit:source', [value], { case_sensitive: false }],
      [
        'or',
        [
          ['matches', 'event:page', [value]],
          ['matches_wildcard', 'event:page', [value]],
        ],
      ],
      ['has_done', ['contains', `event:props:${property}`, [value]]],
    ],
  });
  const resolved = resolveQuery(query, {
    site: { id: 7, domain: 'example.org', timezone: 'Europe/Berlin', createdMs: 0 },
    nowMs: Date.parse('2026-03-18T10:00:00Z'),
    firstEventMs: undefined,
    goals: [],
  });
  return queryStatement(resolved, { range: resolved.range, limit: 10, offset: 0 });
}

test('no value and no property name reaches the text of a statement', () => {
  const plain = statementOf('a', 'b');
  const text = fc.string({ unit: 'binary', minLength: 1 });
  fc.assert(
    fc.property(text, text, (property, value) => {
      const { sql, parameters } = statementOf(property, value);
      expect(sql).toBe(plain.sql);
      expect(parameters).toHaveLength(sql.split('?').length - 1);
      expect(parameters).toContain(property);
      expect(parameters).toContain(value);
    }),
  );
});

test('change is in points for rates and in per cent for counts', () => {
  expect(changeOf('bounce_rate', 40, 33)).toBe(-7);
  expect(changeOf('bounce_rate', 0, 33)).toBeNull();
  expect(changeOf('conversion_rate', 1.1, 1.25)).toBe(0.15);
  expect(changeOf('visitors', 8, 7)).toBe(-13);
  expect(changeOf('visitors', 0, 3)).toBe(100);
  expect(changeOf('visitors', 0, 0)).toBe(0);
  expect(changeOf('scroll_depth', null, 40)).toBeNull();
});
