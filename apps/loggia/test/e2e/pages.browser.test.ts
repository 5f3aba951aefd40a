import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer } from '../test-server.ts';
import { launchChromium } from './chromium.ts';
import { CRAWLER } from './personas.ts';
import { ServerClock } from './server-clock.ts';

const NAME = 'ada';
const PASSWORD = 'correct horse battery';
const HOME = 'http://stats.test/';

/** Noon, so that no test sees a day end. */
const clock = new ServerClock(Date.UTC(2026, 5, 1, 12));
let server: TestServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await TestServer.start({ env: { ...clock.env, LOGGIA_BASE_URL: 'http://stats.test' } });
  browser = await launchChromium(Number(new URL(server.url).port));
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
});

afterAll(async () => {
  await browser.close();
  await server[Symbol.asyncDispose]();
  clock[Symbol.dispose]();
});

/** Presses Tab until the focus is on what matches `selector`. */
async function tabTo(selector: string): Promise<void> {
  for (let count = 0; count < 20; count += 1) {
    await page.keyboard.press('Tab');
    if (await isFocused(selector)) return;
  }
  throw new Error(`Twenty presses of Tab do not reach ${selector}.`);
}

/** Waits for the focus that a page gives by itself, which may come after its loading. */
async function focused(selector: string): Promise<void> {
  await page.locator(`${selector}:focus`).waitFor();
}

async function isFocused(selector: string): Promise<boolean> {
  const probe = `document.activeElement.matches(${JSON.stringify(selector)})`;
  return (await page.evaluate(probe)) === true;
}

/** What a person who looks at the site's card reads there. */
function card(): Promise<string> {
  return page.locator('article').innerText();
}

async function sendView(path: string, headers: Readonly<Record<string, string>> = {}) {
  const event = { n: 'pageview', u: `http://shop.test${path}`, d: 'shop.test' };
  return (await server.sendEvent(event, headers)).status;
}

/** The first run, with nothing but the keyboard. */
describe('the first run', () => {
  test('without an account, the page tells where the set-up link is', async () => {
    await page.goto(HOME);
    expect(await page.locator('h1').innerText()).toBe('Almost there');
    expect(await page.locator('main').innerText()).toContain('npx loggia setup');
  });

  test('the link from the log makes the account', async () => {
    const link = /"setup_url":"([^"]+)"/.exec(server.output())?.[1] ?? 'no link';
    await page.goto(link);
    await focused('#name');
    await page.keyboard.type(NAME);
    await tabTo('#password');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL(HOME);
    expect(await page.locator('main').innerText()).toContain('Add your first site.');
    await page.goto(link);
    expect(await page.locator('h1').innerText()).toBe('This link does not work any more');
    await page.goto(HOME);
  });

  test('a domain that is none is refused with what was typed still there', async () => {
    await tabTo('#domain');
    await page.keyboard.type('not a domain');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await page.inputValue('#domain')).toBe('not a domain');
  });

  test('a site is added, and its snippet shown', async () => {
    await page.goto(HOME);
    await tabTo('#domain');
    await page.keyboard.type('shop.test');
    await tabTo('#timezone');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('Europe/Berlin');
    await tabTo('form[action="/sites"] button');
    await page.keyboard.press('Enter');
    await page.waitForURL(HOME);
    await page.locator('article').waitFor();
    const text = await card();
    expect(text).toContain('shop.test');
    expect(text).toContain('Europe/Berlin');
    expect(text).toContain('0 current visitors');
    expect(text).toContain('Waiting for the first page view');
    expect(await page.locator('pre').innerText()).toBe(
      '<script defer data-domain="shop.test" src="http://stats.test/js/script.js"></script>',
    );
  });

  test('the first page view is there at the next look', async () => {
    expect(await sendView('/')).toBe(202);
    expect(await sendView('/', { 'user-agent': CRAWLER.userAgent })).toBe(202);
    await page.reload();
    const text = await card();
    expect(text).toContain('1 current visitor');
    expect(text).not.toContain('Waiting');
    const numbers = await page.locator('dl div').allInnerTexts();
    expect(numbers.map((each) => each.split(/\s*\n\s*/))).toEqual([
      ['Visitors', '1'],
      ['Visits', '1'],
      ['Page views', '1'],
      ['Bounce rate', '100 %'],
      ['Visit duration', '0s'],
    ]);
  });

  test('the snippet folds out', async () => {
    const snippet = page.locator('article pre').first();
    expect(await snippet.isVisible()).toBe(false);
    await tabTo('summary');
    await page.keyboard.press('Enter');
    await snippet.waitFor({ state: 'visible' });
  });

  test('log out, fail to log in, log in', async () => {
    await tabTo('form[action="/logout"] button');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${HOME}login`);
    await focused('#name');
    await page.keyboard.type(NAME);
    await tabTo('#password');
    await page.keyboard.type('wrong password');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('alert').innerText()).toBe('The name or the password is wrong.');
    expect(await page.inputValue('#name')).toBe(NAME);
    await focused('#name');
    await tabTo('#password');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL(HOME);
    expect(await card()).toContain('shop.test');
  });

  test('what was not counted is told with the reason, within some seconds', async () => {
    const dropped = async () => {
      await page.reload();
      const texts = await page.locator('.drops li').allTextContents();
      return texts.map((text) => text.trim().replace(/\s+/g, ' '));
    };
    const lines = ['1 The user agent is a crawler, a monitor or an automated browser.'];
    await expect.poll(dropped, { timeout: 30_000, interval: 500 }).toEqual(lines);
  });
});

describe('what it looks like', () => {
  /** How far the page can be scrolled to the side. */
  const overflow = () =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  test.each(['', 'login', 'setup?token=spent', 'no-such-page'])(
    'nothing sticks out at 360 pixels: /%s',
    async (path) => {
      await page.setViewportSize({ width: 360, height: 740 });
      await page.goto(HOME + path);
      expect(await overflow()).toBe(0);
    },
  );

  test.each(['light', 'dark'] as const)('text can be read on its ground: %s', async (scheme) => {
    await page.emulateMedia({ colorScheme: scheme });
    for (const path of ['', 'login']) {
      await page.goto(HOME + path);
      expect(await page.evaluate(LOW_CONTRASTS)).toEqual([]);
    }
  });
});

/**
 * The texts of the page whose contrast with what is behind them is below 4.5 to 1, the least that
 * WCAG 2 asks for (level AA).
 */
const LOW_CONTRASTS = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = color.slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const groundOf = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.data.trim())
      .join('');
    if (!text && element.tagName !== 'INPUT') continue;
    const ink = luminance(parse(getComputedStyle(element).color));
    const ground = luminance(groundOf(element));
    const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    if (ratio < 4.5) low.push([text, ratio]);
  }
  return low;
})()`;
