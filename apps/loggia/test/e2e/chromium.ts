import { chromium, type Browser } from 'playwright-core';

/** Debian's Chromium, or another one that the machine names. */
export const CHROMIUM_PATH = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Headless, as root, silent towards the outside, and with every host on one port of this machine. */
export function chromiumArgs(port: number): string[] {
  return [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--host-resolver-rules=MAP *:80 127.0.0.1:${port}`,
  ];
}

/**
 * A browser with a fresh profile, to which every host is at `port` of this machine. It has the
 * back-forward cache, which Playwright would switch off, so `goBack` waits in vain in it. A user
 * agent is given to the whole browser, because that of a context is forgotten by the requests that
 * outlive their page.
 */
export async function launchChromium(port: number, userAgent?: string): Promise<Browser> {
  const identity = userAgent === undefined ? [] : [`--user-agent=${userAgent}`];
  return chromium.launch({
    executablePath: CHROMIUM_PATH,
    args: [...chromiumArgs(port), ...identity],
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}
