import { beforeAll, describe, expect, test } from 'vitest';

import { inZone, TestStore, testGoal } from './store.ts';

const day = '2026-03-10';
const at = (time: string) => `${day}T${time}Z`;

/** Three visits of two visitors: `/` → `/blog` with pings, a bounce on `/blog`, a sign-up. */
let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open([
    {
      visitor: 1,
      attributes: { source: 'Google', country: 'DE' },
      events: [
        { at: at('10:00:00'), page: '/' },
        { at: at('10:00:20'), page: '/', name: 'engagement', engagedMs: 15_500, scrollDepth: 40 },
        { at: at('10:00:21'), page: '/blog' },
        { at: at('10:01:00'), page: '/blog', name: 'engagement', engagedMs: 9000, scrollDepth: 55 },
        { at: at('10:01:40'), page: '/blog', name: 'engagement', engagedMs: 5000, scrollDepth: 90 },
      ],
    },
    {
      visitor: 2,
      attributes: { source: 'Google', country: 'FR' },
      events: [
        { at: at('11:00:00'), page: '/blog' },
        { at: at('11:00:09'), page: '/blog', name: 'engagement', engagedMs: 8000, scrollDepth: 20 },
      ],
    },
    {
      visitor: 2,
      events: [
        { at: at('13:00:00'), page: '/', hostname: 'app.example.org' },
        { at: at('13:00:30.600'), page: '/signup', hostname: 'app.example.org' },
        {
          at: at('13:01:01'),
          page: '/signup',
          hostname: 'app.example.org',
          name: 'Signup',
          properties: { plan: 'pro' },
          revenue: [19_990, 'EUR'],
        },
        { at: at('13:02:00'), page: '/thanks', name: 'Purchase', revenue: [5000, 'USD'] },
      ],
    },
  ]);
});

const goals = [
  testGoal('Signup', { eventName: 'Signup', currency: 'EUR' }),
  testGoal('Purchase', { eventName: 'Purchase', currency: 'USD' }),
  testGoal('Visit /blog*', { kind: 'page', pagePattern: '/blog*' }),
  testGoal('Read the blog', { kind: 'scroll', pagePattern: '/blog', scrollThreshold: 50 }),
  testGoal('Never', { eventName: 'Never' }),
];

describe('without dimensions', () => {
  test('counts and means are of all visits', async () => {
    const metrics = [
      'visitors',
      'visits',
      'pageviews',
      'events',
      'views_per_visit',
      'bounce_rate',
      'visit_duration',
    ];
    // 100 s + 0 s (a bounce) + 120 s over three visits; one bounce of three.
    expect(await store.rows({ metrics })).toEqual([[2, 3, 5, 7, 1.67, 33, 73]]);
  });

  test('an empty range has one row of zeros and nulls', async () => {
    const metrics = ['visitors', 'bounce_rate', 'visit_duration', 'views_per_visit', 'percentage'];
    const body = { metrics, date_range: ['2020-01-01', '2020-01-02'] };
    expect(await store.rows(body)).toEqual([[0, 0, 0, 0, null]]);
  });

  test('under a page filter, time and scroll depth are those of the page', async () => {
    const body = {
      metrics: ['visitors', 'visits', 'time_on_page', 'scroll_depth', 'bounce_rate'],
      filters: [['is', 'event:page', ['/blog']]],
    };
    // Engaged 14 s + 8 s by two visitors; depths 90 and 20; one of the two visits bounced.
    expect(await store.rows(body)).toEqual([[2, 2, 11, 55, 50]]);
  });
});

describe('by page', () => {
  test('visitors had any event there, and bounces are of visits that entered there', async () => {
    const body = {
      metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration'],
      dimensions: ['event:page'],
    };
    expect(await store.rows(body)).toEqual([
      ['/', 2, 2, 2, 0, 110],
      ['/blog', 2, 2, 2, 100, 0],
      ['/signup', 1, 1, 1, 0, 0],
      ['/thanks', 1, 1, 0, 0, 0],
    ]);
  });

  test('time on page, scroll depth and exit rate', async () => {
    const body = {
      metrics: ['time_on_page', 'scroll_depth', 'exit_rate'],
      dimensions: ['event:page'],
      order_by: [['event:page', 'asc']],
    };
    expect(await store.rows(body)).toEqual([
      ['/', 8, 40, 0],
      ['/blog', 11, 55, 100],
      ['/signup', 0, null, 100],
      ['/thanks', 0, null, null],
    ]);
  });

  test('host names are told by event and bounce by entry', async () => {
    const body = { metrics: ['visits', 'bounce_rate'], dimensions: ['event:hostname'] };
    expect(await store.rows(body)).toEqual([
      ['example.org', 3, 50],
      ['app.example.org', 1, 0],
    ]);
  });
});

describe('by goal', () => {
  test('each goal that someone reached has a row', async () => {
    const body = {
      metrics: ['visitors', 'events', 'conversion_rate', 'total_revenue'],
      dimensions: ['event:goal'],
    };
    const rows = await store.rows(body, { goals });
    expect(rows).toEqual([
      ['Visit /blog*', 2, 2, 100, null],
      ['Purchase', 1, 1, 50, { value: 5, currency: 'USD', short: '$5.0', long: '$5.00' }],
      ['Read the blog', 1, 0, 50, null],
      ['Signup', 1, 1, 50, { value: 19.99, currency: 'EUR', short: '€20.0', long: '€19.99' }],
    ]);
  });

  test('the group rate is a share of the same group', async () => {
    const body = {
      metrics: ['visitors', 'conversion_rate', 'group_conversion_rate'],
      dimensions: ['visit:source'],
      filters: [['is', 'event:goal', ['Read the blog']]],
    };
    expect(await store.rows(body, { goals })).toEqual([['Google', 1, 50, 50]]);
  });

  test('different currencies give null and a warning', async () => {
    const filters = [['is', 'event:goal', ['Signup', 'Purchase']]];
    const answer = await store.answer({ metrics: ['total_revenue'], filters }, { goals });
    expect(answer.results).toEqual([{ dimensions: [], metrics: [null] }]);
    expect(answer.meta.metric_warnings?.total_revenue?.code).toBe('no_single_revenue_currency');
  });
});

describe('has_done', () => {
  test('asks about the visit, not the event', async () => {
    const filters = [['has_done', ['is', 'event:name', ['Signup']]]];
    const body = { metrics: ['visits', 'pageviews', 'events'], filters };
    expect(await store.rows(body)).toEqual([[1, 2, 4]]);
    const not = { ...body, filters: [['has_not_done', ['is', 'event:name', ['Signup']]]] };
    expect(await store.rows(not)).toEqual([[2, 3, 3]]);
  });
});

describe('by time', () => {
  test('midnight is the site’s own', async () => {
    const late = await TestStore.open([
      { visitor: 1, events: [{ at: '2026-03-10T22:59:59Z' }, { at: '2026-03-10T23:00:00Z' }] },
      { visitor: 2, events: [{ at: '2026-03-10T23:00:00Z' }] },
    ]);
    const body = { metrics: ['visits', 'pageviews'], dimensions: ['time:day'] };
    expect(await late.rows(body, inZone('Europe/Berlin'))).toEqual([
      ['2026-03-10', 1, 1],
      ['2026-03-11', 1, 2],
    ]);
  });

  test('the hour that comes twice is one row and the skipped one has no label', async () => {
    const clock = await TestStore.open([
      { visitor: 1, events: [{ at: '2025-10-26T00:30:00Z' }] },
      { visitor: 2, events: [{ at: '2025-10-26T01:30:00Z' }] },
      { visitor: 3, events: [{ at: '2025-10-26T02:30:00Z' }] },
    ]);
    const body = {
      metrics: ['visitors'],
      dimensions: ['time:hour'],
      date_range: ['2025-10-26', '2025-10-26'],
      include: { time_labels: true },
    };
    const answer = await clock.answer(body, inZone('Europe/Berlin'));
    expect(answer.results.map((row) => [...row.dimensions, ...row.metrics])).toEqual([
      ['2025-10-26 02:00:00', 2],
      ['2025-10-26 03:00:00', 1],
    ]);
    expect(answer.meta.time_labels).toHaveLength(24);
    expect(answer.query.date_range).toEqual([
      '2025-10-26T00:00:00+02:00',
      '2025-10-26T23:59:59+01:00',
    ]);
    const spring = { ...body, date_range: ['2026-03-29', '2026-03-29'] };
    const { meta } = await clock.answer(spring, inZone('Europe/Berlin'));
    expect(meta.time_labels).toHaveLength(23);
    expect(meta.time_labels).not.toContain('2026-03-29 02:00:00');
  });
});
