import { describe, expect, test } from 'vitest';
import { openLab } from './lab.ts';

const lab = openLab();
const ZONE = 'Europe/Berlin';
const DATE = '2026-03-10';

describe('the end of a visit', () => {
  test('a gap of exactly thirty minutes continues a visit', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([site.view('anna', '10:00', '/'), site.view('anna', '10:30', '/a')]);
    expect(await site.totals({ metrics: ['visitors', 'visits', 'visit_duration'] })).toEqual([
      1, 1, 1800,
    ]);
  });

  test('a millisecond more begins another visit of the same visitor', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([site.view('anna', '10:00', '/'), site.view('anna', '10:30:00.001', '/a')]);
    expect(await site.totals({ metrics: ['visitors', 'visits', 'visit_duration'] })).toEqual([
      1, 2, 0,
    ]);
  });

  test('pings keep a visit alive and lengthen it', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '10:00', '/'),
      site.ping('anna', '10:25', '/', { engagedMs: 1000 }),
      site.ping('anna', '10:50', '/', { engagedMs: 1000 }),
      site.view('anna', '11:15', '/a'),
    ]);
    expect(
      await site.totals({ metrics: ['visits', 'pageviews', 'events', 'visit_duration'] }),
    ).toEqual([1, 2, 2, 75 * 60]);
  });

  test('two people at the same time have a visit each', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([site.view('anna', '10:00', '/'), site.view('bert', '10:00', '/')]);
    expect(await site.totals({ metrics: ['visitors', 'visits', 'pageviews'] })).toEqual([2, 2, 2]);
  });
});

describe('pings without a visit', () => {
  test('a ping without a visit is dropped', async () => {
    const site = lab.site(ZONE, DATE);
    const outcomes = site.pipeline.write([
      site.ping('anna', '10:00', '/', { engagedMs: 5000, scroll: 50 }),
    ]);
    expect(outcomes).toEqual(['no_visit']);
    expect(await site.totals({ metrics: ['visitors', 'visits', 'events'] })).toEqual([0, 0, 0]);
  });

  test('a ping after the end of a visit neither prolongs nor begins one', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '10:00', '/'),
      site.ping('anna', '10:30:00.001', '/', { engagedMs: 5000 }),
      site.view('anna', '10:45', '/'),
    ]);
    expect(await site.totals({ metrics: ['visits', 'visit_duration'] })).toEqual([2, 0]);
    const filters = [['is', 'event:page', ['/']]] as const;
    expect(await site.totals({ metrics: ['visitors', 'time_on_page'], filters })).toEqual([1, 0]);
  });

  test('a ping from before a visit began does not belong to it', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '10:10', '/'),
      site.view('anna', '10:11', '/b'),
      site.ping('anna', '10:00', '/', { engagedMs: 60_000 }),
    ]);
    expect(await site.totals({ metrics: ['visits', 'visit_duration'] })).toEqual([1, 60]);
  });
});

describe('events that arrive late', () => {
  test('a late event joins the visit it falls into', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '10:00', '/'),
      site.view('anna', '10:20', '/c'),
      site.view('anna', '10:10', '/b'),
    ]);
    const metrics = ['visits', 'pageviews', 'views_per_visit', 'visit_duration'];
    expect(await site.totals({ metrics })).toEqual([1, 3, 3, 1200]);
    expect(await site.rows({ metrics: ['visits'], dimensions: ['visit:exit_page'] })).toEqual([
      [['/c'], [1]],
    ]);
  });

  test('a late event that comes before a visit becomes its first event', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '10:20', '/b', { source: 'Google', country: 'FR' }),
      site.view('anna', '10:00', '/a', { source: 'Bing', country: 'DE' }),
    ]);
    const dimensions = ['visit:entry_page', 'visit:exit_page', 'visit:source', 'visit:country'];
    expect(
      await site.rows({ metrics: ['visits', 'visit_duration', 'bounce_rate'], dimensions }),
    ).toEqual([
      [
        ['/a', '/b', 'Bing', 'DE'],
        [1, 1200, 0],
      ],
    ]);
  });

  test('two visits that a late event would bridge stay two, and it continues the earlier', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '10:00', '/a', { source: 'Google' }),
      site.view('anna', '10:50', '/c', { source: 'Bing' }),
      site.view('anna', '10:25', '/b', { source: 'Bing' }),
    ]);
    const metrics = ['visits', 'pageviews', 'visit_duration'];
    expect(await site.rows({ metrics, dimensions: ['visit:source'] })).toEqual([
      [['Bing'], [1, 1, 0]],
      [['Google'], [1, 2, 1500]],
    ]);
  });

  test('a late event far from any visit begins one', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([site.view('anna', '12:00', '/a'), site.view('anna', '11:29:59.999', '/b')]);
    expect(await site.totals({ metrics: ['visits', 'visitors', 'bounce_rate'] })).toEqual([
      2, 1, 100,
    ]);
  });

  test('of two page views at the same instant the one that arrived first comes first', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([site.view('anna', '10:00', '/z'), site.view('anna', '10:00', '/a')]);
    expect(
      await site.rows({ metrics: ['visits'], dimensions: ['visit:entry_page', 'visit:exit_page'] }),
    ).toEqual([[['/z', '/a'], [1]]]);
  });

  test('items of one batch form visits by their own times', async () => {
    const site = lab.site(ZONE, DATE);
    const batch = [
      site.ping('anna', '10:40', '/', { engagedMs: 4000 }),
      site.view('anna', '10:25', '/b'),
      site.view('anna', '10:00', '/a'),
    ];
    expect(site.pipeline.write(batch)).toEqual([null, null, null]);
    const answer = await site.pipeline.answer(
      {
        site_id: site.pipeline.site.domain,
        date_range: [DATE, DATE],
        metrics: ['visits', 'visit_duration'],
        dimensions: ['visit:entry_page'],
      },
      site.at('23:00'),
    );
    expect(answer.results).toEqual([{ dimensions: ['/a'], metrics: [1, 2400] }]);
  });
});

describe('midnight', () => {
  const TWO_DAYS = ['2026-03-10', '2026-03-11'] as const;

  test('a visit under way at midnight keeps its visitor and its day', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-03-10 23:50', '/a'),
      site.view('anna', '2026-03-11 00:10', '/b'),
      site.view('anna', '2026-03-11 00:20', '/c'),
    ]);
    site.setNow('2026-03-11 12:00');
    const query = { metrics: ['visitors', 'visits', 'pageviews', 'visit_duration'] };
    expect(await site.totals({ ...query, date_range: TWO_DAYS })).toEqual([1, 1, 3, 1800]);
    expect(await site.rows({ ...query, date_range: TWO_DAYS, dimensions: ['time:day'] })).toEqual([
      [['2026-03-10'], [1, 1, 1, 1800]],
      [['2026-03-11'], [0, 0, 2, 0]],
    ]);
  });

  test('the next visit after midnight is of a new visitor, and days add up', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-03-10 23:50', '/a'),
      site.view('anna', '2026-03-11 00:10', '/b'),
      site.view('anna', '2026-03-11 09:00', '/a'),
      site.view('anna', '2026-03-11 10:00', '/a'),
    ]);
    site.setNow('2026-03-11 12:00');
    const query = { metrics: ['visitors', 'visits'] };
    expect(await site.totals({ ...query, date_range: TWO_DAYS })).toEqual([2, 3]);
    expect(await site.rows({ ...query, date_range: TWO_DAYS, dimensions: ['time:day'] })).toEqual([
      [['2026-03-10'], [1, 1]],
      [['2026-03-11'], [1, 2]],
    ]);
  });

  test('a visit keeps its visitor over two midnights', async () => {
    const site = lab.site(ZONE, DATE);
    const hours = Array.from({ length: 51 }, (_, index) => index);
    site.receive(
      hours.map((index) => {
        const time = new Date(site.at('2026-03-10 23:30') + index * 1_800_000).toISOString();
        return site.view('anna', time, '/a');
      }),
    );
    site.setNow('2026-03-12 12:00');
    const metrics = ['visitors', 'visits', 'pageviews', 'visit_duration'];
    const date_range = ['2026-03-10', '2026-03-12'] as const;
    expect(await site.totals({ metrics, date_range })).toEqual([1, 1, 51, 50 * 1800]);
    expect(
      await site.rows({ metrics: ['visitors', 'events'], date_range, dimensions: ['time:day'] }),
    ).toEqual([
      [['2026-03-10'], [1, 1]],
      [['2026-03-11'], [0, 48]],
      [['2026-03-12'], [0, 2]],
    ]);
  });

  test('pings carry a visit over midnight', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-03-10 23:40', '/a'),
      site.ping('anna', '2026-03-11 00:05', '/a', { engagedMs: 9000 }),
      site.view('anna', '2026-03-11 00:35', '/b'),
    ]);
    site.setNow('2026-03-11 12:00');
    const query = { metrics: ['visitors', 'visits', 'visit_duration'], date_range: TWO_DAYS };
    expect(await site.totals(query)).toEqual([1, 1, 55 * 60]);
  });
});
