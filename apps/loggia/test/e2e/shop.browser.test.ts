import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, BERT, CLEO, CRAWLER } from './personas.ts';
import { Stage } from './stage.ts';
import { plainHost, shop } from './test-sites.ts';

let stage: Stage;
let snippet: string;
const errors: Error[] = [];

beforeAll(async () => {
  stage = await Stage.open();
  const { web } = stage;
  snippet = await stage.addSite('shop.test');
  await stage.command('goal add shop.test --event Purchase --currency EUR');
  await stage.command('goal add shop.test --event Signup');
  await stage.command('goal add shop.test --page /products/**');
  web.hosts.set('shop.test', shop(snippet));
  web.hosts.set('blog.test', plainHost({ shop: 'http://shop.test/' }));
  web.hosts.set('elsewhere.test', plainHost({ cart: 'http://shop.test/cart' }));
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** What happens in the shop; each step waits until the server has answered what it caused. */
describe('the morning', () => {
  test('the owner has put the line into the pages that the command printed', () => {
    expect(snippet).toBe(
      '<script defer data-domain="shop.test" src="http://stats.test/js/script.js"></script>',
    );
  });

  test('Ada follows a link from a blog, looks at products, and buys twice', async () => {
    await using ada = await stage.arrive(ADA);
    const { page } = ada;
    const { web } = stage;
    await page.goto('http://blog.test/review');
    await page.click('#shop');
    expect(await web.events(1)).toEqual(['pageview /']);
    await ada.scrollTo(720);
    await ada.pass(10_000);
    await page.click('#products');
    expect(await web.events(2)).toEqual(['engagement / 50% 10000ms', 'pageview /products']);
    await ada.pass(20_000);
    await page.click('#first');
    expect(await web.events(2)).toEqual([
      'engagement /products 100% 20000ms',
      'pageview /products/1',
    ]);
    await ada.pass(5000);
    await page.click('#second');
    expect(await web.events(2)).toEqual([
      'engagement /products/1 100% 5000ms',
      'pageview /products/2#reviews',
    ]);
    await ada.pass(5000);
    await page.evaluate('history.back()');
    expect(await web.events(2)).toEqual([
      'engagement /products/2#reviews 100% 5000ms',
      'pageview /products/1',
    ]);
    await ada.pass(15_000);
    await page.evaluate(`plausible('Purchase', {
      props: { plan: 'pro', size: 'XL' }, revenue: { amount: 49.9, currency: 'EUR' },
    })`);
    await page.evaluate(`plausible('Purchase', {
      props: { plan: 'basic' }, revenue: { amount: '10.10', currency: 'EUR' },
    })`);
    expect(await web.events(2)).toEqual(['Purchase /products/1', 'Purchase /products/1']);
    await ada.pass(5000);
    await page.click('#exit');
    expect(await web.events(1)).toEqual(['engagement /products/1 100% 20000ms']);
    errors.push(...ada.errors);
  });

  test('Bert opens a link of the newsletter on his telephone, and goes', async () => {
    await using bert = await stage.arrive(BERT);
    const tags = 'utm_source=newsletter&utm_medium=email&utm_campaign=spring';
    await bert.page.goto(`http://shop.test/?${tags}&utm_content=top&utm_term=shoes`);
    expect(await stage.web.events(1)).toEqual(['pageview /']);
    await bert.pass(2000);
    await bert.page.click('#exit');
    expect(await stage.web.events(1)).toEqual(['engagement / 29% 2000ms']);
    errors.push(...bert.errors);
  });

  test('Cleo returns from a page by the back-forward cache, signs up, and comes again later', async () => {
    await using cleo = await stage.arrive(CLEO);
    const { page } = cleo;
    const { web } = stage;
    await page.goto('http://shop.test/');
    expect(await web.events(1)).toEqual(['pageview /']);
    await cleo.pass(4000);
    await page.click('#products');
    expect(await web.events(2)).toEqual(['engagement / 25% 4000ms', 'pageview /products']);
    await cleo.pass(3000);
    await page.evaluate('void history.back()');
    expect(await web.events(2)).toEqual(['engagement /products 100% 3000ms', 'pageview /']);
    expect(await page.evaluate('wasRestored')).toBe(true);
    await cleo.pass(6000);
    await cleo.scrollTo(2160);
    await page.evaluate(`plausible('Signup', { props: { plan: 'free' } })`);
    expect(await web.events(1)).toEqual(['Signup /']);
    await page.click('#exit');
    expect(await web.events(1)).toEqual(['engagement / 100% 6000ms']);
    stage.clock.pass(31 * 60_000);
    await page.click('#cart');
    expect(await web.events(1)).toEqual(['pageview /cart']);
    await page.evaluate(`plausible('Poll', { props: { plan: 'free' }, interactive: false })`);
    expect(await web.events(1)).toEqual(['Poll /cart']);
    await cleo.pass(1000);
    await page.click('#exit');
    expect(await web.events(1)).toEqual(['engagement /cart 100% 1000ms']);
    errors.push(...cleo.errors);
  });

  test('a crawler is answered and not stored, a browser that a program drives sends nothing', async () => {
    await using crawler = await stage.arrive(CRAWLER);
    const { page } = crawler;
    await page.goto('http://shop.test/');
    expect(await stage.web.events(1)).toEqual(['pageview / bot']);
    await page.evaluate('window.__plausible = false');
    const outcome = `new Promise((resolve) => plausible('x', { callback: resolve }))`;
    expect(await page.evaluate(outcome)).toBeUndefined();
    await page.click('#exit');
    expect(await stage.web.events(1)).toEqual(['engagement / 25% 0ms bot']);
    expect(errors).toEqual([]);
  });
});

describe('the reports', () => {
  const report = (...query: Parameters<Stage['report']> extends [string, ...infer R] ? R : never) =>
    stage.report('shop.test', ...query);
  const by = (dimension: string, ...metrics: string[]) =>
    report(metrics.length === 0 ? ['visitors'] : metrics, { dimensions: [dimension] });

  test('the main numbers', async () => {
    const metrics = ['visitors', 'visits', 'pageviews', 'events', 'views_per_visit'];
    expect(await report(metrics)).toEqual([[3, 4, 10, 14, 2.5]]);
    // 60 s of Ada and 13 s of Cleo over four visits, of which two are bounces.
    expect(await report(['bounce_rate', 'visit_duration'])).toEqual([[50, 18]]);
    expect(await stage.currentVisitors('shop.test')).toBe(1);
  });

  test('by hour of the site', async () => {
    expect(await by('time:hour', 'visitors', 'visits', 'pageviews', 'events')).toEqual([
      ['2026-06-01 10:00:00', 3, 3, 9, 12],
      ['2026-06-01 11:00:00', 1, 1, 1, 2],
    ]);
  });

  test('pages', async () => {
    const metrics = ['visitors', 'pageviews', 'time_on_page', 'scroll_depth', 'exit_rate'];
    expect(await by('event:page', ...metrics)).toEqual([
      ['/', 3, 4, 7, 60, 50],
      ['/cart', 1, 1, 1, 100, 100],
      ['/products', 2, 2, 12, 100, 0],
      ['/products/1', 1, 2, 25, 100, 50],
      ['/products/2', 1, 1, 5, 100, 0],
    ]);
    // A page's own bounce rate and duration are those of the visits that began there.
    expect(await by('event:page', 'visitors', 'bounce_rate', 'visit_duration')).toEqual([
      ['/', 3, 33, 24],
      ['/cart', 1, 100, 0],
      ['/products', 2, 0, 0],
      ['/products/1', 1, 0, 0],
      ['/products/2', 1, 0, 0],
    ]);
    const filters = [['is', 'event:page', ['/', '/products/2']]];
    expect(await report(['visits', 'time_on_page', 'scroll_depth'], { filters })).toEqual([
      [3, 9, 70],
    ]);
    expect(await by('event:hostname', 'visitors', 'pageviews')).toEqual([['shop.test', 3, 10]]);
  });

  test('entry and exit pages', async () => {
    expect(await by('visit:entry_page', 'visitors', 'visits')).toEqual([
      ['/', 3, 3],
      ['/cart', 1, 1],
    ]);
    expect(await by('visit:exit_page', 'visitors', 'visits')).toEqual([
      ['/', 2, 2],
      ['/cart', 1, 1],
      ['/products/1', 1, 1],
    ]);
  });

  test('where visits came from', async () => {
    expect(await by('visit:source', 'visitors', 'visits', 'pageviews')).toEqual([
      ['Direct / None', 1, 1, 3],
      ['blog.test', 1, 1, 5],
      ['elsewhere.test', 1, 1, 1],
      ['newsletter', 1, 1, 1],
    ]);
    expect(await by('visit:referrer')).toEqual([
      ['Direct / None', 2],
      ['blog.test', 1],
      ['elsewhere.test', 1],
    ]);
    expect(await by('visit:channel')).toEqual([
      ['Direct', 1],
      ['Email', 1],
      ['Referral', 2],
    ]);
  });

  test.each([
    ['source', 'newsletter'],
    ['medium', 'email'],
    ['campaign', 'spring'],
    ['content', 'top'],
    ['term', 'shoes'],
  ])('the campaign tag utm_%s', async (tag, value) => {
    expect(await by(`visit:utm_${tag}`, 'visitors', 'visits', 'bounce_rate')).toEqual([
      ['(not set)', 2, 3, 33],
      [value, 1, 1, 100],
    ]);
  });

  test('what visitors use and where they are', async () => {
    expect(await by('visit:browser')).toEqual([
      ['Chrome', 1],
      ['Firefox', 1],
      ['Safari', 1],
    ]);
    expect(await by('visit:browser_version')).toEqual([
      ['140.0', 2],
      ['18.5', 1],
    ]);
    expect(await by('visit:os', 'visits')).toEqual([
      ['GNU/Linux', 2],
      ['Windows', 1],
      ['iOS', 1],
    ]);
    expect(await by('visit:device', 'visits')).toEqual([
      ['Desktop', 3],
      ['Mobile', 1],
    ]);
    expect(await by('visit:screen', 'visits')).toEqual([
      ['lg', 1],
      ['xl', 2],
      ['xs', 1],
    ]);
    expect(await by('visit:language', 'visits')).toEqual([
      ['de', 2],
      ['en', 1],
      ['nl', 1],
    ]);
    expect(await by('visit:country_name', 'visits')).toEqual([
      ['(not set)', 2],
      ['Netherlands', 1],
      ['United States', 1],
    ]);
  });

  test('goals with their revenue', async () => {
    const euro = (value: number, short: string) => ({
      value,
      currency: 'EUR',
      short,
      long: expect.any(String),
    });
    expect(await by('event:goal', 'visitors', 'events', 'conversion_rate')).toEqual([
      ['Purchase', 1, 2, 33.33],
      ['Signup', 1, 1, 33.33],
      ['Visit /products/**', 1, 3, 33.33],
    ]);
    const filters = [['is', 'event:goal', ['Purchase']]];
    const metrics = ['visitors', 'events', 'total_revenue', 'average_revenue'];
    expect(await report(metrics, { filters })).toEqual([
      [1, 2, euro(60, '€60.0'), euro(30, '€30.0')],
    ]);
  });

  test('custom events and properties', async () => {
    expect(await by('event:name', 'visitors', 'events')).toEqual([
      ['Poll', 1, 1],
      ['Purchase', 1, 2],
      ['Signup', 1, 1],
      ['pageview', 3, 10],
    ]);
    expect(await by('event:props:plan', 'visitors', 'events')).toEqual([
      ['(none)', 3, 10],
      ['basic', 1, 1],
      ['free', 1, 2],
      ['pro', 1, 1],
    ]);
    const filters = [['is', 'event:props:size', ['XL']]];
    expect(await report(['visitors', 'events'], { filters })).toEqual([[1, 1]]);
  });

  test('what was dropped is counted when the server stops', async () => {
    const today = '2026-06-01';
    expect(await stage.server.stop()).toEqual({ code: 0, signal: null });
    const drops = stage.server.change((journal) => {
      const site = journal.sites.byDomain('shop.test');
      return journal.drops.list(site?.id ?? null, today, today);
    });
    expect(drops).toEqual([{ date: today, reason: 'bot', count: 2 }]);
  });
});
