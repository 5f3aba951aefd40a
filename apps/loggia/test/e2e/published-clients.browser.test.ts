import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADA, CLEO } from './personas.ts';
import { Stage } from './stage.ts';
import { clientPages, plainHost } from './test-sites.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  stage.web.hosts.set('elsewhere.test', plainHost());
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/**
 * The program in `clients/`, with the client that it imports, as a page loads it. It is JavaScript,
 * as in the pages of most sites: the types of one client do not fit what a bundler takes of it.
 */
async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`./clients/${name}.js`, import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
  });
  return outputFiles[0]?.text ?? '';
}

test('@plausible-analytics/tracker', async () => {
  await stage.addSite('new.test');
  await stage.command('goal add new.test --event Purchase --currency USD');
  stage.web.hosts.set('new.test', clientPages(await bundle('plausible-analytics-page')));
  const { web } = stage;
  {
    await using ada = await stage.arrive(ADA);
    const { page } = ada;
    await page.goto('http://new.test/?utm_source=news');
    expect(await web.events(1)).toEqual(['pageview /']);
    await ada.pass(5000);
    await page.evaluate(`history.pushState({}, '', '/next')`);
    expect(await web.events(2)).toEqual(['engagement / 100% 5000ms', 'pageview /next']);
    const status = await page.evaluate(`new Promise((resolve) => track('Purchase', {
      props: { plan: 'pro' }, revenue: { amount: '20.50', currency: 'USD' }, callback: resolve,
    }))`);
    expect(status).toEqual({ status: 202 });
    expect(await web.events(1)).toEqual(['Purchase /next']);
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('#file')]);
    expect(file.suggestedFilename()).toBe('Report.pdf');
    expect(await web.events(1)).toEqual(['File Download /next']);
    await page.click('#send');
    expect(await web.events(1)).toEqual(['Form: Submission /next']);
    await ada.pass(7000);
    await page.click('#exit');
    expect(await web.events(2)).toEqual([
      'Outbound Link: Click /next',
      'engagement /next 100% 7000ms',
    ]);
    expect(ada.errors).toEqual([]);
  }
  const metrics = ['visitors', 'visits', 'pageviews', 'events', 'bounce_rate', 'visit_duration'];
  expect(await stage.report('new.test', metrics)).toEqual([[1, 1, 2, 6, 0, 12]]);
  const pages = ['pageviews', 'time_on_page', 'scroll_depth'];
  expect(await stage.report('new.test', pages, { dimensions: ['event:page'] })).toEqual([
    ['/', 1, 5, 100],
    ['/next', 1, 7, 100],
  ]);
  const revenue = await stage.report('new.test', ['events', 'total_revenue'], {
    filters: [['is', 'event:goal', ['Purchase']]],
  });
  expect(revenue).toEqual([[1, expect.objectContaining({ value: 20.5, currency: 'USD' })]]);
  const counted = (property: string) =>
    stage.report('new.test', ['events'], { dimensions: [`event:props:${property}`] });
  expect(await counted('author')).toEqual([['Ada', 6]]);
  expect(await counted('plan')).toEqual([
    ['(none)', 5],
    ['pro', 1],
  ]);
  expect(await counted('url')).toEqual([
    ['(none)', 4],
    ['http://elsewhere.test/', 1],
    ['http://new.test/files/Report.pdf', 1],
  ]);
  expect(await stage.report('new.test', ['visits'], { dimensions: ['visit:source'] })).toEqual([
    ['news', 1],
  ]);
});

test('plausible-tracker', async () => {
  await stage.addSite('old.test');
  stage.web.hosts.set('old.test', clientPages(await bundle('plausible-tracker-page')));
  const { web } = stage;
  {
    await using cleo = await stage.arrive(CLEO);
    const { page } = cleo;
    await page.goto('http://old.test/');
    expect(await web.events(1)).toEqual(['pageview /']);
    await cleo.pass(4000);
    await page.evaluate(`history.pushState({}, '', '/next')`);
    expect(await web.events(1)).toEqual(['pageview /next']);
    await page.evaluate(`new Promise((resolve) => trackEvent('Signup', {
      props: { plan: 'free', seats: 3 }, callback: resolve,
    }))`);
    expect(await web.events(1)).toEqual(['Signup /next']);
    await cleo.pass(2000);
    await page.click('#exit');
    expect(await web.events(1)).toEqual(['Outbound Link: Click /next']);
    expect(cleo.errors).toEqual([]);
  }
  const metrics = ['visitors', 'visits', 'pageviews', 'events', 'bounce_rate', 'visit_duration'];
  expect(await stage.report('old.test', metrics)).toEqual([[1, 1, 2, 4, 0, 6]]);
  const counted = (dimension: string) =>
    stage.report('old.test', ['events'], { dimensions: [dimension] });
  expect(await counted('event:page')).toEqual([
    ['/', 1],
    ['/next', 3],
  ]);
  expect(await counted('event:props:plan')).toEqual([
    ['(none)', 3],
    ['free', 1],
  ]);
  expect(await counted('event:props:seats')).toEqual([
    ['(none)', 3],
    ['3', 1],
  ]);
  expect(await counted('event:props:url')).toEqual([
    ['(none)', 3],
    ['http://elsewhere.test/', 1],
  ]);
});
