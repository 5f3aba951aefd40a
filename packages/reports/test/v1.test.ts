import {
  answerV1,
  currentVisitorsStatement,
  parseAggregate,
  parseBreakdown,
  parseTimeseries,
  type V1Request,
} from '@loggia/reports';
import { beforeAll, expect, test } from 'vitest';

import { NOW, TestStore, testContext, testGoal } from './store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open([
    {
      visitor: 1,
      attributes: { source: 'a|b' },
      events: [{ at: '2026-03-16T10:00:00Z', page: '/blog/x' }],
    },
    {
      visitor: 2,
      events: [
        { at: '2026-03-17T10:00:00Z', page: '/' },
        { at: '2026-03-17T10:00:10Z', page: '/' },
      ],
    },
    { visitor: 3, events: [{ at: '2026-03-18T10:29:00Z', page: '/now' }] },
    { visitor: 4, events: [{ at: '2026-03-18T10:20:00Z', page: '/now' }] },
  ]);
});

const goals = [testGoal('Visit /blog*', { kind: 'page', pagePattern: '/blog/**' })];

async function results(request: V1Request) {
  return (await answerV1(request, testContext({ goals }), store.execute)).results;
}

const site = { site_id: 'example.org' };

test('an aggregate is an object of values', async () => {
  const metrics = 'visitors,bounce_rate,pageviews';
  expect(await results(parseAggregate({ ...site, metrics, period: '7d' }))).toEqual({
    visitors: { value: 2 },
    bounce_rate: { value: 50 },
    pageviews: { value: 3 },
  });
  const compared = { ...site, period: 'custom', date: '2026-03-17,2026-03-17' };
  expect(
    await results(
      parseAggregate({ ...compared, metrics: 'pageviews', compare: 'previous_period' }),
    ),
  ).toEqual({ pageviews: { value: 2, change: 100 } });
});

test('a time series has a row for every step', async () => {
  const request = parseTimeseries({ ...site, period: 'custom', date: '2026-03-15,2026-03-17' });
  expect(await results(request)).toEqual([
    { date: '2026-03-15', visitors: 0 },
    { date: '2026-03-16', visitors: 1 },
    { date: '2026-03-17', visitors: 1 },
  ]);
  const months = await results(parseTimeseries({ ...site, period: '6mo' }));
  expect(months).toHaveLength(6);
  const hours = await results(parseTimeseries({ ...site, period: 'day', date: '2026-03-17' }));
  expect(hours).toHaveLength(24);
});

test('a breakdown names its rows after the property', async () => {
  const params = { ...site, property: 'event:page', period: 'month', limit: '1' };
  expect(await results(parseBreakdown(params))).toEqual([{ page: '/now', visitors: 2 }]);
  expect(await results(parseBreakdown({ ...params, page: '2' }))).toEqual([
    { page: '/', visitors: 1 },
  ]);
});

test('filters take lists, stars, negations and escapes', async () => {
  const visitors = async (filters: string) =>
    (await results(parseAggregate({ ...site, period: 'month', filters }))) as unknown;
  expect(await visitors('event:page==/blog/x|/')).toEqual({ visitors: { value: 2 } });
  expect(await visitors('event:page==/b*/*')).toEqual({ visitors: { value: 1 } });
  expect(await visitors('event:page!=/now;visit:source!=a\\|b')).toEqual({
    visitors: { value: 1 },
  });
  expect(await visitors('visit:source==a\\|b')).toEqual({ visitors: { value: 1 } });
  expect(await visitors('event:goal==Visit /blog*')).toEqual({ visitors: { value: 1 } });
});

test('current visitors had an event in the last five minutes', async () => {
  const { rows } = await store.execute(currentVisitorsStatement(1, Date.parse(NOW)));
  expect(rows).toEqual([[1]]);
});

test('what is malformed is refused with a sentence', () => {
  const all = { ...site };
  expect(() => parseAggregate({})).toThrow(/lacks 'site_id'/);
  expect(() => parseAggregate({ ...all, period: '5x' })).toThrow(/no period '5x'/);
  expect(() => parseAggregate({ ...all, metrics: 'visitor' })).toThrow(/Did you mean 'visitors'/);
  expect(() => parseAggregate({ ...all, filters: 'event:page' })).toThrow(/must look like/);
  expect(() => parseAggregate({ ...all, compare: 'x' })).toThrow(/no comparison/);
  expect(() => parseAggregate({ ...all, period: 'custom' })).toThrow(/two dates/);
  expect(() => parseAggregate({ ...all, date: '2026-02-30' })).toThrow(/must be a date/);
  expect(() => parseTimeseries({ ...all, interval: 'constructor' })).toThrow(/no interval/);
  expect(() => parseBreakdown(all)).toThrow(/lacks 'property'/);
  expect(() => parseBreakdown({ ...all, property: 'visit:sauce' })).toThrow(/'visit:source'/);
  expect(() => parseBreakdown({ ...all, property: 'event:page', limit: '0' })).toThrow(/'limit'/);
  expect(() => parseBreakdown({ ...all, property: 'event:page', limit: '1001' })).toThrow(/1000/);
});
