import { expect } from 'vitest';
import type { TestServer } from '../test-server.ts';

const DOMAIN = 'start.example';

/** Sends an event to the site of these tests, which is made when missing. */
export async function sendPageview(server: TestServer): Promise<Response> {
  server.change((journal) => {
    if (journal.sites.byDomain(DOMAIN) !== undefined) return;
    journal.sites.create({ domain: DOMAIN, timezone: 'UTC', settings: {}, nowMs: Date.now() });
  });
  return await server.sendEvent({ n: 'pageview', u: `https://${DOMAIN}/`, d: DOMAIN });
}

/** How many page views a query finds. */
export async function countPageviews(server: TestServer): Promise<number> {
  const key = server.addKey('stats:read');
  const query = { site_id: DOMAIN, metrics: ['pageviews'], date_range: 'all' };
  const [row] = await server.query(key, query);
  return Number(row?.metrics[0] ?? 0);
}

/**
 * The whole of the server's work: an event is taken and found by a query, and the server stops with
 * exit code 0. `pageviewsBefore` are there already.
 */
export async function expectWorking(server: TestServer, pageviewsBefore = 0): Promise<void> {
  const response = await sendPageview(server);
  expect({ status: response.status, dropped: response.headers.get('x-loggia-dropped') }).toEqual({
    status: 202,
    dropped: null,
  });
  expect(await countPageviews(server)).toBe(pageviewsBefore + 1);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
}
