import { readFileSync } from 'node:fs';
import { request as requestHttps, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { HttpFixture, readReply, TOKEN, type Reply } from './http-fixture.ts';

const file = (name: string): string =>
  readFileSync(new URL(`testdata/tls/${name}`, import.meta.url), 'utf8');
const TLS = { cert: file('server.crt'), key: file('server.key') };

const PATHS: readonly (readonly [string, string])[] = [
  ['/info', 'GET'],
  ['/status', 'GET'],
  ['/events', 'GET'],
  ['/metrics', 'GET'],
  ['/debug/vars', 'GET'],
  ['/export?name=app.db', 'GET'],
  ['/export?name=app.db', 'HEAD'],
  ['/import?name=app.db', 'POST'],
  ['/promote', 'POST'],
  ['/handoff', 'POST'],
  ['/tandem/position', 'GET'],
  ['/tandem/failsafe', 'POST'],
  ['/halt', 'DELETE'],
];

describe('without the token', () => {
  it('nothing is told and nothing changed', async () => {
    await using fixture = await HttpFixture.open();
    for (const [path, method] of PATHS) {
      const { status, headers } = await fixture.ask(path, { method, isKnown: false });
      expect([path, status]).toEqual([path, 401]);
      expect(headers['www-authenticate']).toBe('Bearer realm="tandem"');
      expect(headers).not.toHaveProperty('litefs-cluster-id');
    }
    expect(fixture.node.done).toEqual([]);
  });

  it('the answer says what is missing', async () => {
    await using fixture = await HttpFixture.open();
    const none = await fixture.ask('/info', { isKnown: false });
    expect(none.json['error']).toBe('The request bears no token.');
    const wrong = await fixture.ask('/info', {
      isKnown: false,
      headers: { authorization: 'Bearer wrong' },
    });
    expect(wrong.json['error']).toBe('The token is not one that this node knows.');
    expect(wrong.text).not.toContain('wrong');
  });
});

it('while tokens are changed, both are good', async () => {
  await using fixture = await HttpFixture.open(undefined, { access: { tokens: ['old', 'new'] } });
  for (const [token, status] of [
    ['old', 200],
    ['new', 200],
    ['older', 401],
    ['', 401],
  ] as const) {
    const headers = { authorization: `Bearer ${token}` };
    expect((await fixture.ask('/info', { isKnown: false, headers })).status).toBe(status);
  }
});

it('with neither token nor anything else, nobody is let in', async () => {
  await using fixture = await HttpFixture.open(undefined, { access: { tokens: [''] } });
  const headers = { authorization: 'Bearer ' };
  expect((await fixture.ask('/info', { isKnown: false, headers })).status).toBe(401);
  expect((await fixture.ask('/livez', { isKnown: false })).status).toBe(200);
});

describe('open on loopback', () => {
  const open = { access: { isOpenOnLoopback: true } };

  it('lets programs of this machine in', async () => {
    await using fixture = await HttpFixture.open(undefined, open);
    for (const host of ['localhost', 'localhost:20202', '127.0.0.1:20202', '[::1]:20202']) {
      const { status } = await fixture.ask('/info', { isKnown: false, headers: { host } });
      expect([host, status]).toEqual([host, 200]);
    }
  });

  it('does not let in the pages of a browser, or whoever comes through a proxy', async () => {
    await using fixture = await HttpFixture.open(undefined, open);
    for (const headers of [
      { origin: 'https://example.org' },
      { 'sec-fetch-site': 'same-origin' },
      { 'x-forwarded-for': '203.0.113.7' },
      { forwarded: 'for=203.0.113.7' },
      { via: '1.1 proxy' },
      { host: 'rebound.example.org' },
    ]) {
      const { status, json } = await fixture.ask('/handoff', {
        method: 'POST',
        isKnown: false,
        headers,
      });
      expect([headers, status, json['code']]).toEqual([headers, 401, 'unauthorised']);
    }
    expect(fixture.node.done).toEqual([]);
  });

  it('lets those in who have a token after all', async () => {
    await using fixture = await HttpFixture.open(undefined, {
      access: { isOpenOnLoopback: true, tokens: [TOKEN] },
    });
    const headers = { 'x-forwarded-for': '203.0.113.7' };
    expect((await fixture.ask('/info', { headers })).status).toBe(200);
  });
});

describe('TLS', () => {
  const ask = async (port: number, options: RequestOptions): Promise<Reply> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const target = { host: '127.0.0.1', port, path: '/info', agent: false, ca: file('ca.crt') };
    requestHttps({ ...target, ...options }, resolve)
      .on('error', reject)
      .end();
    return await readReply(await promise);
  };
  const client = { cert: file('client.crt'), key: file('client.key') };
  const stranger = { cert: file('stranger.crt'), key: file('stranger.key') };
  const bearer = { headers: { authorization: `Bearer ${TOKEN}` } };

  it('carries tokens', async () => {
    await using fixture = await HttpFixture.open(undefined, { tls: TLS });
    expect((await ask(fixture.port, bearer)).status).toBe(200);
    expect((await ask(fixture.port, client)).status).toBe(401);
    await expect(ask(fixture.port, { ...bearer, ca: file('stranger.crt') })).rejects.toThrow(
      'certificate',
    );
  });

  it('lets in whom a certificate of its authority stands for, and nobody else', async () => {
    await using fixture = await HttpFixture.open(undefined, {
      tls: { ...TLS, ca: file('ca.crt') },
      access: { tokens: [TOKEN], acceptsCertificates: true },
    });
    expect((await ask(fixture.port, client)).status).toBe(200);
    expect((await ask(fixture.port, stranger)).status).toBe(401);
    expect((await ask(fixture.port, {})).status).toBe(401);
    expect((await ask(fixture.port, { ...stranger, ...bearer })).status).toBe(200);
  });

  it('is all the port speaks', async () => {
    await using fixture = await HttpFixture.open(undefined, { tls: TLS });
    await expect(fixture.ask('/livez')).rejects.toThrow(/socket hang up|ECONNRESET|Parse Error/);
    expect((await ask(fixture.port, { path: '/livez' })).status).toBe(200);
  });
});
