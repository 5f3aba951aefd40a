import { chromium, type Browser } from 'playwright-core';

/** Debian's Chromium, or another one that the machine names. */
export const CHROMIUM_PATH = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Headless, as root, without anything that talks to the outside. */
export const CHROMIUM_ARGS: readonly string[] = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface ChromiumOptions {
  /**
   * Sends requests for any host, on the ports of http, to this port of the local machine. Tests
   * need real names, because the script does not count on localhost.
   */
  readonly port?: number;
  /** Keeps the back-forward cache, which Playwright switches off; `goto` and `goBack` dislike it. */
  readonly backForwardCache?: boolean;
  readonly args?: readonly string[];
}

/** Starts a headless browser with a fresh profile, which goes when the browser is closed. */
export async function launchChromium(options: ChromiumOptions = {}): Promise<Browser> {
  const { port, backForwardCache = false, args = [] } = options;
  return chromium.launch({
    executablePath: CHROMIUM_PATH,
    args: [...CHROMIUM_ARGS, ...(port === undefined ? [] : hostArgs(port)), ...args],
    ignoreDefaultArgs: backForwardCache ? ['--disable-back-forward-cache'] : [],
  });
}

/** What sends requests for any host, on the port of http, to this port of the local machine. */
export function hostArgs(port: number): string[] {
  return [`--host-resolver-rules=MAP *:80 127.0.0.1:${port}`];
}
