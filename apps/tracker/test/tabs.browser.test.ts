import { expect, test } from 'vitest';

import { PlainChromium } from './plain-chromium.ts';
import { RecordingSite } from './recording-site.ts';
import { scriptTag } from './visitor.ts';

const HUMAN = '<script nonce="fixture">window.__plausible = true;</script>';

/** What a page tells on its own: every change of its visibility. */
const WATCH = `<script nonce="fixture">
  document.addEventListener('visibilitychange', () => {
    window.plausible && plausible(document.visibilityState);
  });
</script>`;

test('a tab that another one covers is hidden: its ping goes out at once', async () => {
  await using site = await RecordingSite.open();
  await using browser = await PlainChromium.launch(site.port);
  site.head = HUMAN + scriptTag() + WATCH;
  const tab = await browser.openTab('http://site.test/');
  await site.events(1);
  await browser.openTab('about:blank');
  const events = await site.events(3);
  expect(new Set(events.map(({ n }) => n))).toEqual(new Set(['pageview', 'engagement', 'hidden']));
  expect(events.find(({ n }) => n === 'engagement')).toMatchObject({ sd: 100 });
  await browser.showTab(tab);
  expect((await site.events(4))[3]).toMatchObject({ n: 'visible' });
});

test('a prerendered page is viewed when the visitor gets there, not before', async () => {
  await using site = await RecordingSite.open();
  await using browser = await PlainChromium.launch(site.port);
  const prerender = `<script nonce="fixture" type="speculationrules">
      { "prerender": [{ "urls": ["/other"], "eagerness": "immediate" }] }
    </script>
    <script nonce="fixture">
      if (document.prerendering) addEventListener('load', () => plausible('prerendered'));
      else if (location.pathname === '/') fetch('/signal').then(() => { location.href = '/other'; });
    </script>`;
  site.head = HUMAN + scriptTag() + prerender;
  await browser.openTab('http://site.test/');
  const paths = (recorded: typeof site.recorded) =>
    recorded.map(({ body: { n, u } }) => [n, new URL(String(u)).pathname]);
  await site.events(2);
  expect(paths(site.recorded)).toEqual(
    expect.arrayContaining([
      ['pageview', '/'],
      ['prerendered', '/other'],
    ]),
  );
  site.signal();
  await site.events(4);
  expect(paths(site.recorded.slice(2))).toEqual(
    expect.arrayContaining([
      ['engagement', '/'],
      ['pageview', '/other'],
    ]),
  );
});
