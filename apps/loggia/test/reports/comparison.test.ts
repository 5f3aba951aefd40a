import { describe, expect, test } from 'vitest';
import type { Comparisons } from '../model/query.ts';
import { openLab, type LabSite } from './lab.ts';

const lab = openLab();
const ZONE = 'Europe/Berlin';
/** A Tuesday. */
const DATE = '2026-03-10';

const against = (comparisons: Comparisons) => ({ include: { comparisons } });
const PREVIOUS = against({ mode: 'previous_period' });

/** A site with one visitor at each of these times, and noon as the present. */
function visitedAt(...times: readonly string[]): LabSite {
  const site = lab.site(ZONE, DATE);
  site.receive(times.map((time, index) => site.view(`p${index}`, time, '/')));
  site.setNow('2026-03-10 12:00:00');
  return site;
}

describe('what is compared', () => {
  test('today is compared with the same part of the day before', async () => {
    const site = visitedAt(
      '2026-03-09 00:00',
      '2026-03-09 12:00:00',
      '2026-03-09 12:00:01',
      '2026-03-09 23:00',
      '2026-03-10 09:00',
    );
    const answer = await site.answer({ metrics: ['visitors'], date_range: 'day', ...PREVIOUS });
    expect(answer.results).toEqual([
      {
        dimensions: [],
        metrics: [1],
        comparison: { dimensions: [], metrics: [2], change: [-50] },
      },
    ]);
  });

  test('the period before is as many days and ends where this one begins', async () => {
    const site = visitedAt(
      '2026-03-01 23:59:59',
      '2026-03-02 00:00',
      '2026-03-04 23:59:59',
      '2026-03-05 00:00',
      '2026-03-06 12:00',
      '2026-03-07 23:59:59',
      '2026-03-08 00:00',
    );
    const date_range = ['2026-03-05', '2026-03-07'] as const;
    const answer = await site.answer({ metrics: ['visitors'], date_range, ...PREVIOUS });
    expect(answer.results).toEqual([
      {
        dimensions: [],
        metrics: [3],
        comparison: { dimensions: [], metrics: [2], change: [50] },
      },
    ]);
  });

  test.each<[string, Comparisons, string]>([
    ['the year before', { mode: 'year_over_year' }, '2025-03-05'],
    [
      'the same weekday of the year before',
      { mode: 'year_over_year', match_day_of_week: true },
      '2025-03-06',
    ],
    [
      'the same weekday of another week',
      { mode: 'previous_period', match_day_of_week: true },
      '2026-02-26',
    ],
    ['any other range', { mode: 'custom', date_range: ['2026-01-07', '2026-01-07'] }, '2026-01-07'],
  ])('a day is compared with %s', async (_, comparisons, date) => {
    // 5 March 2026 is a Thursday, as is 6 March 2025.
    const site = visitedAt('2026-03-05 12:00', `${date} 00:00`, `${date} 23:59:59`);
    const answer = await site.answer({
      metrics: ['visitors'],
      date_range: ['2026-03-05', '2026-03-05'],
      ...against(comparisons),
    });
    expect(answer.results).toEqual([
      {
        dimensions: [],
        metrics: [1],
        comparison: { dimensions: [], metrics: [2], change: [-50] },
      },
    ]);
  });
});

describe('rows', () => {
  test('each row is compared with the row of the same values, found or not', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-03-08 10:00', '/a'),
      site.view('bert', '2026-03-08 10:00', '/gone'),
      site.view('anna', '2026-03-09 10:00', '/a'),
      site.view('bert', '2026-03-09 10:00', '/a'),
      site.view('bert', '2026-03-09 10:01', '/new'),
    ]);
    const answer = await site.answer({
      metrics: ['visitors', 'bounce_rate', 'scroll_depth'],
      dimensions: ['event:page'],
      date_range: ['2026-03-09', '2026-03-09'],
      ...PREVIOUS,
    });
    expect(answer.results).toEqual([
      {
        dimensions: ['/a'],
        metrics: [2, 50, null],
        comparison: {
          dimensions: ['/a'],
          metrics: [1, 100, null],
          change: [100, -50, null],
        },
      },
      {
        dimensions: ['/new'],
        metrics: [1, 0, null],
        comparison: { dimensions: ['/new'], metrics: [0, 0, null], change: [100, null, null] },
      },
    ]);
  });

  test('buckets of time are compared in their order, also where only one has numbers', async () => {
    const site = visitedAt(
      '2026-03-04 10:00',
      '2026-03-04 11:00',
      '2026-03-05 11:00',
      '2026-03-07 10:00',
    );
    const answer = await site.answer({
      metrics: ['visitors'],
      dimensions: ['time:day'],
      date_range: ['2026-03-06', '2026-03-08'],
      ...PREVIOUS,
    });
    expect(answer.results).toEqual([
      {
        dimensions: ['2026-03-07'],
        metrics: [1],
        comparison: { dimensions: ['2026-03-04'], metrics: [2], change: [-50] },
      },
      {
        dimensions: ['2026-03-08'],
        metrics: [0],
        comparison: { dimensions: ['2026-03-05'], metrics: [1], change: [-100] },
      },
    ]);
  });
});

describe('changes', () => {
  test('are whole per cent, but points for the bounce rate', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      // Three visits: two bounces and one of two views and 100 s.
      site.view('anna', '2026-03-08 10:00', '/'),
      site.view('bert', '2026-03-08 10:00', '/'),
      site.view('cleo', '2026-03-08 10:00', '/'),
      site.view('cleo', '2026-03-08 10:01:40', '/'),
      // Two visits: one bounce and one of three views and 50 s.
      site.view('anna', '2026-03-09 10:00', '/'),
      site.view('bert', '2026-03-09 10:00', '/'),
      site.view('bert', '2026-03-09 10:00:20', '/'),
      site.view('bert', '2026-03-09 10:00:50', '/'),
    ]);
    const answer = await site.answer({
      metrics: ['visits', 'pageviews', 'bounce_rate', 'visit_duration', 'views_per_visit'],
      date_range: ['2026-03-09', '2026-03-09'],
      ...PREVIOUS,
    });
    expect(answer.results).toEqual([
      {
        dimensions: [],
        metrics: [2, 4, 50, 25, 2],
        comparison: {
          dimensions: [],
          metrics: [3, 4, 67, 33, 1.33],
          change: [-33, 0, -17, -24, 50],
        },
      },
    ]);
  });
});
