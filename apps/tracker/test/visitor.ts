import type { Browser, BrowserContext, Page } from 'playwright-core';

import type { RecordingSite } from './recording-site.ts';

/** When the paused clock of a visit stands still. */
const NOW = Date.UTC(2026, 5, 1, 12);

export interface VisitOptions {
  /** What the pages carry in their head; by default the plain script for site.test. */
  readonly head?: string;
  /** Code that runs in each document before anything else. */
  readonly before?: string;
  /** False: the browser admits to being driven by a program. */
  readonly human?: boolean;
  /** The page's first address. */
  readonly url?: string;
  /** True: the real clock and the real measurements of the page's loading. */
  readonly realTime?: boolean;
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Messages that the pages wrote to the console. */
  readonly console: readonly string[];
  /** Errors that nobody in the pages caught. */
  readonly errors: readonly Error[];
  /** Lets a moment of the page's own time pass, of which it has none otherwise. */
  pass: (timeMs: number) => Promise<void>;
  /** Counts a last event, which proves that there is none before it but those that arrive. */
  finish: () => Promise<void>;
  /** The same from outside of the script, where that is expected to send nothing. */
  knock: () => Promise<void>;
}

/** Numbers what a document sends, in the query of the address, since requests overtake each other. */
const ORDER = `
  const send = window.fetch;
  const name = String(Math.random()).slice(2);
  let order = 0;
  window.fetch = (address, options) => send(\`\${address}?order=\${name}.\${order++}\`, options);
`;

/**
 * Lets a test take the visitor's attention off the page and back. A headless browser always claims
 * to be visible and focused, so what it says is replaced, and the events are sent by hand.
 */
export const ATTENTION = `
  let hidden = false;
  let focused = true;
  Object.defineProperty(document, 'hidden', { get: () => hidden });
  document.hasFocus = () => focused;
  window.attention = {
    hide() { hidden = true; document.dispatchEvent(new Event('visibilitychange', { bubbles: true })); },
    show() { hidden = false; document.dispatchEvent(new Event('visibilitychange', { bubbles: true })); },
    blur() { focused = false; dispatchEvent(new Event('blur')); },
    focus() { focused = true; dispatchEvent(new Event('focus')); },
  };
`;

/** The script element for `fileName` with these further attributes. */
export function scriptTag(fileName = 'script.js', attributes = 'data-domain="site.test"'): string {
  return `<script defer ${attributes} src="/js/${fileName}"></script>`;
}

/** Opens a page of the site in a browser window of its own, with a clock that stands still. */
export async function beginVisit(
  browser: Browser,
  site: RecordingSite,
  options: VisitOptions = {},
): Promise<Visit> {
  const { head = scriptTag(), before = '', human = true, realTime = false } = options;
  const { url = 'http://site.test/' } = options;
  site.reset();
  site.head = head;
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  if (human) await context.addInitScript('window.__plausible = true;');
  await context.addInitScript(`{${ORDER}}`);
  if (before !== '') await context.addInitScript(`{${before}}`);
  if (!realTime) {
    await context.clock.install({ time: NOW });
    await context.clock.pauseAt(NOW + 1000);
  }
  const page = await context.newPage();
  const messages: string[] = [];
  const errors: Error[] = [];
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(url);
  return {
    page,
    context,
    console: messages,
    errors,
    pass: async (timeMs) => {
      await context.clock.runFor(timeMs);
    },
    finish: async () => {
      await page.evaluate(`new Promise((resolve) => plausible('end', { callback: resolve }))`);
    },
    knock: async () => {
      await page.evaluate(`fetch('/api/event', { method: 'POST', body: '{"n":"knock"}' })`);
    },
    [Symbol.asyncDispose]: async () => {
      // The ping of a page that is closed would arrive in the middle of the next test.
      const silence = 'window.fetch = () => new Promise(() => {})';
      await Promise.allSettled(context.pages().map((open) => open.evaluate(silence)));
      await context.close();
    },
  };
}
