import { describe, expect, it } from 'vitest';
import { DaemonFixture, notes, post } from './daemon-fixture.ts';
import type { DaemonProcess } from './daemon-process.ts';

const fixture = new DaemonFixture();
const ROUNDS = 15;

/** What one client is told on the primary, and then shown on the replica, in turns over databases. */
async function readYourWrites(
  nodes: readonly DaemonProcess[],
  paths: readonly string[],
): Promise<string> {
  const [primary, replica] = nodes;
  if (primary === undefined || replica === undefined) throw new RangeError('there are two nodes');
  let cookie = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const path of paths) {
      const text = `${path} ${round}`;
      const headers: Record<string, string> = cookie === '' ? {} : { cookie };
      const answer = await fetch(`${primary.url}${path}`, { method: 'POST', body: text, headers });
      expect(await answer.json()).toBe(text);
      cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie;
      expect(await notes(replica, path, { cookie })).toContain(text);
    }
  }
  return cookie;
}

describe('a client that writes on one node and reads on the other', () => {
  it('reads what it has written to any of several databases, folders included', async () => {
    const { nodes } = await fixture.staticPair();
    const cookie = await readYourWrites(nodes, ['/', '/zebra', '/shop/orders']);
    expect(cookie).toMatch(/^__txid=[\w-]{8}:\d+\.[\da-f]+(?:\+[\w-]{8}:\d+\.[\da-f]+){2}$/);
  });

  it('reads what it has written where there are more databases than a cookie names', async () => {
    const { nodes } = await fixture.staticPair();
    const [primary] = nodes;
    if (primary === undefined) throw new RangeError('there are two nodes');
    for (let at = 0; at < 33; at += 1)
      expect(await post(primary, 'first', `/tenant-${at}`)).toBe(201);
    const cookie = await readYourWrites(nodes, ['/tenant-0', '/tenant-32']);
    expect(cookie).toBe('__txid=*');
  });

  it('carries one position where the configuration names the database that counts', async () => {
    const { nodes } = await fixture.staticPair([], {
      env: { TANDEM_PROXY_DATABASE: 'zebra.db' },
    });
    const cookie = await readYourWrites(nodes, ['/zebra']);
    expect(cookie).toMatch(/^__txid=\d+\.[\da-f]{16}$/);
  });
});
