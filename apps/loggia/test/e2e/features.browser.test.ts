import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, BERT, CLEO } from './personas.ts';
import { PlainChromium } from './plain-chromium.ts';
import { Stage } from './stage.ts';
import { application, documentation, plainHost, reading } from './test-sites.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  stage.web.hosts.set('elsewhere.test', plainHost());
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

describe("a site's own script with links, files, forms, tags and missing pages", () => {
  const features = 'outbound-links,file-downloads,form-submissions,tagged-events,revenue,404';
  const byProperty = (name: string, property: string) =>
    stage.report('docs.test', ['visitors', 'events'], {
      dimensions: [`event:props:${property}`],
      filters: [['is', 'event:name', [name]]],
    });

  test('the snippet names the script', async () => {
    const snippet = await stage.addSite('docs.test', '--features', features);
    expect(snippet).toMatch(
      /^<script defer data-domain="docs\.test" src="http:\/\/stats\.test\/js\/pa-\w{16}\.js"><\/script>$/,
    );
    await stage.command('goal add docs.test --event Order --currency EUR');
    stage.web.hosts.set('docs.test', documentation(snippet));
  });

  test('Ada clicks on everything', async () => {
    await using ada = await stage.arrive(ADA);
    const { page } = ada;
    const { web } = stage;
    await page.goto('http://docs.test/');
    expect(await web.events(1)).toEqual(['pageview /']);
    const [tab] = await Promise.all([page.context().waitForEvent('page'), page.click('#outbound')]);
    expect(await web.events(1)).toEqual(['Outbound Link: Click /']);
    await tab.close();
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('#file')]);
    expect(file.suggestedFilename()).toBe('Report.pdf');
    expect(await web.events(1)).toEqual(['File Download /']);
    await page.click('#order');
    expect(await web.events(1)).toEqual(['Order /']);
    await ada.pass(8000);
    await page.click('#contact');
    expect(await web.events(2)).toEqual(['engagement / 100% 8000ms', 'pageview /contact']);
    await page.click('#send');
    await page.fill('#text', 'Hello');
    await ada.pass(4000);
    await page.click('#send');
    expect(await web.events(3)).toEqual([
      'Form: Submission /contact',
      'engagement /contact 100% 4000ms',
      'pageview /thanks',
    ]);
    await page.click('#gone');
    expect(await web.events(3)).toEqual([
      '404 /gone',
      'engagement /thanks 100% 0ms',
      'pageview /gone',
    ]);
    await page.click('#exit');
    expect(await web.events(2)).toEqual([
      'Outbound Link: Click /gone',
      'engagement /gone 100% 0ms',
    ]);
    expect(ada.errors).toEqual([]);
  });

  test('Bert meets a dead link, and goes back to where he was', async () => {
    await using bert = await stage.arrive(BERT);
    await bert.page.goto('http://docs.test/nowhere');
    expect(await stage.web.events(2)).toEqual(['404 /nowhere', 'pageview /nowhere']);
    await bert.pass(3000);
    await bert.page.goto('about:blank');
    expect(await stage.web.events(1)).toEqual(['engagement /nowhere 100% 3000ms']);
  });

  test('the main numbers: a missing page is no interaction', async () => {
    const metrics = ['visitors', 'visits', 'pageviews', 'events', 'bounce_rate', 'visit_duration'];
    expect(await stage.report('docs.test', metrics)).toEqual([[2, 2, 5, 12, 50, 6]]);
    const names = await stage.report('docs.test', ['visitors', 'events'], {
      dimensions: ['event:name'],
    });
    expect(names).toEqual([
      ['404', 2, 2],
      ['File Download', 1, 1],
      ['Form: Submission', 1, 1],
      ['Order', 1, 1],
      ['Outbound Link: Click', 1, 2],
      ['pageview', 2, 5],
    ]);
  });

  test('which links, files, forms and missing pages', async () => {
    expect(await byProperty('Outbound Link: Click', 'url')).toEqual([
      ['http://elsewhere.test/', 1, 1],
      ['http://elsewhere.test/paper?q=1#part', 1, 1],
    ]);
    expect(await byProperty('File Download', 'url')).toEqual([
      ['http://docs.test/files/Report.pdf', 1, 1],
    ]);
    expect(await byProperty('Form: Submission', 'path')).toEqual([['/contact', 1, 1]]);
    expect(await byProperty('404', 'path')).toEqual([
      ['/gone', 1, 1],
      ['/nowhere', 1, 1],
    ]);
  });

  test('the tagged button with its property and revenue', async () => {
    expect(await byProperty('Order', 'size')).toEqual([['XL wide', 1, 1]]);
    const filters = [['is', 'event:goal', ['Order']]];
    const metrics = ['total_revenue', 'conversion_rate'];
    expect(await stage.report('docs.test', metrics, { filters })).toEqual([
      [expect.objectContaining({ value: 12.5, currency: 'EUR' }), 50],
    ]);
  });
});

test('an application that keeps its place in the fragment has a page for each', async () => {
  const snippet = await stage.addSite('app.test', '--features', 'hash');
  stage.web.hosts.set('app.test', application(snippet));
  const { web } = stage;
  {
    await using cleo = await stage.arrive(CLEO);
    await cleo.page.goto('http://app.test/?utm_source=mail#/inbox');
    expect(await web.events(1)).toEqual(['pageview /#/inbox']);
    await cleo.pass(3000);
    await cleo.page.click('#settings');
    expect(await web.events(2)).toEqual([
      'engagement /#/inbox 100% 3000ms',
      'pageview /#/settings',
    ]);
    await cleo.pass(9000);
    await cleo.page.click('#exit');
    expect(await web.events(1)).toEqual(['engagement /#/settings 100% 9000ms']);
  }
  const metrics = ['visitors', 'pageviews', 'time_on_page', 'scroll_depth'];
  expect(await stage.report('app.test', metrics, { dimensions: ['event:page'] })).toEqual([
    ['/#/inbox', 1, 1, 3, 100],
    ['/#/settings', 1, 1, 9, 100],
  ]);
  const visits = ['visits', 'views_per_visit', 'bounce_rate', 'visit_duration'];
  expect(await stage.report('app.test', visits, { dimensions: ['visit:source'] })).toEqual([
    ['mail', 1, 2, 0, 12],
  ]);
});

test('the time that a tab lies hidden under another one is not time on the page', async () => {
  const snippet = await stage.addSite('read.test');
  stage.web.hosts.set('read.test', reading(snippet));
  const { web } = stage;
  {
    await using browser = await PlainChromium.launch(web.port, ADA.userAgent);
    const tab = await browser.openTab('http://read.test/story');
    expect(await web.events(2)).toEqual(['attended /story', 'pageview /story']);
    await browser.openTab('about:blank');
    expect(await web.events(2)).toEqual(['engagement /story 100% 30000ms', 'hidden /story']);
    await browser.showTab(tab);
    expect(await web.events(1)).toEqual(['attended /story']);
    await browser.openTab('about:blank');
    expect(await web.events(2)).toEqual(['engagement /story 100% 30000ms', 'hidden /story']);
  }
  const metrics = ['visitors', 'pageviews', 'time_on_page', 'scroll_depth', 'bounce_rate'];
  expect(await stage.report('read.test', metrics, { dimensions: ['event:page'] })).toEqual([
    ['/story', 1, 1, 60, 100, 100],
  ]);
});
