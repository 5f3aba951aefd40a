import { describe, expect, test } from 'vitest';
import { openLab, type LabSite } from './lab.ts';

const lab = openLab();

function hoursOf(date: string, hours: readonly number[]): string[] {
  return hours.map((hour) => `${date} ${String(hour).padStart(2, '0')}:00:00`);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

describe('days and hours of a zone', () => {
  test('a day begins at local midnight', async () => {
    const site = lab.site('America/New_York', '2026-06-10');
    site.receive([
      site.view('anna', '2026-06-10T03:59:59.999Z', '/yesterday'),
      site.view('bert', '2026-06-10T04:00:00.000Z', '/first'),
      site.view('cleo', '2026-06-11T03:59:59.999Z', '/last'),
      site.view('dora', '2026-06-11T04:00:00.000Z', '/tomorrow'),
    ]);
    expect(await site.rows({ metrics: ['visitors'], dimensions: ['event:page'] })).toEqual([
      [['/first'], [1]],
      [['/last'], [1]],
    ]);
    expect(await site.rows({ metrics: ['visitors'], dimensions: ['time:hour'] })).toEqual([
      [['2026-06-10 00:00:00'], [1]],
      [['2026-06-10 23:00:00'], [1]],
    ]);
  });

  test('hours of a half-hour zone begin at its own full hours', async () => {
    const site = lab.site('Asia/Kolkata', '2026-06-10');
    site.receive([
      site.view('anna', '2026-06-09T18:30:00Z', '/'),
      site.view('bert', '2026-06-10T04:29:59.999Z', '/'),
      site.view('cleo', '2026-06-10T04:30:00Z', '/'),
      site.view('dora', '2026-06-10T18:29:59.999Z', '/'),
      site.view('emil', '2026-06-10T18:30:00Z', '/'),
    ]);
    expect(
      await site.answer({
        metrics: ['visitors'],
        dimensions: ['time:hour'],
        include: { time_labels: true },
      }),
    ).toEqual({
      results: [
        { dimensions: ['2026-06-10 00:00:00'], metrics: [1] },
        { dimensions: ['2026-06-10 09:00:00'], metrics: [1] },
        { dimensions: ['2026-06-10 10:00:00'], metrics: [1] },
        { dimensions: ['2026-06-10 23:00:00'], metrics: [1] },
      ],
      time_labels: hoursOf('2026-06-10', upTo(24)),
    });
  });

  test('the hour that spring skips is absent, and the day has 23', async () => {
    const site = lab.site('Europe/Berlin', '2026-03-29');
    site.receive([
      site.view('anna', '01:59:59.999', '/'),
      site.view('bert', '03:00', '/'),
      site.view('cleo', '23:59:59.999', '/'),
      site.view('dora', '2026-03-30 00:00', '/'),
    ]);
    expect(
      await site.answer({
        metrics: ['visitors'],
        dimensions: ['time:hour'],
        include: { time_labels: true },
      }),
    ).toEqual({
      results: [
        { dimensions: ['2026-03-29 01:00:00'], metrics: [1] },
        { dimensions: ['2026-03-29 03:00:00'], metrics: [1] },
        { dimensions: ['2026-03-29 23:00:00'], metrics: [1] },
      ],
      time_labels: hoursOf(
        '2026-03-29',
        upTo(24).filter((hour) => hour !== 2),
      ),
    });
  });

  test('the hour that occurs twice in autumn is one row', async () => {
    const site = lab.site('Europe/Berlin', '2026-10-25');
    site.receive([
      site.view('anna', '2026-10-25T00:45:00Z', '/'),
      site.view('anna', '2026-10-25T01:10:00Z', '/a'),
      site.view('bert', '2026-10-25T01:30:00Z', '/'),
      site.view('cleo', '2026-10-25T02:00:00Z', '/'),
    ]);
    const metrics = ['visitors', 'pageviews', 'visit_duration'];
    expect(
      await site.answer({ metrics, dimensions: ['time:hour'], include: { time_labels: true } }),
    ).toEqual({
      results: [
        { dimensions: ['2026-10-25 02:00:00'], metrics: [2, 3, 750] },
        { dimensions: ['2026-10-25 03:00:00'], metrics: [1, 1, 0] },
      ],
      time_labels: hoursOf('2026-10-25', upTo(24)),
    });
    expect(await site.rows({ metrics: ['visitors'], dimensions: ['time:day'] })).toEqual([
      [['2026-10-25'], [3]],
    ]);
  });

  test('a day whose midnight is skipped begins at one', async () => {
    const site = lab.site('America/Havana', '2026-03-08');
    site.receive([
      site.view('anna', '2026-03-07 23:59:59.999', '/'),
      site.view('bert', '2026-03-08 01:00', '/'),
    ]);
    expect(
      await site.answer({
        metrics: ['visitors'],
        dimensions: ['time:hour'],
        include: { time_labels: true },
      }),
    ).toEqual({
      results: [{ dimensions: ['2026-03-08 01:00:00'], metrics: [1] }],
      time_labels: hoursOf('2026-03-08', upTo(24).slice(1)),
    });
  });

  test('a change by half an hour makes an hour and a half of one', async () => {
    const site = lab.site('Australia/Lord_Howe', '2026-04-05');
    site.receive([
      // 01:05, 01:35, 01:35 again, 02:05.
      site.view('anna', '2026-04-04T14:05:00Z', '/'),
      site.view('bert', '2026-04-04T14:35:00Z', '/'),
      site.view('cleo', '2026-04-04T15:05:00Z', '/'),
      site.view('dora', '2026-04-04T15:35:00Z', '/'),
    ]);
    expect(await site.rows({ metrics: ['visitors'], dimensions: ['time:hour'] })).toEqual([
      [['2026-04-05 01:00:00'], [3]],
      [['2026-04-05 02:00:00'], [1]],
    ]);
  });
});

describe('weeks and months', () => {
  test('weeks begin on Monday, a cut week with the first day of the range', async () => {
    const site = lab.site('Europe/Berlin', '2026-03-18');
    site.receive(
      ['2026-03-04', '2026-03-08', '2026-03-09', '2026-03-18'].map((date) =>
        site.view('anna', `${date} 12:00`, '/'),
      ),
    );
    const date_range = ['2026-03-04', '2026-03-18'] as const;
    expect(
      await site.answer({
        metrics: ['visitors', 'pageviews'],
        dimensions: ['time:week'],
        date_range,
        include: { time_labels: true },
      }),
    ).toEqual({
      results: [
        { dimensions: ['2026-03-04'], metrics: [2, 2] },
        { dimensions: ['2026-03-09'], metrics: [1, 1] },
        { dimensions: ['2026-03-16'], metrics: [1, 1] },
      ],
      time_labels: ['2026-03-04', '2026-03-09', '2026-03-16'],
    });
  });

  test('a cut month carries the first day of the range', async () => {
    const site = lab.site('Europe/Berlin', '2026-03-02');
    site.receive(
      ['2026-01-14', '2026-01-15', '2026-01-31', '2026-03-01', '2026-03-02'].map((date) =>
        site.view('anna', `${date} 12:00`, '/'),
      ),
    );
    expect(
      await site.answer({
        metrics: ['visitors'],
        dimensions: ['time:month'],
        date_range: ['2026-01-15', '2026-03-02'],
        include: { time_labels: true },
      }),
    ).toEqual({
      results: [
        { dimensions: ['2026-01-15'], metrics: [2] },
        { dimensions: ['2026-03-01'], metrics: [2] },
      ],
      time_labels: ['2026-01-15', '2026-02-01', '2026-03-01'],
    });
  });

  test('days of a range are all labelled, with or without events', async () => {
    const site = lab.site('Europe/Berlin', '2026-03-30');
    site.receive([site.view('anna', '2026-03-29 12:00', '/')]);
    expect(
      await site.answer({
        metrics: ['visitors'],
        dimensions: ['time:day'],
        date_range: ['2026-03-28', '2026-03-30'],
        include: { time_labels: true },
      }),
    ).toEqual({
      results: [{ dimensions: ['2026-03-29'], metrics: [1] }],
      time_labels: ['2026-03-28', '2026-03-29', '2026-03-30'],
    });
  });
});

describe('named ranges', () => {
  /** A site with a page view just before, first in, last in and just after a range. */
  function edges(first: string, last: string, zone = 'Europe/Berlin'): LabSite {
    const site = lab.site(zone, '2026-03-10');
    const at = (time: string, afterMs: number): string =>
      new Date(site.at(time) + afterMs).toISOString();
    site.receive([
      site.view('anna', at(first, -1), '/before'),
      site.view('bert', at(first, 0), '/first'),
      site.view('cleo', at(last, 999), '/last'),
      site.view('dora', at(last, 1000), '/after'),
    ]);
    site.setNow('2026-03-10 12:00');
    return site;
  }

  test.each([
    ['7d', '2026-03-03', '2026-03-09'],
    ['28d', '2026-02-10', '2026-03-09'],
    ['30d', '2026-02-08', '2026-03-09'],
    ['91d', '2025-12-09', '2026-03-09'],
    ['6mo', '2025-09-01', '2026-02-28'],
    ['12mo', '2025-03-01', '2026-02-28'],
  ])('%s is %s to %s when it is 10 March', async (date_range, first, last) => {
    const site = edges(`${first} 00:00`, `${last} 23:59:59`);
    expect(
      await site.rows({
        metrics: ['visitors', 'pageviews'],
        dimensions: ['event:page'],
        date_range,
      }),
    ).toEqual([
      [['/first'], [1, 1]],
      [['/last'], [1, 1]],
    ]);
  });

  test.each([
    ['day', '2026-03-10'],
    ['month', '2026-03-01'],
    ['year', '2026-01-01'],
  ])('%s begins on %s and includes now', async (date_range, first) => {
    const site = lab.site('Europe/Berlin', '2026-03-10');
    const startMs = site.at(`${first} 00:00`);
    site.receive([
      site.view('anna', new Date(startMs - 1).toISOString(), '/before'),
      site.view('bert', new Date(startMs).toISOString(), '/first'),
      site.view('cleo', '2026-03-10 12:00', '/now'),
    ]);
    site.setNow('2026-03-10 12:00');
    expect(
      await site.rows({ metrics: ['visitors'], dimensions: ['event:page'], date_range }),
    ).toEqual([
      [['/first'], [1]],
      [['/now'], [1]],
    ]);
  });

  test('24h ends now, to the second', async () => {
    const site = lab.site('Europe/Berlin', '2026-03-10');
    site.receive([
      site.view('anna', '2026-03-09 11:59:58', '/before'),
      site.view('bert', '2026-03-09 12:00:02', '/first'),
      site.view('cleo', '2026-03-10 12:00:00', '/now'),
    ]);
    site.setNow('2026-03-10 12:00');
    expect(
      await site.rows({ metrics: ['visitors'], dimensions: ['event:page'], date_range: '24h' }),
    ).toEqual([
      [['/first'], [1]],
      [['/now'], [1]],
    ]);
  });

  test('all begins with the first event', async () => {
    const site = lab.site('Europe/Berlin', '2026-03-10');
    site.receive([
      site.view('anna', '2024-11-05 12:00', '/'),
      site.view('anna', '2026-03-10 11:00', '/'),
    ]);
    site.setNow('2026-03-10 12:00');
    expect(await site.totals({ metrics: ['visitors', 'pageviews'], date_range: 'all' })).toEqual([
      2, 2,
    ]);
    expect(
      await site.rows({ metrics: ['visitors'], dimensions: ['time:month'], date_range: 'all' }),
    ).toEqual([
      [['2024-11-05'], [1]],
      [['2026-03-01'], [1]],
    ]);
  });

  test('of two datetimes the last second belongs to the range', async () => {
    const site = edges('2026-03-10 10:15:30', '2026-03-10 11:45:29');
    expect(
      await site.answer({
        metrics: ['visitors'],
        dimensions: ['time:hour'],
        date_range: ['2026-03-10T10:15:30+01:00', '2026-03-10T10:45:29Z'],
        include: { time_labels: true },
      }),
    ).toEqual({
      results: [
        { dimensions: ['2026-03-10 10:00:00'], metrics: [1] },
        { dimensions: ['2026-03-10 11:00:00'], metrics: [1] },
      ],
      time_labels: ['2026-03-10 10:00:00', '2026-03-10 11:00:00'],
    });
  });

  test.each([
    ['day', '2026-03-10 08:00:00'],
    ['7d', '2026-03-09'],
    ['91d', '2026-03-09'],
    ['12mo', '2026-01-26'],
  ])('the dimension time suits the range %s', async (date_range, label) => {
    const site = lab.site('Europe/Berlin', '2026-03-10');
    const date = date_range === 'day' ? '2026-03-10' : label;
    site.receive([site.view('anna', `${date} 08:30`, '/')]);
    site.setNow('2026-03-10 12:00');
    expect(await site.rows({ metrics: ['visitors'], dimensions: ['time'], date_range })).toEqual([
      [[label], [1]],
    ]);
  });

  test('labels end with the present when the range is trimmed', async () => {
    const site = lab.site('Europe/Berlin', '2026-03-10');
    site.receive([site.view('anna', '2026-03-10 09:00', '/')]);
    site.setNow('2026-03-10 10:30');
    const include = { time_labels: true, trim_relative_date_range: true };
    expect(
      await site.answer({
        metrics: ['visitors'],
        dimensions: ['time:hour'],
        date_range: 'day',
        include,
      }),
    ).toEqual({
      results: [{ dimensions: ['2026-03-10 09:00:00'], metrics: [1] }],
      time_labels: hoursOf('2026-03-10', upTo(11)),
    });
    expect(
      await site.answer({
        metrics: ['visitors'],
        dimensions: ['time:day'],
        date_range: 'month',
        include,
      }),
    ).toEqual({
      results: [{ dimensions: ['2026-03-10'], metrics: [1] }],
      time_labels: upTo(10).map((index) => `2026-03-${String(index + 1).padStart(2, '0')}`),
    });
  });
});
