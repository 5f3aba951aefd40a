import { describe, expect, test } from 'vitest';
import type { SiteGoal } from './harness.ts';
import { openLab, type LabSite } from './lab.ts';

const lab = openLab();
const ZONE = 'Europe/Berlin';
const DATE = '2026-06-10';

const SIGN_UP: SiteGoal = { kind: 'event', displayName: 'Sign up', eventName: 'Signup' };
const PRICING: SiteGoal = { kind: 'page', displayName: 'Visit /pricing', pagePattern: '/pricing' };
const BLOG: SiteGoal = { kind: 'page', displayName: 'Any post', pagePattern: '/blog/*' };
const ALL_BLOG: SiteGoal = { kind: 'page', displayName: 'Blog', pagePattern: '/blog**' };
const ORDER: SiteGoal = {
  kind: 'event',
  displayName: 'Order',
  eventName: 'Purchase',
  currency: 'EUR',
};
const GIFT: SiteGoal = {
  kind: 'event',
  displayName: 'Gift',
  eventName: 'Donation',
  currency: 'USD',
};

function campaign(): LabSite {
  const site = lab.site(ZONE, DATE, [SIGN_UP, PRICING, BLOG, ALL_BLOG]);
  site.receive([
    site.view('anna', '08:00', '/', { source: 'Google' }),
    site.view('anna', '08:01', '/pricing'),
    site.event('anna', '08:02', 'Signup', { page: '/pricing', props: { plan: 'gold' } }),
    site.event('anna', '08:03', 'Signup', { page: '/pricing', props: { plan: 'iron' } }),
    site.view('bert', '08:00', '/blog/one', { source: 'Google' }),
    site.view('bert', '08:01', '/blog/one/comments'),
    site.view('cleo', '08:00', '/blog', { source: 'Bing' }),
    site.event('cleo', '08:01', 'Signup', { page: '/blog', props: { plan: 'gold' } }),
    site.view('dora', '08:00', '/pricing/'),
    site.view('emil', '08:00', '/'),
    site.event('emil', '08:01', 'Play', { page: '/blog/two' }),
    site.view('fred', '08:00', '/'),
  ]);
  return site;
}

describe('goals', () => {
  test('each goal has a row of those who reached it; an event may reach several', async () => {
    const site = campaign();
    const query = {
      metrics: ['visitors', 'events', 'conversion_rate'],
      dimensions: ['event:goal'],
      order_by: [['event:goal', 'asc']],
    } as const;
    expect(await site.rows(query)).toEqual([
      // `*` stays within a segment.
      [['Any post'], [1, 1, 16.67]],
      // `**` crosses segments, and matches nothing too.
      [['Blog'], [2, 3, 33.33]],
      [['Sign up'], [2, 3, 33.33]],
      [['Visit /pricing'], [1, 1, 16.67]],
    ]);
  });

  test('a filter on goals leaves the rows of those goals', async () => {
    expect(
      await campaign().rows({
        metrics: ['visitors'],
        dimensions: ['event:goal'],
        filters: [['is', 'event:goal', ['Sign up', 'Any post']]],
      }),
    ).toEqual([
      [['Sign up'], [2]],
      [['Any post'], [1]],
    ]);
  });

  test('a custom event on a page reaches no page goal', async () => {
    const site = campaign();
    expect(
      await site.totals({
        metrics: ['visitors'],
        filters: [
          ['is', 'event:goal', ['Any post']],
          ['is', 'event:page', ['/blog/two']],
        ],
      }),
    ).toEqual([0]);
  });

  test('conversion is of all visitors, by group of the visitors of the group', async () => {
    const site = campaign();
    expect(
      await site.rows({
        metrics: ['visitors', 'conversion_rate', 'group_conversion_rate'],
        dimensions: ['visit:source'],
        filters: [['is', 'event:goal', ['Sign up']]],
        order_by: [['visit:source', 'asc']],
      }),
    ).toEqual([
      [['Bing'], [1, 16.67, 100]],
      [['Google'], [1, 16.67, 50]],
    ]);
  });

  test('filters on properties narrow who converted, not who could have', async () => {
    const site = campaign();
    const gold = ['is', 'event:props:plan', ['gold']] as const;
    const iron = ['is', 'event:props:plan', ['iron']] as const;
    const goal = ['is', 'event:goal', ['Sign up']] as const;
    const metrics = ['visitors', 'events', 'conversion_rate'];
    expect(await site.totals({ metrics, filters: [goal] })).toEqual([2, 3, 33.33]);
    expect(await site.totals({ metrics, filters: [goal, gold] })).toEqual([2, 2, 33.33]);
    expect(await site.totals({ metrics, filters: [goal, iron] })).toEqual([1, 1, 16.67]);
    expect(
      await site.totals({ metrics, filters: [goal, iron, ['is', 'visit:source', ['Google']]] }),
    ).toEqual([1, 1, 50]);
  });

  test('without visitors there is no conversion rate', async () => {
    const site = lab.site(ZONE, DATE, [SIGN_UP]);
    expect(
      await site.totals({
        metrics: ['visitors', 'conversion_rate'],
        filters: [['is', 'event:goal', ['Sign up']]],
      }),
    ).toEqual([0, null]);
  });
});

describe('scroll goals', () => {
  test('a visit reaches it when it scrolled a page of the pattern far enough', async () => {
    const site = lab.site(ZONE, DATE, [
      { kind: 'scroll', displayName: 'Deep', pagePattern: '/blog/*', scrollThreshold: 75 },
    ]);
    site.receive([
      site.view('anna', '08:00', '/blog/one'),
      site.ping('anna', '08:01', '/blog/one', { scroll: 75 }),
      site.view('bert', '08:00', '/blog/one'),
      site.ping('bert', '08:01', '/blog/one', { scroll: 74 }),
      site.view('cleo', '08:00', '/'),
      site.ping('cleo', '08:01', '/', { scroll: 100 }),
      site.view('dora', '08:00', '/blog/two'),
    ]);
    expect(
      await site.rows({ metrics: ['visitors', 'conversion_rate'], dimensions: ['event:goal'] }),
    ).toEqual([[['Deep'], [1, 25]]]);
    expect(
      await site.totals({
        metrics: ['visitors', 'visits'],
        filters: [['is', 'event:goal', ['Deep']]],
      }),
    ).toEqual([1, 1]);
  });
});

describe('revenue', () => {
  function till(): LabSite {
    const site = lab.site(ZONE, DATE, [ORDER, GIFT, SIGN_UP]);
    site.receive([
      site.view('anna', '08:00', '/'),
      site.event('anna', '08:01', 'Purchase', { revenue: [10, 'EUR'] }),
      site.event('anna', '08:02', 'Purchase', { revenue: [0.005, 'EUR'] }),
      site.event('bert', '08:00', 'Purchase', { revenue: [20, 'EUR'] }),
      site.event('bert', '08:01', 'Purchase'),
      site.event('cleo', '08:00', 'Donation', { revenue: [7.5, 'USD'] }),
      site.event('cleo', '08:01', 'Signup', { revenue: [99, 'EUR'] }),
    ]);
    return site;
  }

  test('the revenue of a goal is that of its events', async () => {
    expect(
      await till().totals({
        metrics: ['total_revenue', 'average_revenue', 'events'],
        filters: [['is', 'event:goal', ['Order']]],
      }),
    ).toEqual(
      // 30.005 over three sales is 10.001666…
      [{ value: 30.005, currency: 'EUR' }, { value: 10.002, currency: 'EUR' }, 4],
    );
  });

  test('each goal has its own currency, and a goal without one no revenue', async () => {
    expect(
      await till().rows({
        metrics: ['events', 'total_revenue'],
        dimensions: ['event:goal'],
        order_by: [['event:goal', 'asc']],
      }),
    ).toEqual([
      [['Gift'], [1, { value: 7.5, currency: 'USD' }]],
      [['Order'], [4, { value: 30.005, currency: 'EUR' }]],
      [['Sign up'], [1, null]],
    ]);
  });

  test('a goal without a currency has no revenue, which is not 0 and comes last', async () => {
    const site = lab.site(ZONE, DATE, [
      SIGN_UP,
      PRICING,
      { kind: 'event', displayName: 'Zoo', eventName: 'Ticket', currency: 'EUR' },
    ]);
    site.receive([
      site.event('anna', '08:00', 'Signup'),
      site.event('bert', '08:00', 'Ticket'),
      site.view('cleo', '08:00', '/pricing'),
    ]);
    for (const metric of ['total_revenue', 'average_revenue']) {
      const query = { metrics: [metric], dimensions: ['event:goal'] };
      for (const way of ['asc', 'desc'] as const) {
        const listed = await site.rows({
          ...query,
          metrics: [metric, 'events'],
          order_by: [[metric, way]],
        });
        expect(listed).toEqual([
          [['Zoo'], [{ value: 0, currency: 'EUR' }, 1]],
          [['Sign up'], [null, 1]],
          [['Visit /pricing'], [null, 1]],
        ]);
      }
      expect(await site.rows(query)).toEqual([
        [['Sign up'], [null]],
        [['Visit /pricing'], [null]],
      ]);
    }
  });

  test('sums of different currencies are not made', async () => {
    expect(
      await till().totals({
        metrics: ['total_revenue', 'average_revenue'],
        filters: [['is', 'event:goal', ['Order', 'Gift']]],
      }),
    ).toEqual([null, null]);
  });
});
