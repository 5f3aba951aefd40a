import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Ending, TestServer } from '../test-server.ts';

const DOMAIN = 'start.example';
const MAKE_SITE = fileURLToPath(new URL('make-site.ts', import.meta.url));

/**
 * Makes the site of these tests when it is missing, and a key to its numbers. `under` runs that
 * under another command: a folder among mounts of its own cannot be reached from outside, since
 * SQLite resolves the links of /proc that lead there.
 */
export function makeSite(server: TestServer, under: readonly string[] = []): string {
  const node = [process.execPath, MAKE_SITE, server.dataDir, DOMAIN];
  const [program = '', ...parameters] = [...under, ...node];
  const { status, stdout, stderr } = spawnSync(program, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Sends a page view to the site, and expects that it is taken. */
export async function sendPageview(server: TestServer): Promise<void> {
  const response = await tryPageview(server);
  const dropped = response.headers.get('x-loggia-dropped');
  expect({ status: response.status, dropped }).toEqual({ status: 202, dropped: null });
}

/** Sends a page view whatever the answer. */
export async function tryPageview(server: TestServer): Promise<Response> {
  const url = `https://${DOMAIN}/?utm_campaign=${'x'.repeat(100)}`;
  return await server.sendEvent({ n: 'pageview', u: url, d: DOMAIN });
}

/** How many page views a query finds. */
export async function countPageviews(server: TestServer, key: string): Promise<number> {
  const query = { site_id: DOMAIN, metrics: ['pageviews'], date_range: 'all' };
  const [row] = await server.query(key, query);
  return Number(row?.metrics[0] ?? 0);
}

/** What a trial saw. */
export interface Trial {
  /** Of the answer to an event. */
  readonly status: number;
  readonly dropped: string | null;
  /** What a query found after it. */
  readonly pageviews: number;
  readonly ending: Ending;
}

/**
 * The whole of the server's work: an event is sent, a query counts it, the server is stopped. The
 * site and a key are made unless there is a `key` already.
 */
export async function trial(server: TestServer, key = addSite(server)): Promise<Trial> {
  const { status, headers } = await tryPageview(server);
  const dropped = headers.get('x-loggia-dropped');
  const pageviews = await countPageviews(server, key);
  return { status, dropped, pageviews, ending: await server.stop() };
}

/** A trial in which all went well, with so many page views in the end. */
export function success(pageviews: number): Trial {
  return { status: 202, dropped: null, pageviews, ending: { code: 0, signal: null } };
}

/** As `makeSite`, for a folder that this process can open itself. */
export function addSite(server: TestServer): string {
  server.change((journal) => {
    if (journal.sites.byDomain(DOMAIN) !== undefined) return;
    journal.sites.create({ domain: DOMAIN, timezone: 'UTC', settings: {}, nowMs: Date.now() });
  });
  return server.addKey('stats:read');
}
