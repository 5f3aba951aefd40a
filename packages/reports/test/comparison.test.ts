import { beforeAll, describe, expect, test } from 'vitest';

import { inZone, TestStore } from './store.ts';

/** One visit at each of these times; the present of the tests is 2026-03-18 10:30:15 UTC. */
const TIMES = [
  '2026-03-18T09:00:00Z',
  '2026-03-18T10:30:15Z',
  '2026-03-17T08:00:00Z',
  '2026-03-17T10:30:15.999Z',
  '2026-03-17T10:30:16Z',
  '2026-03-17T20:00:00Z',
  '2026-03-10T20:00:00Z',
  '2025-03-18T01:00:00Z',
];

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open(
    TIMES.map((at, index) => ({
      visitor: index,
      attributes: { source: index % 2 === 0 ? 'Even' : 'Odd' },
      events: [{ at }],
    })),
  );
});

const previous = { comparisons: { mode: 'previous_period' } };

describe('ranges', () => {
  test('today is compared with the same part of yesterday, to the second', async () => {
    const body = { metrics: ['visits'], date_range: 'day', include: previous };
    const { results, query } = await store.answer(body);
    expect(results).toEqual([
      { dimensions: [], metrics: [2], comparison: { dimensions: [], metrics: [2], change: [0] } },
    ]);
    expect(query.comparison_date_range).toEqual([
      '2026-03-17T00:00:00+00:00',
      '2026-03-17T10:30:15+00:00',
    ]);
  });

  test('a year before starts on the same date, or on the same weekday', async () => {
    const year = { mode: 'year_over_year' };
    const body = { metrics: ['visits'], date_range: ['2026-03-16', '2026-03-17'] };
    const plain = await store.answer({ ...body, include: { comparisons: year } });
    expect(plain.query.comparison_date_range?.[0]).toBe('2025-03-16T00:00:00+00:00');
    const matched = { comparisons: { ...year, match_day_of_week: true } };
    const aligned = await store.answer({ ...body, include: matched });
    expect(aligned.query.comparison_date_range).toEqual([
      '2025-03-17T00:00:00+00:00',
      '2025-03-18T23:59:59+00:00',
    ]);
  });

  test('two moments are compared with as long a time before them', async () => {
    const body = {
      metrics: ['visits'],
      date_range: ['2026-03-18T00:00:00Z', '2026-03-18T11:59:59Z'],
      include: previous,
    };
    const { results, query } = await store.answer(body);
    expect(results[0]?.comparison?.metrics).toEqual([1]);
    expect(query.comparison_date_range).toEqual([
      '2026-03-17T12:00:00+00:00',
      '2026-03-17T23:59:59+00:00',
    ]);
  });

  test('month and year reach their end, and today when trimmed', async () => {
    const range = async (date_range: string, trim: boolean) => {
      const include = { trim_relative_date_range: trim };
      return (await store.answer({ metrics: ['visits'], date_range, include })).query.date_range[1];
    };
    expect(await range('month', false)).toBe('2026-03-31T23:59:59+00:00');
    expect(await range('month', true)).toBe('2026-03-18T23:59:59+00:00');
    expect(await range('day', true)).toBe('2026-03-18T10:59:59+00:00');
    expect(await range('7d', true)).toBe('2026-03-17T23:59:59+00:00');
  });
});

describe('rows', () => {
  test('are matched by label, whatever page of the answer they are on', async () => {
    const body = {
      metrics: ['visits'],
      dimensions: ['visit:source'],
      date_range: ['2026-03-18', '2026-03-18'],
      order_by: [['visit:source', 'desc']],
      pagination: { limit: 1 },
      include: { ...previous, total_rows: true },
    };
    const { results, meta } = await store.answer(body);
    expect(results).toEqual([
      {
        dimensions: ['Odd'],
        metrics: [1],
        comparison: { dimensions: ['Odd'], metrics: [1], change: [0] },
      },
    ]);
    expect(meta.total_rows).toBe(2);
    const beyond = await store.answer({ ...body, pagination: { limit: 1, offset: 5 } });
    expect([beyond.results, beyond.meta.total_rows]).toEqual([[], 2]);
  });

  test('of a series are matched by place, and steps with numbers on either side are listed', async () => {
    const body = {
      metrics: ['visits'],
      dimensions: ['time:hour'],
      date_range: ['2026-03-18T08:00:00Z', '2026-03-18T12:59:59Z'],
      include: {
        comparisons: { mode: 'custom', date_range: ['2026-03-17', '2026-03-17'] },
      },
    };
    const { results } = await store.answer(body);
    expect(results.map((row) => [row.dimensions[0], row.metrics[0], row.comparison])).toEqual([
      [
        '2026-03-18 09:00:00',
        1,
        { dimensions: ['2026-03-17 01:00:00'], metrics: [0], change: [100] },
      ],
      [
        '2026-03-18 10:00:00',
        1,
        { dimensions: ['2026-03-17 02:00:00'], metrics: [0], change: [100] },
      ],
    ]);
  });
});

describe('steps', () => {
  test('the first week and month of a range carry its first day', async () => {
    const labels = async (dimension: string) => {
      const body = {
        metrics: ['visits'],
        dimensions: [dimension],
        date_range: ['2026-03-04', '2026-04-02'],
        include: { time_labels: true },
      };
      return (await store.answer(body)).meta.time_labels;
    };
    expect(await labels('time:month')).toEqual(['2026-03-04', '2026-04-01']);
    expect(await labels('time:week')).toEqual([
      '2026-03-04',
      '2026-03-09',
      '2026-03-16',
      '2026-03-23',
      '2026-03-30',
    ]);
    const body = { metrics: ['visits'], date_range: ['2026-03-11', '2026-03-18'] };
    expect(await store.rows({ ...body, dimensions: ['time:week'] })).toEqual([['2026-03-16', 6]]);
    expect(
      await store.rows({
        ...body,
        date_range: ['2026-03-10', '2026-03-11'],
        dimensions: ['time:week'],
      }),
    ).toEqual([['2026-03-10', 1]]);
  });

  test('a partial hour carries the label of its full hour, in a zone off by minutes too', async () => {
    const body = {
      metrics: ['visits'],
      dimensions: ['time:hour'],
      date_range: ['2026-03-18T10:30:00Z', '2026-03-18T10:40:00Z'],
      include: { time_labels: true },
    };
    const answer = await store.answer(body, inZone('Asia/Kathmandu'));
    expect(answer.meta.time_labels).toEqual(['2026-03-18 16:00:00']);
    expect(answer.results[0]?.dimensions).toEqual(['2026-03-18 16:00:00']);
  });

  test('the last second of two moments belongs to the range', async () => {
    const body = {
      metrics: ['visits'],
      date_range: ['2026-03-17T10:30:15Z', '2026-03-17T10:30:15Z'],
    };
    expect(await store.rows(body)).toEqual([[1]]);
  });

  test('everything begins at the first event', async () => {
    const firstEventMs = Date.parse('2025-03-18T01:00:00Z');
    const { query } = await store.answer(
      { metrics: ['visits'], date_range: 'all' },
      { firstEventMs },
    );
    expect(query.date_range[0]).toBe('2025-03-18T00:00:00+00:00');
  });
});
