import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { scriptWith } from '../src/index.ts';
import { launchChromium } from './chromium.ts';
import { RecordingSite } from './recording-site.ts';
import { beginVisit, scriptTag, type Visit, type VisitOptions } from './visitor.ts';

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

/** Opens `path` with a script of these extensions and these further attributes. */
const visit = (
  path: string,
  extensions: string,
  more: VisitOptions & { attributes?: string } = {},
) => {
  const { attributes = '', ...options } = more;
  const head = scriptTag(`script${extensions}.js`, `data-domain="site.test" ${attributes}`);
  return beginVisit(browser, site, { head, url: `http://site.test${path}`, ...options });
};

/** The custom events so far, as name and properties, once a last event has arrived. */
const customEvents = async (visitor: Visit) => {
  await visitor.finish();
  await site.events(1);
  return site.recorded
    .map(({ body }) => body)
    .filter(({ n }) => n !== 'pageview' && n !== 'engagement' && n !== 'end')
    .map(({ n, p }) => [n, p]);
};

/** Waits until an event of that name has arrived, for pages that are left by what causes it. */
const arrived = async (name: string) => {
  for (let count = 1; ; count += 1) {
    const found = (await site.events(count)).find(({ n }) => n === name);
    if (found !== undefined) return found;
  }
};

const outbound = (path: string) => [
  'Outbound Link: Click',
  { url: `http://elsewhere.test${path}` },
];

describe('outbound links', () => {
  test('a click is counted and followed at once', async () => {
    await using visitor = await visit('/links', '.outbound-links');
    await visitor.page.click('#outbound');
    await visitor.page.waitForURL('http://elsewhere.test/page?q=1#part');
    expect(await arrived('Outbound Link: Click')).toEqual({
      n: 'Outbound Link: Click',
      u: 'http://site.test/links',
      d: 'site.test',
      r: null,
      w: 1280,
      p: { url: 'http://elsewhere.test/page?q=1#part' },
    });
  });

  test('new tabs open as ever: by target, with the control key, with the middle button', async () => {
    await using visitor = await visit('/links', '.outbound-links');
    const { page, context } = visitor;
    const opened = async (act: () => Promise<void>) => {
      const [tab] = await Promise.all([context.waitForEvent('page'), act()]);
      await tab.waitForURL(/elsewhere/);
      await tab.close();
    };
    await opened(() => page.click('#blank'));
    await opened(() => page.click('#outbound', { modifiers: ['Control'] }));
    await opened(() => page.click('#outbound', { button: 'middle' }));
    expect(page.url()).toBe('http://site.test/links');
    expect(await customEvents(visitor)).toEqual(
      expect.arrayContaining([
        outbound('/blank'),
        outbound('/page?q=1#part'),
        outbound('/page?q=1#part'),
      ]),
    );
  });

  test('a click that the page handles itself is counted and stays where it is', async () => {
    await using visitor = await visit('/links', '.outbound-links');
    await visitor.page.click('#cancelled');
    await visitor.page.click('#swallowed');
    expect(visitor.page.url()).toBe('http://site.test/links');
    expect(await customEvents(visitor)).toEqual([outbound('/cancelled'), outbound('/swallowed')]);
  });

  test('the link is found around an image and inside a shadow tree', async () => {
    await using visitor = await visit('/links', '.outbound-links');
    const { page } = visitor;
    await page.evaluate(`addEventListener('click', (event) => event.preventDefault())`);
    await page.click('#icon');
    await page.click('#shadowed');
    expect(await customEvents(visitor)).toEqual([outbound('/icon'), outbound('/shadowed')]);
  });

  test('own pages, mail, scripts and the right button are no outbound links', async () => {
    await using visitor = await visit('/links', '.outbound-links');
    const { page } = visitor;
    await page.evaluate(`addEventListener('click', (event) => event.preventDefault())`);
    for (const id of ['#inner', '#mail', '#script-link', '#pdf', 'h1, p']) await page.click(id);
    await page.click('#outbound', { button: 'right' });
    expect(await customEvents(visitor)).toEqual([]);
  });
});

describe('file downloads', () => {
  const stay = `addEventListener('click', (event) => event.preventDefault())`;
  const download = (path: string) => ['File Download', { url: `http://site.test${path}` }];

  test('a file of a known type is counted without query and fragment, and downloaded', async () => {
    await using visitor = await visit('/links', '.file-downloads');
    const [file] = await Promise.all([
      visitor.page.waitForEvent('download'),
      visitor.page.click('#pdf'),
    ]);
    expect(file.url()).toBe('http://site.test/files/Report.PDF?v=2#page=3');
    expect(await customEvents(visitor)).toEqual([download('/files/Report.PDF')]);
  });

  test('the page can add types or name its own', async () => {
    for (const [attributes, expected] of [
      ['', [download('/files/Report.PDF')]],
      ['add-file-types="iso,img"', [download('/files/Report.PDF'), download('/files/image.iso')]],
      ['file-types="iso, img"', [download('/files/image.iso')]],
    ] as const) {
      await using visitor = await visit('/links', '.file-downloads', { before: stay, attributes });
      await visitor.page.click('#pdf');
      await visitor.page.click('#iso');
      expect(await customEvents(visitor)).toEqual(expected);
    }
  });

  test('a file elsewhere is a download, or an outbound link where those count', async () => {
    for (const [extensions, expected] of [
      ['.file-downloads', ['File Download', { url: 'http://elsewhere.test/paper.pdf' }]],
      ['.file-downloads.outbound-links', outbound('/paper.pdf')],
    ] as const) {
      await using visitor = await visit('/links', extensions, { before: stay });
      await visitor.page.click('#outbound-pdf');
      expect(await customEvents(visitor)).toEqual([expected]);
    }
  });
});

describe('tagged events', () => {
  const stay = `addEventListener('click', (event) => event.preventDefault())`;

  test('classes name an event, its properties and its revenue', async () => {
    await using visitor = await visit('/links', '.tagged-events', { before: stay });
    await visitor.page.click('#tagged');
    await visitor.page.click('#purchase');
    await visitor.finish();
    const [, tagged, purchase] = await site.events(4);
    expect(tagged).toMatchObject({ n: 'Add to Cart', p: { size: 'XL wide' } });
    expect(tagged).not.toHaveProperty('$');
    expect(purchase).toMatchObject({ n: 'Purchase', $: { amount: '12.50', currency: 'EUR' } });
  });

  test('a tag is found from inside an image, up to three parents, and not further', async () => {
    await using visitor = await visit('/links', '.tagged-events', { before: stay });
    await visitor.page.click('#tagged-icon');
    await visitor.page.click('#too-far');
    expect(await customEvents(visitor)).toEqual([['Icon', {}]]);
  });

  test('a tagged link is its tag with the address, and no outbound link besides', async () => {
    const extensions = '.outbound-links.tagged-events';
    await using visitor = await visit('/links', extensions, { before: stay });
    await visitor.page.click('#tagged-link');
    expect(await customEvents(visitor)).toEqual([
      ['Partner', { url: 'http://elsewhere.test/partner' }],
    ]);
  });

  test('a tagged form counts when submitted, not when clicked inside', async () => {
    await using visitor = await visit('/forms', '.tagged-events.form-submissions');
    await visitor.page.click('#tagged-input');
    await visitor.page.click('#tagged-submit');
    expect(await customEvents(visitor)).toEqual([['Signup', { plan: 'pro' }]]);
  });
});

describe('forms', () => {
  test('a submission that passes validation is counted, and happens', async () => {
    await using visitor = await visit('/forms', '.form-submissions');
    const { page } = visitor;
    await page.click('#plain-submit');
    expect(await customEvents(visitor)).toEqual([]);
    await page.fill('#required', 'text');
    await page.press('#required', 'Enter');
    await page.waitForURL('http://site.test/other?text=text');
    expect(await arrived('Form: Submission')).toMatchObject({ p: { path: '/forms' } });
  });

  test('a form that the page sends itself is counted', async () => {
    await using visitor = await visit('/forms', '.form-submissions');
    await visitor.page.click('#ajax-submit');
    await visitor.page.click('#tagged-submit');
    expect(await customEvents(visitor)).toEqual([
      ['Form: Submission', { path: '/forms' }],
      ['Form: Submission', { path: '/forms' }],
    ]);
  });
});

test('attributes give every event properties, which its own override', async () => {
  await using visitor = await visit('/', '.pageview-props', {
    attributes: 'event-author="Ada" event-logged_in="no"',
  });
  await visitor.page.evaluate(`
    plausible('Vote', { props: { author: 'Bob', score: 5 } });
    document.querySelector('script').setAttribute('event-logged_in', 'yes');
    history.pushState({}, '', '/application');
  `);
  const events = await site.events(4);
  expect(events.map(({ n, p }) => [n, p])).toEqual([
    ['pageview', { author: 'Ada', logged_in: 'no' }],
    ['Vote', { author: 'Bob', logged_in: 'no', score: 5 }],
    ['engagement', { author: 'Ada', logged_in: 'no' }],
    ['pageview', { author: 'Ada', logged_in: 'yes' }],
  ]);
});

test('pages are left out and let in by pattern, with their pings but not their other events', async () => {
  const viewed = async (attributes: string) => {
    await using visitor = await visit('/', '.exclusions', { attributes });
    const paths = ['/blog', '/blog/a', '/blog/a/b', '/blog/', '/a.html', '/aXhtml', '/docs'];
    for (const path of paths) {
      await visitor.page.evaluate(`history.pushState({}, '', '${path}')`);
      await visitor.pass(3000);
    }
    await visitor.page.evaluate(`history.pushState({}, '', '/blog/end')`);
    await visitor.finish();
    await site.events(1);
    const of = (name: string) =>
      site.recorded
        .filter(({ body }) => body['n'] === name)
        .map(({ body }) => new URL(String(body['u'])).pathname);
    const views = of('pageview');
    expect(of('engagement')).toEqual(views.filter((path) => path !== '/blog/end'));
    expect(of('end')).toEqual(['/blog/end']);
    return views;
  };
  expect(await viewed('data-exclude="/blog/*, /a.html"')).toEqual([
    '/',
    '/blog',
    '/blog/a/b',
    '/aXhtml',
    '/docs',
  ]);
  expect(await viewed('data-exclude="/blog**"')).toEqual(['/', '/a.html', '/aXhtml', '/docs']);
  expect(await viewed('data-include="/blog/**"')).toEqual([
    '/blog/a',
    '/blog/a/b',
    '/blog/',
    '/blog/end',
  ]);
  expect(await viewed('data-include="/blog/**" data-exclude="/blog/a**,/blog/end"')).toEqual([
    '/blog/',
  ]);
});

test('in hash mode each fragment is a view, and says so', async () => {
  await using visitor = await visit('/application#/start', '.hash');
  const { page } = visitor;
  await page.evaluate(`new Promise((resolve) => {
    addEventListener('hashchange', () => resolve(), { once: true });
    location.hash = '#/second';
  })`);
  await page.evaluate(`history.pushState({}, '', '#/third')`);
  await page.evaluate(`history.pushState({}, '', '#/third')`);
  await visitor.finish();
  await site.events(1);
  const views = site.recorded.map(({ body }) => body).filter(({ n }) => n === 'pageview');
  expect(views.map(({ u, h }) => [u, h])).toEqual([
    ['http://site.test/application#/start', 1],
    ['http://site.test/application#/second', 1],
    ['http://site.test/application#/third', 1],
  ]);
  expect(site.recorded.at(-1)?.body).toMatchObject({ n: 'end', h: 1 });
});

test('in manual mode only what the page sends is counted, with its attention', async () => {
  await using visitor = await visit('/application', '.manual');
  await visitor.page.evaluate(`history.pushState({}, '', '/application/first')`);
  await visitor.page.evaluate(`plausible('pageview', { u: 'http://site.test/app/:id' })`);
  await visitor.pass(3000);
  await visitor.page.evaluate(`plausible('pageview', { u: 'http://site.test/app/end' })`);
  await visitor.finish();
  expect((await site.events(4)).map(({ n, u, e }) => [n, u, e])).toEqual([
    ['pageview', 'http://site.test/app/:id', undefined],
    ['engagement', 'http://site.test/app/:id', 3000],
    ['pageview', 'http://site.test/app/end', undefined],
    ['end', 'http://site.test/application/first', undefined],
  ]);
});

test('the local extension counts on localhost, and programs too', async () => {
  const url = `http://localhost:${site.port}/`;
  await using visitor = await visit('/', '.local', { url, human: false });
  expect(visitor.errors).toEqual([]);
  expect(await site.events(1)).toMatchObject([{ n: 'pageview', u: url }]);
});

test('the gpc extension counts nobody who asks for privacy', async () => {
  const asking = (value: boolean) =>
    `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: ${value} });`;
  await using silent = await visit('/', '.gpc', { before: asking(true) });
  await silent.finish();
  expect(silent.console).toEqual(['Not counted: left out', 'Not counted: left out']);
  await silent.knock();
  expect(await site.events(1)).toEqual([{ n: 'knock' }]);
  await using counted = await visit('/', '.gpc', { before: asking(false) });
  await counted.finish();
  expect((await site.events(2)).map(({ n }) => n)).toEqual(['pageview', 'end']);
});

describe('missing pages', () => {
  const missing = (path: string) => ['404', { path }];

  test('the 404 extension tells by the status of the page, or by its meta element', async () => {
    const meta = '<meta name="prerender-status-code" content="404" />';
    for (const [path, head, expected] of [
      ['/nowhere?x=1', '', [missing('/nowhere')]],
      ['/other', meta, [missing('/other')]],
      ['/other', '', []],
    ] as const) {
      const script = scriptTag('script.404.js');
      await using visitor = await visit(path, '', { head: head + script, realTime: true });
      await visitor.page.evaluate(`history.pushState({}, '', '/application')`);
      expect(await customEvents(visitor)).toEqual(expected);
      const views = site.recorded.filter(({ body }) => body['n'] === 'pageview');
      expect(views).toHaveLength(2);
    }
  });

  test('the snippet that pages already have works too', async () => {
    const snippet = `<script nonce="fixture">
      document.addEventListener('DOMContentLoaded', function () {
        plausible('404', { props: { path: document.location.pathname } });
      });
    </script>`;
    await using visitor = await visit('/', '', {
      head: scriptTag() + snippet,
      url: 'http://site.test/gone',
    });
    expect(await customEvents(visitor)).toEqual([missing('/gone')]);
  });
});

test('the compat extension finds its element by id when a loader runs it', async () => {
  const head = `<script id="plausible" data-domain="site.test" data-api="/proxy/event"></script>
    <script type="module" src="/js/script.compat.js"></script>`;
  await using visitor = await visit('/', '', { head });
  expect(visitor.errors).toEqual([]);
  expect(await site.events(1)).toMatchObject([{ n: 'pageview', d: 'site.test' }]);
  expect(site.recorded[0]?.path).toBe('/proxy/event');
});

describe("a site's own script", () => {
  const STUB = `<script nonce="fixture">
    window.plausible = window.plausible || function () {
      (plausible.q = plausible.q || []).push(arguments);
    };
    plausible.init = plausible.init || function (options) { plausible.o = options || {}; };
  </script>`;
  const OWN = '<script async src="/js/pa-own.js"></script>';
  const inline = (code: string) => `<script nonce="fixture">${code}</script>`;
  const own = (head: string, more: VisitOptions = {}) => {
    site.ownScript = scriptWith(['outbound-links'], { domain: 'own.test' });
    return beginVisit(browser, site, { head, url: 'http://site.test/links', ...more });
  };

  test('knows its site and its features without any attribute', async () => {
    await using visitor = await own(OWN);
    await visitor.page.click('#cancelled');
    expect(await customEvents(visitor)).toEqual([outbound('/cancelled')]);
    expect(site.recorded.map(({ body }) => body['d'])).toEqual([
      'own.test',
      'own.test',
      'own.test',
    ]);
  });

  test('takes what the page passes to init, before the script or after', async () => {
    const options = `{
      endpoint: '/proxy/event',
      hashBasedRouting: true,
      outboundLinks: false,
      fileDownloads: { fileExtensions: ['iso'] },
      formSubmissions: true,
      customProperties: (name) => ({ event: name, size: 1 }),
      transformRequest: (payload) => {
        if (payload.n === 'secret') return null;
        payload.u = payload.u.replace('#part', '');
        return payload;
      },
    }`;
    const init = inline(`plausible.init(${options})`);
    for (const head of [STUB + init + OWN, STUB + OWN.replace('async', '')]) {
      await using visitor = await own(head, { url: 'http://site.test/links#part' });
      const { page } = visitor;
      if (!head.includes(init)) {
        expect(site.recorded).toEqual([]);
        await page.evaluate(`plausible.init(${options})`);
      }
      await page.evaluate(`addEventListener('click', (event) => event.preventDefault())`);
      for (const id of ['#outbound', '#pdf', '#iso']) await page.click(id);
      await page.evaluate(`plausible('secret'); plausible('open', { props: { size: 2 } });`);
      await page.evaluate('plausible.init({})');
      await visitor.finish();
      expect((await site.events(4)).map(({ n, u, d, p, h }) => [n, u, d, p, h])).toEqual([
        ['pageview', 'http://site.test/links', 'own.test', { event: 'pageview', size: 1 }, 1],
        [
          'File Download',
          'http://site.test/links',
          'own.test',
          { event: 'File Download', size: 1, url: 'http://site.test/files/image.iso' },
          1,
        ],
        ['open', 'http://site.test/links', 'own.test', { event: 'open', size: 2 }, 1],
        ['end', 'http://site.test/links', 'own.test', { event: 'end', size: 1 }, 1],
      ]);
      expect(new Set(site.recorded.map(({ path }) => path))).toEqual(new Set(['/proxy/event']));
    }
  });

  test('sends what was queued before init, and no view in manual mode', async () => {
    const calls = inline(`plausible('early'); plausible.init({ autoCapturePageviews: false });`);
    await using visitor = await own(STUB + calls + OWN);
    await visitor.finish();
    expect((await site.events(2)).map(({ n }) => n)).toEqual(['early', 'end']);
  });

  test('is silent on localhost unless told otherwise, and about it unless asked', async () => {
    const url = `http://localhost:${site.port}/`;
    await using silent = await own(STUB + inline('plausible.init({ logging: false })') + OWN, {
      url,
    });
    await silent.finish();
    expect(silent.console).toEqual([]);
    await silent.knock();
    expect(await site.events(1)).toEqual([{ n: 'knock' }]);
    const local = inline('plausible.init({ captureOnLocalhost: true })');
    await using counted = await own(STUB + local + OWN, { url });
    await counted.finish();
    expect((await site.events(2)).map(({ n }) => n)).toEqual(['pageview', 'end']);
  });
});
