import { describe, expect, test } from 'vitest';
import { openLab, type LabSite } from './lab.ts';

const lab = openLab();
const ZONE = 'Europe/Berlin';
const DATE = '2026-06-10';

/** Page views: three of /b, two of /a, one each of /C, /ä and /😀. */
function pages(): LabSite {
  const site = lab.site(ZONE, DATE);
  const views = ['/b', '/b', '/b', '/a', '/a', '/C', '/ä', '/😀'];
  site.receive(views.map((page, index) => site.view(`p${index}`, '08:00', page)));
  return site;
}

const BY_PAGE = { metrics: ['visitors'], dimensions: ['event:page'] };

describe('order', () => {
  test('strings sort by code point', async () => {
    expect(await pages().rows({ ...BY_PAGE, order_by: [['event:page', 'asc']] })).toEqual([
      [['/C'], [1]],
      [['/a'], [2]],
      [['/b'], [3]],
      [['/ä'], [1]],
      [['/😀'], [1]],
    ]);
    expect(await pages().rows({ ...BY_PAGE, order_by: [['event:page', 'desc']] })).toEqual([
      [['/😀'], [1]],
      [['/ä'], [1]],
      [['/b'], [3]],
      [['/a'], [2]],
      [['/C'], [1]],
    ]);
  });

  test('the first metric sorts when nothing is said, the largest first', async () => {
    expect(await pages().rows(BY_PAGE)).toEqual([
      [['/b'], [3]],
      [['/a'], [2]],
      [['/C'], [1]],
      [['/ä'], [1]],
      [['/😀'], [1]],
    ]);
  });

  test('several keys sort in their order', async () => {
    expect(
      await pages().rows({
        ...BY_PAGE,
        order_by: [
          ['visitors', 'asc'],
          ['event:page', 'desc'],
        ],
      }),
    ).toEqual([
      [['/😀'], [1]],
      [['/ä'], [1]],
      [['/C'], [1]],
      [['/a'], [2]],
      [['/b'], [3]],
    ]);
  });

  test('time comes first when nothing is said, then the first metric', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '09:00', '/x'),
      site.view('bert', '08:00', '/x'),
      site.view('cleo', '08:00', '/y'),
      site.view('dora', '08:00', '/y'),
    ]);
    expect(
      await site.rows({ metrics: ['visitors'], dimensions: ['event:page', 'time:hour'] }),
    ).toEqual([
      [['/y', '2026-06-10 08:00:00'], [2]],
      [['/x', '2026-06-10 08:00:00'], [1]],
      [['/x', '2026-06-10 09:00:00'], [1]],
    ]);
  });

  test('nulls are last, whichever way the rest goes', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/a'),
      site.view('bert', '08:00', '/b'),
      site.ping('bert', '08:01', '/b', { scroll: 10 }),
      site.view('cleo', '08:00', '/c'),
      site.ping('cleo', '08:01', '/c', { scroll: 90 }),
    ]);
    const query = { metrics: ['visitors', 'scroll_depth'], dimensions: ['event:page'] };
    expect(await site.rows({ ...query, order_by: [['scroll_depth', 'desc']] })).toEqual([
      [['/c'], [1, 90]],
      [['/b'], [1, 10]],
      [['/a'], [1, null]],
    ]);
    expect(await site.rows({ ...query, order_by: [['scroll_depth', 'asc']] })).toEqual([
      [['/b'], [1, 10]],
      [['/c'], [1, 90]],
      [['/a'], [1, null]],
    ]);
  });
});

describe('pages of an answer', () => {
  test('limit and offset cut the rows, and total_rows counts them all', async () => {
    const site = pages();
    const query = { ...BY_PAGE, order_by: [['event:page', 'asc']] as const };
    const include = { total_rows: true };
    expect(await site.answer({ ...query, include, pagination: { limit: 2 } })).toEqual({
      results: [
        { dimensions: ['/C'], metrics: [1] },
        { dimensions: ['/a'], metrics: [2] },
      ],
      total_rows: 5,
    });
    expect(await site.answer({ ...query, include, pagination: { limit: 2, offset: 4 } })).toEqual({
      results: [{ dimensions: ['/😀'], metrics: [1] }],
      total_rows: 5,
    });
    expect(await site.answer({ ...query, include, pagination: { limit: 2, offset: 5 } })).toEqual({
      results: [],
      total_rows: 5,
    });
  });

  test('pages of one row each make up the whole answer', async () => {
    const site = pages();
    const found: string[] = [];
    for (let offset = 0; offset < 5; offset += 1) {
      const answer = await site.pipeline.answer(
        {
          ...BY_PAGE,
          site_id: site.pipeline.site.domain,
          date_range: [DATE, DATE],
          pagination: { limit: 1, offset },
        },
        site.at('23:00'),
      );
      found.push(...answer.results.flatMap((row) => row.dimensions));
    }
    expect(found.toSorted()).toEqual(['/C', '/a', '/b', '/ä', '/😀']);
  });

  test('rows of zeros are neither listed nor counted', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/a'),
      site.event('anna', '08:01', 'Click', { page: '/b' }),
    ]);
    expect(
      await site.answer({
        metrics: ['pageviews'],
        dimensions: ['event:page'],
        include: { total_rows: true },
      }),
    ).toEqual({ results: [{ dimensions: ['/a'], metrics: [1] }], total_rows: 1 });
  });

  test('an empty site has no rows', async () => {
    const site = lab.site(ZONE, DATE);
    expect(await site.answer({ ...BY_PAGE, include: { total_rows: true } })).toEqual({
      results: [],
      total_rows: 0,
    });
  });
});
