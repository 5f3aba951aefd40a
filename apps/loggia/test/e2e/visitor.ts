import type { Page } from 'playwright-core';
import { launchChromium } from './chromium.ts';
import type { ServerClock } from './server-clock.ts';

/** A person before a browser of a certain make. */
export interface Persona {
  readonly userAgent: string;
  readonly viewport: { readonly width: number; readonly height: number };
  readonly locale: string;
  /** Where the proxy sees them; absent for the machine itself. */
  readonly address?: string;
}

/** The script counts no browser that a program drives, unless told otherwise. */
const BEFORE_CLOCK = `
  window.__plausible = true;
  window.entriesByType = performance.getEntriesByType.bind(performance);
`;
/** The test's clock brings a 'performance' without the page's loading, which tells its status. */
const AFTER_CLOCK = 'performance.getEntriesByType = window.entriesByType;';

/** A browser of their own, in which time passes when the test says so. */
export class Visitor {
  readonly page: Page;
  /** Errors that nobody in the pages caught. */
  readonly errors: Error[] = [];
  readonly #clock: ServerClock;

  private constructor(page: Page, clock: ServerClock) {
    this.page = page;
    this.#clock = clock;
    page.on('pageerror', (error) => this.errors.push(error));
  }

  /** Starts a browser that has the web at `port`, and whose clock stands where the server's does. */
  static async arrive(persona: Persona, port: number, clock: ServerClock): Promise<Visitor> {
    const { userAgent, viewport, locale } = persona;
    const browser = await launchChromium(port, userAgent);
    const context = await browser.newContext({ viewport, locale });
    await context.addInitScript(BEFORE_CLOCK);
    await context.clock.install({ time: clock.nowMs });
    await context.addInitScript(AFTER_CLOCK);
    await context.clock.pauseAt(clock.nowMs + 1000);
    return new Visitor(await context.newPage(), clock);
  }

  /** Lets time pass for the visitor and for the server alike. */
  async pass(timeMs: number): Promise<void> {
    await this.page.context().clock.runFor(timeMs);
    this.#clock.pass(timeMs);
  }

  /** Scrolls so far down, and waits until the page has noticed. */
  async scrollTo(topPx: number): Promise<void> {
    await this.page.evaluate(`new Promise((resolve) => {
      addEventListener('scroll', () => resolve(), { once: true });
      scrollTo(0, ${topPx});
    })`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().browser()?.close();
  }
}
