import { describe, expect, test } from 'vitest';
import type { Filter, MetricValue } from '../model/query.ts';
import { openLab, type LabSite } from './lab.ts';

const lab = openLab();
const ZONE = 'Europe/Berlin';
const DATE = '2026-06-10';

function shop(): LabSite {
  const site = lab.site(ZONE, DATE, [
    { kind: 'event', displayName: 'Purchase', eventName: 'Purchase' },
    { kind: 'page', displayName: 'Read the blog', pagePattern: '/blog/**' },
  ]);
  site.receive([
    // anna looks at the blog and buys.
    site.view('anna', '08:00', '/blog/one', { source: 'Google', utm_term: 'Shoes', country: 'DE' }),
    site.view('anna', '08:01', '/shop', { props: { plan: 'gold' } }),
    site.event('anna', '08:02', 'Purchase', { page: '/shop', props: { plan: 'silver' } }),
    // bert looks at the shop alone.
    site.view('bert', '09:00', '/shop', { source: 'Bing', utm_term: 'shoelace', country: 'FR' }),
    // cleo comes directly and reads.
    site.view('cleo', '10:00', '/blog/two'),
    site.view('cleo', '10:10', '/Blog/Three'),
  ]);
  return site;
}

/** Visitors, page views and events that a filter leaves. */
function left(filters: readonly Filter[]): Promise<readonly MetricValue[]> {
  return shop().totals({ metrics: ['visitors', 'pageviews', 'events'], filters });
}

describe('operators on attributes of visits', () => {
  test.each<[Filter, number[]]>([
    [
      ['is', 'visit:source', ['Google']],
      [1, 2, 3],
    ],
    [
      ['is', 'visit:source', ['google']],
      [0, 0, 0],
    ],
    [
      ['is', 'visit:source', ['google'], { case_sensitive: false }],
      [1, 2, 3],
    ],
    [
      ['is', 'visit:source', ['Bing', 'Google', 'Yahoo']],
      [2, 3, 4],
    ],
    [
      ['is_not', 'visit:source', ['Google']],
      [2, 3, 3],
    ],
    [
      ['is_not', 'visit:source', ['Direct / None']],
      [2, 3, 4],
    ],
    [
      ['is', 'visit:source', ['Direct / None', 'Bing']],
      [2, 3, 3],
    ],
    [
      ['contains', 'visit:utm_term', ['hoe']],
      [2, 3, 4],
    ],
    [
      ['contains', 'visit:utm_term', ['Shoe']],
      [1, 2, 3],
    ],
    [
      ['contains', 'visit:utm_term', ['SHOE'], { case_sensitive: false }],
      [2, 3, 4],
    ],
    [
      ['contains_not', 'visit:utm_term', ['Shoe']],
      [2, 3, 3],
    ],
    [
      ['contains_not', 'visit:utm_term', ['Shoe', 'lace']],
      [1, 2, 2],
    ],
    [
      ['matches', 'visit:utm_term', ['^[Ss]hoes$']],
      [1, 2, 3],
    ],
    [
      ['matches', 'visit:utm_term', ['oe']],
      [2, 3, 4],
    ],
    [
      ['matches_not', 'visit:utm_term', ['lace$']],
      [2, 4, 5],
    ],
    [
      ['is', 'visit:country', ['DE', 'FR']],
      [2, 3, 4],
    ],
    [
      ['is', 'visit:country_name', ['France']],
      [1, 1, 1],
    ],
    [
      ['is', 'visit:entry_page', ['/shop']],
      [1, 1, 1],
    ],
    [
      ['is_not', 'visit:exit_page', ['/shop']],
      [1, 2, 2],
    ],
  ])('%j', async (filter, expected) => {
    expect(await left([filter])).toEqual(expected);
  });
});

describe('operators on attributes of events', () => {
  test.each<[Filter, number[]]>([
    [
      ['is', 'event:page', ['/shop']],
      [2, 2, 3],
    ],
    [
      ['is_not', 'event:page', ['/shop']],
      [2, 3, 3],
    ],
    [
      ['contains', 'event:page', ['blog']],
      [2, 2, 2],
    ],
    [
      ['contains', 'event:page', ['blog'], { case_sensitive: false }],
      [2, 3, 3],
    ],
    [
      ['contains_not', 'event:page', ['blog', 'Blog']],
      [2, 2, 3],
    ],
    [
      ['matches', 'event:page', ['^/blog/[^/]+$']],
      [2, 2, 2],
    ],
    [
      ['matches_not', 'event:page', ['^/(blog|shop)']],
      [1, 1, 1],
    ],
    [
      ['is', 'event:name', ['Purchase']],
      [1, 0, 1],
    ],
    [
      ['is', 'event:hostname', ['example.org']],
      [3, 5, 6],
    ],
    [
      ['is', 'event:props:plan', ['gold']],
      [1, 1, 1],
    ],
    [
      ['is', 'event:props:plan', ['(none)']],
      [3, 4, 4],
    ],
    [
      ['is_not', 'event:props:plan', ['gold']],
      [3, 4, 5],
    ],
    [
      ['is_not', 'event:props:plan', ['(none)']],
      [1, 1, 2],
    ],
    [
      ['contains', 'event:props:plan', ['l']],
      [1, 1, 2],
    ],
    [
      ['contains_not', 'event:props:plan', ['old']],
      [3, 4, 5],
    ],
    [
      ['matches', 'event:props:plan', ['^(gold|silver)$']],
      [1, 1, 2],
    ],
    [
      ['matches_not', 'event:props:plan', ['^(gold|silver)$']],
      [3, 4, 4],
    ],
    [
      ['is', 'event:goal', ['Purchase']],
      [1, 0, 1],
    ],
    [
      ['contains', 'event:goal', ['blog']],
      [2, 2, 2],
    ],
    [
      ['is', 'event:goal', ['Purchase', 'Read the blog']],
      [2, 2, 3],
    ],
  ])('%j', async (filter, expected) => {
    expect(await left([filter])).toEqual(expected);
  });
});

describe('filters together', () => {
  test('one event must satisfy all filters on events', async () => {
    const gold: Filter = ['is', 'event:props:plan', ['gold']];
    expect(await left([gold, ['is', 'event:page', ['/shop']]])).toEqual([1, 1, 1]);
    expect(await left([gold, ['is', 'event:name', ['Purchase']]])).toEqual([0, 0, 0]);
  });

  test('and, or and not combine filters of either kind', async () => {
    const google: Filter = ['is', 'visit:source', ['Google']];
    const shopPage: Filter = ['is', 'event:page', ['/shop']];
    expect(await left([['and', [google, shopPage]]])).toEqual([1, 1, 2]);
    expect(await left([['or', [google, shopPage]]])).toEqual([2, 3, 4]);
    expect(await left([['not', google]])).toEqual([2, 3, 3]);
    expect(await left([['not', ['or', [google, shopPage]]]])).toEqual([1, 2, 2]);
    expect(await left([['not', ['and', [google, shopPage]]]])).toEqual([3, 4, 4]);
    expect(
      await left([
        [
          'or',
          [
            ['and', [google, ['not', shopPage]]],
            ['is', 'visit:source', ['Bing']],
          ],
        ],
      ]),
    ).toEqual([2, 2, 2]);
  });

  test('has_done asks whether another event happened in the visit', async () => {
    const bought: Filter = ['is', 'event:name', ['Purchase']];
    expect(await left([['has_done', bought]])).toEqual([1, 2, 3]);
    expect(await left([['has_not_done', bought]])).toEqual([2, 3, 3]);
    expect(
      await left([
        ['is', 'event:page', ['/blog/one']],
        ['has_done', bought],
      ]),
    ).toEqual([1, 1, 1]);
    expect(
      await left([
        ['is', 'event:page', ['/shop']],
        ['has_not_done', ['is', 'event:goal', ['Read the blog']]],
      ]),
    ).toEqual([1, 1, 1]);
    expect(await left([['not', ['has_done', ['is', 'event:page', ['/shop']]]]])).toEqual([1, 2, 2]);
  });

  test('an event that satisfies a filter may lie outside the range, in a visit that began in it', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '2026-06-10 23:58', '/a'),
      site.view('anna', '2026-06-11 00:02', '/b'),
    ]);
    const filters = [['is', 'event:page', ['/b']]] as const;
    expect(await site.totals({ metrics: ['visitors', 'visits', 'pageviews'], filters })).toEqual([
      1, 1, 0,
    ]);
  });

  test('pings satisfy no filter', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/a'),
      site.ping('anna', '08:01', '/b', { engagedMs: 5000, scroll: 50 }),
    ]);
    const metrics = ['visitors', 'events'];
    expect(await site.totals({ metrics, filters: [['is', 'event:page', ['/b']]] })).toEqual([0, 0]);
    expect(await site.totals({ metrics, filters: [['is', 'event:name', ['engagement']]] })).toEqual(
      [0, 0],
    );
    expect(
      await site.totals({ metrics, filters: [['has_done', ['is', 'event:page', ['/b']]]] }),
    ).toEqual([0, 0]);
  });

  test('clauses are text, never patterns or statements', async () => {
    const site = lab.site(ZONE, DATE);
    const page = `/100%_off'; DROP TABLE event; --`;
    site.receive([site.view('anna', '08:00', page), site.view('bert', '08:00', '/100xxoff')]);
    const metrics = ['visitors'];
    expect(await site.totals({ metrics, filters: [['is', 'event:page', [page]]] })).toEqual([1]);
    expect(await site.totals({ metrics, filters: [['contains', 'event:page', ['%_']]] })).toEqual([
      1,
    ]);
    expect(await site.totals({ metrics, filters: [['contains', 'event:page', [`';`]]] })).toEqual([
      1,
    ]);
    expect(
      await site.totals({ metrics, filters: [['contains_not', 'event:page', ['%']]] }),
    ).toEqual([1]);
  });

  test('case folds beyond ASCII', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/', { city_name: 'ÖREBRO' }),
      site.view('bert', '08:00', '/', { city_name: 'Αθήνα' }),
    ]);
    const insensitive = { case_sensitive: false } as const;
    const metrics = ['visitors'];
    for (const filter of [
      ['is', 'visit:city_name', ['örebro'], insensitive],
      ['contains', 'visit:city_name', ['ΘΉΝ'], insensitive],
    ] as const) {
      expect(await site.totals({ metrics, filters: [filter] })).toEqual([1]);
    }
  });
});
