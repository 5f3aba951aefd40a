import { describe, expect, test } from 'vitest';
import { openLab, type LabSite } from './lab.ts';

const lab = openLab();
const ZONE = 'Europe/Berlin';
const DATE = '2026-06-10';

/** Everything that can be known of a visit, and how each dimension shows it. */
const KNOWN = {
  source: 'Google',
  referrer: 'google.com/search',
  channel: 'Organic Search',
  utm_medium: 'cpc',
  utm_source: 'google',
  utm_campaign: 'Spring',
  utm_content: 'banner',
  utm_term: 'shoes',
  country: 'DE',
  region: 'DE-BE',
  region_name: 'Land Berlin',
  city: '2950159',
  city_name: 'Berlin',
  browser: 'Firefox',
  browser_version: '150.0',
  os: 'GNU/Linux',
  os_version: '6.1',
  device: 'Desktop',
} as const;

function oneOfEach(site: LabSite): void {
  site.receive([
    site.view('anna', '08:00', '/', KNOWN),
    site.view('bert', '09:00', '/'),
    site.view('cleo', '10:00', '/'),
  ]);
}

describe('dimensions of visits', () => {
  test.each([
    ['visit:source', KNOWN.source, 'Direct / None'],
    ['visit:referrer', KNOWN.referrer, 'Direct / None'],
    ['visit:channel', KNOWN.channel, 'Direct'],
    ['visit:utm_medium', KNOWN.utm_medium, '(not set)'],
    ['visit:utm_source', KNOWN.utm_source, '(not set)'],
    ['visit:utm_campaign', KNOWN.utm_campaign, '(not set)'],
    ['visit:utm_content', KNOWN.utm_content, '(not set)'],
    ['visit:utm_term', KNOWN.utm_term, '(not set)'],
    ['visit:country', KNOWN.country, '(not set)'],
    ['visit:country_name', 'Germany', '(not set)'],
    ['visit:region', KNOWN.region, '(not set)'],
    ['visit:region_name', KNOWN.region_name, '(not set)'],
    ['visit:city', KNOWN.city, '(not set)'],
    ['visit:city_name', KNOWN.city_name, '(not set)'],
    ['visit:browser', KNOWN.browser, '(not set)'],
    ['visit:browser_version', KNOWN.browser_version, '(not set)'],
    ['visit:os', KNOWN.os, '(not set)'],
    ['visit:os_version', KNOWN.os_version, '(not set)'],
    ['visit:device', KNOWN.device, '(not set)'],
  ])('%s shows what is known and names what is not', async (dimension, value, nothing) => {
    const site = lab.site(ZONE, DATE);
    oneOfEach(site);
    const metrics = ['visitors', 'visits', 'pageviews', 'bounce_rate', 'percentage'];
    expect(await site.rows({ metrics, dimensions: [dimension] })).toEqual([
      [[nothing], [2, 2, 2, 100, 66.7]],
      [[value], [1, 1, 1, 100, 33.3]],
    ]);
    expect(
      await site.totals({ metrics: ['visits'], filters: [['is', dimension, [nothing]]] }),
    ).toEqual([2]);
    expect(
      await site.totals({ metrics: ['visits'], filters: [['is', dimension, [value]]] }),
    ).toEqual([1]);
    expect(
      await site.totals({ metrics: ['visits'], filters: [['is_not', dimension, [value]]] }),
    ).toEqual([2]);
    expect(
      await site.totals({ metrics: ['visits'], filters: [['is_not', dimension, [nothing]]] }),
    ).toEqual([1]);
  });

  test('entry and exit are the first and the last page viewed, whatever events surround them', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.event('anna', '08:00', 'Open', { page: '/before', host: 'app.example.org' }),
      site.view('anna', '08:01', '/a', { host: 'blog.example.org' }),
      site.view('anna', '08:02', '/b'),
      site.view('anna', '08:03', '/c', { host: 'shop.example.org' }),
      site.event('anna', '08:04', 'Close', { page: '/after' }),
    ]);
    expect(
      await site.rows({
        metrics: ['visits', 'pageviews', 'events'],
        dimensions: ['visit:entry_page', 'visit:exit_page'],
      }),
    ).toEqual([
      [
        ['/a', '/c'],
        [1, 3, 5],
      ],
    ]);
    expect(
      await site.rows({
        metrics: ['visits'],
        dimensions: ['visit:entry_page_hostname', 'visit:exit_page_hostname'],
      }),
    ).toEqual([[['blog.example.org', 'shop.example.org'], [1]]]);
  });

  test('a visit without a page view has no entry and no exit page', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.event('anna', '08:00', 'Open', { page: '/a' }),
      site.view('bert', '09:00', '/a'),
    ]);
    for (const dimension of ['visit:entry_page', 'visit:exit_page']) {
      expect(
        await site.rows({
          metrics: ['visits'],
          dimensions: [dimension],
          order_by: [[dimension, 'asc']],
        }),
      ).toEqual([
        [['(not set)'], [1]],
        [['/a'], [1]],
      ]);
      expect(
        await site.totals({ metrics: ['visits'], filters: [['is_not', dimension, ['/a']]] }),
      ).toEqual([1]);
    }
  });

  test('two dimensions make a row of each pair that occurs', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/', { browser: 'Firefox', os: 'Windows' }),
      site.view('bert', '08:00', '/', { browser: 'Firefox', os: 'Mac' }),
      site.view('cleo', '08:00', '/', { browser: 'Firefox', os: 'Mac' }),
      site.view('dora', '08:00', '/', { browser: 'Safari', os: 'Mac' }),
    ]);
    expect(
      await site.rows({ metrics: ['visitors'], dimensions: ['visit:browser', 'visit:os'] }),
    ).toEqual([
      [['Firefox', 'Mac'], [2]],
      [['Firefox', 'Windows'], [1]],
      [['Safari', 'Mac'], [1]],
    ]);
  });
});

describe('dimensions of events', () => {
  test('names count page views and custom events, and never pings', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/'),
      site.view('anna', '08:01', '/a'),
      site.event('anna', '08:02', 'Sign up'),
      site.ping('anna', '08:03', '/a', { engagedMs: 5000 }),
      site.view('bert', '08:00', '/'),
    ]);
    expect(
      await site.rows({ metrics: ['visitors', 'events'], dimensions: ['event:name'] }),
    ).toEqual([
      [['pageview'], [2, 3]],
      [['Sign up'], [1, 1]],
    ]);
  });

  test('hosts: bounce rate and duration are of visits that entered there', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/', { host: 'example.org' }),
      site.view('anna', '08:01', '/', { host: 'docs.example.org' }),
      site.view('bert', '08:00', '/', { host: 'docs.example.org' }),
    ]);
    expect(
      await site.rows({
        metrics: ['visitors', 'pageviews', 'bounce_rate', 'visit_duration'],
        dimensions: ['event:hostname'],
      }),
    ).toEqual([
      [['docs.example.org'], [2, 2, 100, 0]],
      [['example.org'], [1, 1, 0, 60]],
    ]);
  });

  test('a property is (none) for every event without it', async () => {
    const site = lab.site(ZONE, DATE);
    site.receive([
      site.view('anna', '08:00', '/', { props: { author: 'Ada', tone: 'dry' } }),
      site.view('anna', '08:01', '/', { props: { tone: 'dry' } }),
      site.view('bert', '08:00', '/', { props: { author: 'Ben' } }),
      site.view('cleo', '08:00', '/'),
    ]);
    expect(
      await site.rows({ metrics: ['visitors', 'pageviews'], dimensions: ['event:props:author'] }),
    ).toEqual([
      [['(none)'], [2, 2]],
      [['Ada'], [1, 1]],
      [['Ben'], [1, 1]],
    ]);
  });

  test('odd names of properties are names like any other', async () => {
    const site = lab.site(ZONE, DATE);
    const odd = `a:b "c'd" %_\\ ✓`;
    site.receive([
      site.view('anna', '08:00', '/', { props: { [odd]: `it's "so" \\ %_` } }),
      site.view('bert', '08:00', '/'),
    ]);
    const dimension = `event:props:${odd}`;
    expect(await site.rows({ metrics: ['visitors'], dimensions: [dimension] })).toEqual([
      [['(none)'], [1]],
      [[`it's "so" \\ %_`], [1]],
    ]);
    for (const filter of [
      ['is', dimension, [`it's "so" \\ %_`]],
      ['contains', dimension, ['\\ %_']],
      ['is_not', dimension, ['(none)']],
    ] as const) {
      expect(await site.totals({ metrics: ['visitors'], filters: [filter] })).toEqual([1]);
    }
  });
});
