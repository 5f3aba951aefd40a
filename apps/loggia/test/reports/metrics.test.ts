import { describe, expect, test } from 'vitest';
import { openLab } from './lab.ts';

const lab = openLab();
const ZONE = 'Europe/Berlin';
const DATE = '2026-06-10';

describe('an empty site', () => {
  test('counts nothing, and what has no divisor is 0 or null', async () => {
    const site = lab.site(ZONE, DATE);
    const counts = ['visitors', 'visits', 'pageviews', 'events'];
    const means = ['views_per_visit', 'bounce_rate', 'visit_duration'];
    expect(await site.totals({ metrics: [...counts, ...means] })).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(
      await site.totals({
        metrics: ['time_on_page', 'scroll_depth'],
        filters: [['is', 'event:page', ['/a']]],
      }),
    ).toEqual([null, null]);
    expect(await site.rows({ metrics: ['visitors'], dimensions: ['event:page'] })).toEqual([]);
  });
});

describe('counts', () => {
  test('visitors are distinct, visits are not, and pings are no events', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/'),
      site.view('anna', '08:05', '/a'),
      site.event('anna', '08:06', 'Sign up', { page: '/a' }),
      site.ping('anna', '08:07', '/a', { engagedMs: 3000, scroll: 20 }),
      site.view('anna', '12:00', '/'),
      site.view('bert', '09:00', '/'),
    ]);
    expect(await site.totals({ metrics: ['visitors', 'visits', 'pageviews', 'events'] })).toEqual([
      2, 3, 4, 5,
    ]);
  });

  test('a page view belongs to its own hour, its visit to the hour it began in', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:50', '/'),
      site.view('anna', '09:10', '/a'),
      site.view('anna', '09:20', '/b'),
      site.view('bert', '09:30', '/'),
    ]);
    const metrics = ['visitors', 'visits', 'pageviews', 'views_per_visit', 'visit_duration'];
    expect(await site.rows({ metrics, dimensions: ['time:hour'] })).toEqual([
      [['2026-06-10 08:00:00'], [1, 1, 1, 3, 1800]],
      [['2026-06-10 09:00:00'], [1, 1, 3, 1, 0]],
    ]);
  });

  test('a visit that began before the range gives it page views but no visit', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-06-09 23:55', '/'),
      site.view('anna', '2026-06-10 00:05', '/a'),
    ]);
    expect(
      await site.totals({ metrics: ['visitors', 'visits', 'pageviews', 'views_per_visit'] }),
    ).toEqual([0, 0, 1, 0]);
    expect(
      await site.rows({ metrics: ['visitors', 'pageviews'], dimensions: ['event:page'] }),
    ).toEqual([[['/a'], [0, 1]]]);
  });

  test('a visit that ends after the range counts with all that happened in it', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-06-10 23:55', '/'),
      site.view('anna', '2026-06-11 00:05', '/a'),
      site.view('anna', '2026-06-11 00:15', '/b'),
    ]);
    expect(
      await site.totals({
        metrics: ['visits', 'pageviews', 'views_per_visit', 'visit_duration', 'bounce_rate'],
      }),
    ).toEqual([1, 1, 3, 1200, 0]);
  });
});

describe('bounces and durations', () => {
  test('one page view alone is a bounce; two, or an interactive event, are not', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/'),
      site.view('bert', '08:00', '/'),
      site.view('bert', '08:01', '/'),
      site.view('cleo', '08:00', '/'),
      site.event('cleo', '08:02', 'Click'),
    ]);
    // One of three; 0, 60 and 120 seconds.
    expect(await site.totals({ metrics: ['bounce_rate', 'visit_duration'] })).toEqual([33, 60]);
  });

  test('a non-interactive event leaves a bounce a bounce, and its duration is 0', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/'),
      site.event('anna', '08:10', 'Scroll', { interactive: false }),
      site.ping('anna', '08:20', '/', { engagedMs: 500_000 }),
    ]);
    expect(await site.totals({ metrics: ['bounce_rate', 'visit_duration', 'events'] })).toEqual([
      100, 0, 2,
    ]);
  });

  test('a visit of one interactive event and no page view is no bounce', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.event('anna', '08:00', 'Click'),
      site.event('bert', '08:00', 'Beep', { interactive: false }),
    ]);
    expect(
      await site.totals({ metrics: ['visits', 'bounce_rate', 'pageviews', 'views_per_visit'] }),
    ).toEqual([2, 50, 0, 0]);
  });

  test('rounding falls away from zero at the half, and only at the end', async () => {
    const site = lab.site(ZONE, DATE);
    // Eight visits, one bounce: 12.5 %. Durations 0.5 s, six of 1 s, and a bounce: 6.5 s / 8.
    site.receive([
      site.view('p0', '08:00', '/'),
      site.view('p1', '08:00', '/'),
      site.view('p1', '08:00:00.500', '/'),
      ...['p2', 'p3', 'p4', 'p5', 'p6', 'p7'].flatMap((person) => [
        site.view(person, '08:00', '/'),
        site.view(person, '08:00:01', '/'),
      ]),
    ]);
    expect(
      await site.totals({ metrics: ['bounce_rate', 'visit_duration', 'views_per_visit'] }),
    ).toEqual([13, 1, 1.88]);
  });

  test('half a second is a second', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/'),
      site.view('anna', '08:00:00.500', '/'),
      site.view('bert', '08:00', '/'),
      site.view('bert', '08:00:04.499', '/'),
    ]);
    // (500 + 4499) / 2 = 2499.5 ms, which is below two and a half seconds.
    expect(await site.totals({ metrics: ['visit_duration'] })).toEqual([2]);
    expect(
      await site.rows({
        metrics: ['visit_duration'],
        dimensions: ['visit:source'],
        filters: [['is', 'visit:source', ['Direct / None']]],
      }),
    ).toEqual([[['Direct / None'], [2]]]);
  });
});

describe('pages', () => {
  const table = (site: ReturnType<typeof lab.site>) => [
    site.view('anna', '08:00', '/a'),
    site.view('anna', '08:01', '/b'),
    site.view('anna', '08:02', '/a'),
    site.view('bert', '08:00', '/b'),
    site.view('cleo', '08:00', '/a'),
    site.event('cleo', '08:03', 'Click', { page: '/c' }),
  ];

  test('visitors and visits of a page had any event there', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive(table(site));
    const metrics = ['visitors', 'visits', 'pageviews', 'events'];
    const order_by = [['event:page', 'asc']] as const;
    expect(await site.rows({ metrics, dimensions: ['event:page'], order_by })).toEqual([
      [['/a'], [2, 2, 3, 3]],
      [['/b'], [2, 2, 2, 2]],
      [['/c'], [1, 1, 0, 1]],
    ]);
  });

  test('by page as a dimension, bounce rate and duration are of visits that entered there', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive(table(site));
    const metrics = ['visitors', 'bounce_rate', 'visit_duration'];
    const order_by = [['event:page', 'asc']] as const;
    expect(await site.rows({ metrics, dimensions: ['event:page'], order_by })).toEqual([
      // anna stayed 120 s, cleo 180 s.
      [['/a'], [2, 0, 150]],
      [['/b'], [2, 100, 0]],
      [['/c'], [1, 0, 0]],
    ]);
  });

  test('under a page filter, they are of visits that saw the page', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive(table(site));
    const metrics = ['visitors', 'visits', 'bounce_rate', 'visit_duration', 'pageviews'];
    // anna (120 s) and bert, who bounced.
    expect(await site.totals({ metrics, filters: [['is', 'event:page', ['/b']]] })).toEqual([
      2, 2, 50, 60, 2,
    ]);
  });

  test('exit rate is exits ÷ page views of the page', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive(table(site));
    expect(
      await site.rows({
        metrics: ['exit_rate', 'pageviews'],
        dimensions: ['event:page'],
        order_by: [['event:page', 'asc']],
      }),
    ).toEqual([
      // anna's and cleo's last page; three views.
      [['/a'], [66.7, 3]],
      [['/b'], [50, 2]],
      // Nobody viewed it, and null is no zero.
      [['/c'], [null, 0]],
    ]);
  });

  test('exit rate by exit page divides by all views of that page', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive(table(site));
    const query = { metrics: ['exit_rate', 'visits'], dimensions: ['visit:exit_page'] };
    expect(await site.rows(query)).toEqual([
      [['/a'], [66.7, 2]],
      [['/b'], [50, 1]],
    ]);
    const filters = [['is', 'visit:exit_page', ['/b']]] as const;
    expect(await site.rows({ ...query, filters })).toEqual([[['/b'], [50, 1]]]);
  });

  test('the exit page of a visit that is still seen after the range is its last page', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-06-10 23:58', '/a'),
      site.view('anna', '2026-06-11 00:01', '/b'),
    ]);
    expect(await site.rows({ metrics: ['visits'], dimensions: ['visit:exit_page'] })).toEqual([
      [['/b'], [1]],
    ]);
  });
});

describe('engagement', () => {
  test('time on page is engaged time ÷ visitors of the page', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/a'),
      site.ping('anna', '08:01', '/a', { engagedMs: 30_000 }),
      site.ping('anna', '08:02', '/a', { engagedMs: 15_000 }),
      site.view('anna', '08:03', '/b'),
      site.ping('anna', '08:04', '/b', { engagedMs: 7_400 }),
      site.view('bert', '08:00', '/a'),
      site.ping('bert', '08:01', '/a', { scroll: 10 }),
      site.view('cleo', '08:00', '/c'),
    ]);
    const metrics = ['visitors', 'time_on_page'];
    const order_by = [['event:page', 'asc']] as const;
    expect(await site.rows({ metrics, dimensions: ['event:page'], order_by })).toEqual([
      // 45 s over two people is 22.5.
      [['/a'], [2, 23]],
      [['/b'], [1, 7]],
      [['/c'], [1, 0]],
    ]);
    const filters = [['is', 'event:page', ['/a', '/b']]] as const;
    // 52.4 s over two people.
    expect(await site.totals({ metrics, filters })).toEqual([2, 26]);
  });

  test('scroll depth is the deepest of each visit and page, then the mean', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/a'),
      site.ping('anna', '08:01', '/a', { scroll: 30 }),
      site.ping('anna', '08:02', '/a', { scroll: 80 }),
      site.ping('anna', '08:03', '/a', { scroll: 60 }),
      site.view('anna', '08:04', '/b'),
      site.ping('anna', '08:05', '/b', { scroll: 0 }),
      site.view('bert', '08:00', '/a'),
      site.ping('bert', '08:01', '/a', { scroll: 41 }),
      site.view('bert', '12:00', '/a'),
      site.ping('bert', '12:01', '/a', { engagedMs: 1000 }),
      site.view('cleo', '08:00', '/c'),
    ]);
    const metrics = ['visits', 'scroll_depth'];
    const order_by = [['event:page', 'asc']] as const;
    expect(await site.rows({ metrics, dimensions: ['event:page'], order_by })).toEqual([
      // 80 and 41: 60.5. bert's second visit told nothing.
      [['/a'], [3, 61]],
      [['/b'], [1, 0]],
      [['/c'], [1, null]],
    ]);
    // Pairs: 80, 0, 41.
    expect(
      await site.totals({
        metrics: ['scroll_depth'],
        filters: [['contains', 'event:page', ['a', 'b']]],
      }),
    ).toEqual([40]);
  });

  test('engagement counts with its visit, also after midnight', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-06-10 23:50', '/a'),
      site.ping('anna', '2026-06-11 00:05', '/a', { engagedMs: 60_000, scroll: 70 }),
    ]);
    site.setNow('2026-06-11 12:00');
    const metrics = ['time_on_page', 'scroll_depth'];
    const filters = [['is', 'event:page', ['/a']]] as const;
    expect(await site.totals({ metrics, filters })).toEqual([60, 70]);
    expect(
      await site.totals({ metrics, filters, date_range: ['2026-06-11', '2026-06-11'] }),
    ).toEqual([null, null]);
  });
});

describe('shares', () => {
  test('percentage is of the visitors of all rows', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/a', { browser: 'Firefox' }),
      site.view('bert', '08:00', '/a', { browser: 'Chrome' }),
      site.view('cleo', '08:00', '/b', { browser: 'Chrome' }),
    ]);
    const query = { metrics: ['visitors', 'percentage'], dimensions: ['visit:browser'] };
    expect(await site.rows(query)).toEqual([
      [['Chrome'], [2, 66.7]],
      [['Firefox'], [1, 33.3]],
    ]);
    expect(await site.rows({ ...query, filters: [['is', 'event:page', ['/a']]] })).toEqual([
      [['Chrome'], [1, 50]],
      [['Firefox'], [1, 50]],
    ]);
  });
});

describe('current visitors', () => {
  test('had an event in the last five minutes, each counted once', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '11:50', '/'),
      site.ping('anna', '11:59', '/', { engagedMs: 3000 }),
      site.view('bert', '11:54:59.999', '/'),
      site.view('cleo', '11:55', '/'),
      site.view('dora', '11:56', '/'),
      site.event('dora', '11:58', 'Click'),
      site.view('emil', '12:00', '/'),
    ]);
    site.setNow('12:00');
    expect(await site.currentVisitors()).toBe(3);
    site.setNow('12:05:00.001');
    expect(await site.currentVisitors()).toBe(0);
  });
});
