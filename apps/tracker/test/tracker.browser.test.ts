import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { launchChromium } from './chromium.ts';
import { RecordingSite } from './recording-site.ts';
import { ATTENTION, beginVisit, scriptTag, type VisitOptions } from './visitor.ts';

let site: RecordingSite;
let browser: Browser;

beforeAll(async () => {
  site = await RecordingSite.open();
  browser = await launchChromium({ port: site.port });
});

afterAll(async () => {
  await browser.close();
  await site[Symbol.asyncDispose]();
});

const visit = (options?: VisitOptions) => beginVisit(browser, site, options);

/** What each event of the tests carries unless it says otherwise. */
const COMMON = { d: 'site.test', r: null, w: 1280 };
const view = (path: string, more = {}) => ({
  n: 'pageview',
  u: `http://site.test${path}`,
  ...COMMON,
  ...more,
});
const END = expect.objectContaining({ n: 'end' });

describe('page views', () => {
  test('a full load is one page view, posted as text without a preflight', async () => {
    await using visitor = await visit({ url: 'http://site.test/other?from=mail&x=%20#part' });
    await visitor.finish();
    expect(await site.events(2)).toEqual([view('/other?from=mail&x=%20#part'), END]);
    expect(site.recorded[0]?.contentType).toBe('text/plain;charset=UTF-8');
    expect(site.preflights).toEqual([]);
    expect(visitor.errors).toEqual([]);
    expect(visitor.console).toEqual([]);
  });

  test('a followed link ends the view with a ping and begins one with the referrer', async () => {
    await using visitor = await visit();
    await site.events(1);
    await visitor.page.click('#next');
    const events = await site.events(3);
    expect(events).toHaveLength(3);
    expect(events).toEqual(
      expect.arrayContaining([
        view('/'),
        { ...view('/'), n: 'engagement', sd: 100, e: 0 },
        view('/other?from=home#top', { r: 'http://site.test/' }),
      ]),
    );
  });

  test('routes of an application are views: pushState, back and forward, not the same path', async () => {
    await using visitor = await visit({ url: 'http://site.test/application' });
    const { page } = visitor;
    await page.evaluate(`
      go('/application/first', 2000);
      history.pushState({}, '', '/application/first?sort=up');
      history.replaceState({}, '', '/application/first#part');
      go('/application/second', 2000);
    `);
    await page.evaluate(`
      new Promise((resolve) => { addEventListener('popstate', resolve); history.back(); })
    `);
    await page.evaluate(`location.hash = 'elsewhere'`);
    await visitor.finish();
    const views = (await site.events(5)).filter(({ n }) => n === 'pageview');
    expect(views).toEqual([
      view('/application'),
      view('/application/first'),
      view('/application/second'),
      view('/application/first#part'),
    ]);
  });

  test('several sites, an endpoint of its own and a viewport width reach the server', async () => {
    const attributes = 'data-domain="a.test,b.test" data-api="http://other.test/proxy/event"';
    await using visitor = await visit({ head: scriptTag('plausible.js', attributes) });
    await visitor.page.setViewportSize({ width: 390, height: 700 });
    await visitor.finish();
    expect(await site.events(2)).toEqual([
      view('/', { d: 'a.test,b.test' }),
      { n: 'end', u: 'http://site.test/', d: 'a.test,b.test', r: null, w: 390 },
    ]);
    expect(site.recorded[0]?.path).toBe('/proxy/event');
    expect(site.preflights).toEqual([]);
  });

  test('a page in the background is viewed when it is first shown, and only once', async () => {
    const before = `${ATTENTION} attention.hide();`;
    await using visitor = await visit({ before });
    await visitor.page.evaluate(`history.pushState({}, '', '/application')`);
    await visitor.finish();
    expect(await site.events(1)).toEqual([{ ...view('/application'), n: 'end' }]);
    await visitor.page.evaluate('attention.show()');
    await visitor.page.evaluate('attention.hide()');
    await visitor.page.evaluate('attention.show()');
    await visitor.finish();
    expect((await site.events(4)).filter(({ n }) => n === 'pageview')).toEqual([
      view('/application'),
    ]);
  });

  test('a page that comes from the back-forward cache is viewed again', async () => {
    await using caching = await launchChromium({ port: site.port, backForwardCache: true });
    const before = `addEventListener('pageshow', (event) => {
      if (event.persisted) plausible('restored');
    });`;
    await using visitor = await beginVisit(caching, site, { before });
    await site.events(1);
    await visitor.page.click('#next');
    await site.events(3);
    // Playwright waits in vain for a load that never comes, so the page goes back by itself.
    await visitor.page.evaluate('void history.back()');
    const events = await site.events(6);
    const home = events.filter(({ u, n }) => u === 'http://site.test/' && n !== 'engagement');
    expect(home).toHaveLength(3);
    expect(home[0]).toEqual(view('/'));
    expect(home).toContainEqual({ ...view('/'), n: 'restored' });
    expect(home.filter(({ n }) => n === 'pageview')).toEqual([view('/'), view('/')]);
  });
});

describe('attention', () => {
  test('time counts while the page is visible and focused, and is told from three seconds on', async () => {
    await using visitor = await visit({ before: ATTENTION });
    const { page, pass } = visitor;
    await pass(2500);
    await page.evaluate('attention.blur()');
    await pass(60_000);
    await page.evaluate('attention.focus()');
    await pass(1000);
    await page.evaluate('attention.hide()');
    await pass(60_000);
    await page.evaluate('attention.show()');
    await pass(2500);
    await page.evaluate('attention.blur()');
    await page.evaluate('attention.hide()');
    await page.evaluate('attention.show()');
    await pass(60_000);
    await page.evaluate('attention.hide()');
    await visitor.finish();
    const ping = { ...view('/'), n: 'engagement', sd: 100 };
    expect(await site.events(4)).toEqual([
      view('/'),
      { ...ping, e: 2500 },
      { ...ping, e: 3500 },
      END,
    ]);
  });

  test('time in a frame is not time on the page around it, whose focus events it swallows', async () => {
    await using visitor = await visit({ url: 'http://site.test/frame' });
    const { page, pass } = visitor;
    await page.click('h1');
    await pass(3000);
    await page.frameLocator('#frame').locator('p').click();
    expect(await page.evaluate('document.hasFocus()')).toBe(true);
    await pass(60_000);
    await page.click('h1');
    await pass(4000);
    await page.evaluate(`plausible('pageview')`);
    const ping = { ...view('/frame'), n: 'engagement', sd: 100 };
    expect(await site.events(4)).toEqual([
      view('/frame'),
      { ...ping, e: 3000 },
      { ...ping, e: 4000 },
      view('/frame'),
    ]);
  });

  test('a page opened without focus has a view and no time', async () => {
    await using visitor = await visit({ before: `${ATTENTION} attention.blur();` });
    await visitor.pass(10_000);
    await visitor.page.evaluate('attention.hide()');
    expect(await site.events(2)).toEqual([
      view('/'),
      { ...view('/'), n: 'engagement', sd: 100, e: 0 },
    ]);
  });

  test('scroll depth is the deepest part seen, told when it grows', async () => {
    await using visitor = await visit({ before: ATTENTION, url: 'http://site.test/long' });
    const { page } = visitor;
    const blurAndReturn = async () => {
      await page.evaluate('attention.blur()');
      await page.evaluate('attention.focus()');
    };
    const scrollTo = (topPx: number) =>
      page.evaluate(`new Promise((resolve) => {
        addEventListener('scroll', () => resolve(), { once: true });
        scrollTo(0, ${topPx});
      })`);
    await blurAndReturn();
    await scrollTo(2880);
    await scrollTo(0);
    await blurAndReturn();
    await scrollTo(1000);
    await blurAndReturn();
    await scrollTo(7200);
    await blurAndReturn();
    await visitor.finish();
    const ping = { ...view('/long'), n: 'engagement', e: 0 };
    expect(await site.events(5)).toEqual([
      view('/long'),
      { ...ping, sd: 10 },
      { ...ping, sd: 50 },
      { ...ping, sd: 100 },
      END,
    ]);
  });

  test('each route has its own time and depth, measured on its own content', async () => {
    await using visitor = await visit({ url: 'http://site.test/application' });
    const { page, pass } = visitor;
    await page.evaluate(`new Promise((resolve) => {
      addEventListener('scroll', () => resolve(), { once: true });
      scrollTo(0, 1440);
    })`);
    await pass(4000);
    await page.evaluate(`go('/application/short', 1440)`);
    await pass(3000);
    // A second observer of the same element is told after the script's own, in the same frame.
    await page.evaluate(`new Promise((resolve) => {
      new ResizeObserver(resolve).observe(document.documentElement);
    })`);
    await page.evaluate(`go('/application/next', 7200)`);
    const events = await site.events(5);
    expect(events).toEqual([
      view('/application'),
      { ...view('/application'), n: 'engagement', sd: 75, e: 4000 },
      view('/application/short'),
      { ...view('/application/short'), n: 'engagement', sd: 50, e: 3000 },
      view('/application/next'),
    ]);
  });
});

describe('the function', () => {
  const STUB = `<script nonce="fixture">
    window.plausible = window.plausible || function () {
      (window.plausible.q = window.plausible.q || []).push(arguments);
    };
    plausible('early', { props: { from: 'head' } });
  </script>`;

  test('what the stub has queued is sent after the first view', async () => {
    await using visitor = await visit({ head: STUB + scriptTag() });
    await visitor.finish();
    expect(await site.events(3)).toEqual([
      view('/'),
      { ...view('/'), n: 'early', p: { from: 'head' } },
      END,
    ]);
  });

  test('properties, revenue, interactivity and another address go into the event', async () => {
    await using visitor = await visit();
    await visitor.page.evaluate(`
      plausible('Purchase', {
        props: { plan: 'pro', seats: 3, trial: false },
        revenue: { amount: 29.9, currency: 'EUR' },
        interactive: false,
        u: 'http://site.test/checkout/done',
      });
      plausible('Old', { meta: { key: 'value' }, url: 'http://site.test/old' });
      plausible('Bare', null);
    `);
    await visitor.finish();
    expect((await site.events(5)).slice(1, 4)).toEqual([
      {
        ...view('/checkout/done'),
        n: 'Purchase',
        p: { plan: 'pro', seats: 3, trial: false },
        $: { amount: 29.9, currency: 'EUR' },
        i: false,
      },
      { ...view('/old'), n: 'Old', p: { key: 'value' } },
      { ...view('/'), n: 'Bare' },
    ]);
  });

  test('a view of another address takes the attention that follows', async () => {
    await using visitor = await visit();
    await visitor.pass(3000);
    await visitor.page.evaluate(`plausible('pageview', {
      u: 'http://site.test/virtual', props: { author: 'me' },
    })`);
    await visitor.pass(5000);
    await visitor.page.evaluate(`plausible('pageview')`);
    const virtual = view('/virtual', { p: { author: 'me' } });
    expect(await site.events(5)).toEqual([
      view('/'),
      { ...view('/'), n: 'engagement', sd: 100, e: 3000 },
      virtual,
      { ...virtual, n: 'engagement', sd: 100, e: 5000 },
      view('/'),
    ]);
  });

  test('the callback gets the status, the error, or nothing when nothing was sent', async () => {
    await using visitor = await visit();
    const outcome = () =>
      visitor.page.evaluate(`new Promise((resolve) => plausible('x', {
        callback: (outcome) => resolve(outcome?.error ? 'failed' : outcome),
      }))`);
    expect(await outcome()).toEqual({ status: 202 });
    site.eventStatus = 400;
    expect(await outcome()).toEqual({ status: 400 });
    await visitor.context.setOffline(true);
    expect(await outcome()).toBe('failed');
    await visitor.context.setOffline(false);
    await visitor.page.evaluate(`localStorage.plausible_ignore = 'true'`);
    expect(await outcome()).toBeUndefined();
  });
});

describe('what is not counted', () => {
  /** What the server got and the page's console said when a page tried to be counted. */
  const attempt = async (options: VisitOptions) => {
    await using visitor = await visit(options);
    await visitor.page.evaluate(`
      history.pushState({}, '', '/application');
      new Promise((resolve) => plausible('x', { callback: resolve }));
    `);
    expect(visitor.errors).toEqual([]);
    await visitor.knock();
    return { events: await site.events(1), reasons: [...new Set(visitor.console)] };
  };
  const silence = (reason: string) => ({
    events: [{ n: 'knock' }],
    reasons: [`Not counted: ${reason}`],
  });

  test('a browser that has opted out', async () => {
    const before = `localStorage.plausible_ignore = 'true'`;
    expect(await attempt({ before })).toEqual(silence('opted out'));
  });

  test('a browser that a program drives', async () => {
    const before = `
      Object.defineProperty(navigator, 'webdriver', { value: false });
      window.Cypress = {};
    `;
    expect(await attempt({ human: false })).toEqual(silence('automation'));
    expect(await attempt({ human: false, before })).toEqual(silence('automation'));
  });

  test('a page on the local machine', async () => {
    for (const host of ['localhost', '127.0.0.1']) {
      const url = `http://${host}:${site.port}/`;
      expect(await attempt({ url })).toEqual(silence('localhost'));
    }
  });

  test('storage that the page may not use is no opt-out', async () => {
    const before = `Object.defineProperty(window, 'localStorage', {
      get() { throw new DOMException('', 'SecurityError'); },
    });`;
    await using visitor = await visit({ before });
    expect(await site.events(1)).toEqual([view('/')]);
    expect(visitor.errors).toEqual([]);
  });
});

test('a script loaded as a module, without an element, changes nothing in the page', async () => {
  const head = '<script type="module" src="/js/script.js"></script>';
  await using visitor = await visit({ head });
  expect(visitor.errors).toHaveLength(1);
  expect(await visitor.page.evaluate(`history.pushState.toString()`)).toContain('[native code]');
  expect(await visitor.page.evaluate(`typeof plausible`)).toBe('undefined');
});
