import { HttpError } from '@loggia/contract';
import { QueryBody } from '@loggia/contract/schemas';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { describe, expect, test } from 'vitest';

import { parseQuery } from './query-parser.ts';

const schema = Compile(QueryBody);
const base = { site_id: 'example.org', metrics: ['visitors'], date_range: '7d' };

function refusal(body: unknown): string {
  try {
    parseQuery(body);
  } catch (error) {
    if (error instanceof HttpError && error.code === 'bad_query') return error.message;
    throw error;
  }
  return 'accepted';
}

const ACCEPTED: readonly Record<string, unknown>[] = [
  base,
  { ...base, date_range: ['2026-01-01', '2026-01-31'] },
  { ...base, date_range: ['2026-01-01T00:00:00+02:00', '2026-01-01T10:00:00Z'] },
  { ...base, date_range: '90d' },
  { ...base, dimensions: ['time', 'event:props:a b', 'visit:source'] },
  { ...base, filters: [['is', 'visit:city', [2950159]]] },
  { ...base, filters: [['contains', 'event:page', ['x'], { case_sensitive: false }]] },
  { ...base, filters: [['and', [['not', ['has_done', ['is', 'event:name', ['A']]]]]]] },
  { ...base, dimensions: ['time:day'], include: { time_labels: true, imports: false } },
  { ...base, order_by: [['visitors', 'asc']], pagination: { limit: 5 } },
  {
    ...base,
    include: { comparisons: { mode: 'custom', date_range: ['2026-01-01', '2026-01-02'] } },
  },
];

describe('a well-formed query', () => {
  test.each(ACCEPTED)('is accepted by the parser and the published schema: %j', (body) => {
    expect(refusal(body)).toBe('accepted');
    expect(schema.Check(body)).toBe(true);
  });
});

const REFUSED: readonly (readonly [unknown, RegExp])[] = [
  [null, /must be a JSON object/],
  [[], /must be a JSON object/],
  [{ ...base, site_id: '' }, /'site_id'/],
  [{ ...base, metric: ['visitors'] }, /Did you mean 'metrics'/],
  [{ ...base, metrics: [] }, /at least one metric/],
  [{ ...base, metrics: ['visitor'] }, /no metric 'visitor'.*'visitors'/],
  [{ ...base, metrics: ['visits', 'visits'] }, /twice/],
  [{ ...base, metrics: ['__proto__'] }, /no metric/],
  [{ ...base, date_range: '0d' }, /no date range/],
  [{ ...base, date_range: 'dya' }, /'day'/],
  [{ ...base, date_range: ['2026-02-30', '2026-03-01'] }, /neither a date/],
  [{ ...base, date_range: ['2026-03-02', '2026-03-01'] }, /after the second/],
  [{ ...base, date_range: ['2026-03-02', '2026-03-03T00:00:00Z'] }, /same kind/],
  [{ ...base, date_range: ['2026-03-02T00:00:00', '2026-03-03T00:00:00'] }, /offset/],
  [{ ...base, date_range: ['1000-01-01', '9999-01-01'] }, /days long/],
  [{ ...base, dimensions: ['visit:sources'] }, /'visit:source'/],
  [{ ...base, dimensions: ['event:props:'] }, /no dimension/],
  [{ ...base, dimensions: ['time', 'time:day'] }, /one time dimension/],
  [{ ...base, filters: {} }, /list of filters/],
  [{ ...base, filters: [['equals', 'event:page', ['/']]] }, /no filter operator 'equals'/],
  [{ ...base, filters: [['is', 'event:page', '/']] }, /clauses/],
  [{ ...base, filters: [['is', 'event:page', []]] }, /clauses/],
  [{ ...base, filters: [['is', 'event:page', [1.5]]] }, /whole number/],
  [{ ...base, filters: [['is', 'time:day', ['2026-01-01']]] }, /date_range/],
  [{ ...base, filters: [['is', 'segment', [1]]] }, /segment/],
  [{ ...base, filters: [['is_not', 'event:goal', ['A']]] }, /'is' and 'contains' only/],
  [{ ...base, filters: [['matches', 'event:page', ['a'], { case_sensitive: true }]] }, /accepted/],
  [{ ...base, filters: [['matches', 'event:page', ['a'], { case_sensitive: false }]] }, /\(\?i\)/],
  [{ ...base, filters: [['has_done', ['is', 'visit:os', ['Mac']]]] }, /event dimensions only/],
  [{ ...base, filters: [['or', []]] }, /list of filters/],
  [{ ...base, order_by: [['visits', 'asc']] }, /neither a queried metric/],
  [{ ...base, order_by: [['visitors', 'up']] }, /'asc' or 'desc'/],
  [{ ...base, include: { time_labels: true } }, /time dimension/],
  [{ ...base, include: { imports: 1 } }, /true or false/],
  [{ ...base, include: { comparisons: { mode: 'custom' } } }, /takes a 'date_range'/],
  [{ ...base, pagination: { limit: 10_001 } }, /1 to 10000/],
  [{ ...base, pagination: { offset: -1 } }, /offset/],
];

describe('a malformed query', () => {
  test.each(REFUSED)('is refused with a sentence: %j', (body, message) => {
    expect(refusal(body)).toMatch(message);
  });

  test('of a hundred thousand levels is refused like any other', () => {
    const depth = 100_000;
    const nested: unknown = JSON.parse(`${'["not",'.repeat(depth)}1${']'.repeat(depth)}`);
    expect(refusal({ ...base, filters: [nested] })).toMatch(/nested/);
    expect(refusal({ ...base, metrics: [nested] })).toMatch(/no metric/);
    expect(refusal({ ...base, filters: [['is', nested, ['x']]] })).toMatch(/no dimension/);
  });

  test('never fails in another way', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom(...Object.keys(base), 'filters', 'include'),
        (value, key) => {
          expect(typeof refusal({ ...base, [key]: value })).toBe('string');
        },
      ),
    );
  });
});
