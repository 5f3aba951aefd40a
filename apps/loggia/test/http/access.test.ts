import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AssertionError } from '@tandem/base';
import { KEY_SCOPES, type KeyScope } from '@loggia/contract';
import { hashPassword } from '../../src/accounts/password.ts';
import type { Access } from '../../src/server/access.ts';
import type { RouteEntry } from '../../src/server/route-table.ts';
import { TestServer } from '../test-server.ts';
import { LocalApp } from './local-app.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SCOPES = Object.keys(KEY_SCOPES) as KeyScope[];
const PASSWORD = 'correct horse battery';

/** The same routes in this process, for what needs no socket; browsers come to it by https. */
let local: LocalApp;
let server: TestServer;
let userId = 0;

beforeAll(async () => {
  local = await LocalApp.open({ LOGGIA_BASE_URL: 'https://stats.example.org' });
  server = await TestServer.start();
  // Until the first catch-up, `/readyz` refuses everybody.
  const isReady = async () => (await fetch(`${server.url}/readyz`)).ok;
  await vi.waitUntil(isReady, { timeout: 60_000 });
  userId = await addUser('matrix');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await local[Symbol.asyncDispose]();
});

async function addUser(name: string): Promise<number> {
  const passwordHash = await hashPassword(PASSWORD);
  return server.change(
    (journal) => journal.users.create({ name, passwordHash, nowMs: Date.now() }).id,
  );
}

function cookie(expiresMs = Date.now() + 20 * DAY_MS): string {
  const session = { userId, nowMs: Date.now() - DAY_MS, expiresMs };
  const token = server.change((journal) => journal.sessions.create(session));
  return `loggia_session=${token}`;
}

const form = (fields: Readonly<Record<string, string>>) => ({
  method: 'POST',
  body: new URLSearchParams(fields).toString(),
  redirect: 'manual' as const,
});

let lastAddress = 0;
/** Clients apart, so that one test's attempts do not use up the limits of another. */
function otherClient(): Record<string, string> {
  lastAddress += 1;
  return { 'x-forwarded-for': `198.51.${lastAddress >> 8}.${lastAddress & 255}` };
}

interface Caller {
  readonly name: string;
  readonly headers: () => Readonly<Record<string, string>>;
  /** The code of the refusal by the route's access, undefined when it may. */
  readonly refusal: (access: Access) => string | undefined;
}

const needsKey = (access: Access) => (access === 'public' ? undefined : 'no_key');
const covers = (scope: KeyScope, access: Access) =>
  access === scope || (scope === 'sites:write' && access === 'sites:read');

const CALLERS: readonly Caller[] = [
  { name: 'nobody', headers: () => ({}), refusal: needsKey },
  {
    name: 'a bad key',
    headers: () => ({ authorization: 'Bearer loggia_unknown' }),
    refusal: (access) => (access === 'login' ? 'no_key' : needsKey(access) && 'bad_key'),
  },
  ...SCOPES.map((scope): Caller => ({
    name: `a key for ${scope}`,
    headers: () => ({ authorization: `Bearer ${server.addKey(scope)}` }),
    refusal: (access) => {
      if (access === 'login') return 'no_key';
      return access === 'public' || covers(scope, access) ? undefined : 'forbidden';
    },
  })),
  {
    name: 'a revoked key',
    headers: () => {
      const key = server.change((journal) => {
        const made = journal.keys.create({ name: 'gone', scopes: SCOPES, nowMs: Date.now() });
        journal.keys.revoke(made.id);
        return made.key;
      });
      return { authorization: `Bearer ${key}` };
    },
    refusal: (access) => (access === 'login' ? 'no_key' : needsKey(access) && 'bad_key'),
  },
  { name: 'a person logged in', headers: () => ({ cookie: cookie() }), refusal: () => undefined },
  {
    name: 'a person whose session has expired',
    headers: () => ({ cookie: cookie(Date.now() - 1000) }),
    refusal: needsKey,
  },
];

/** Asks for a route with parameters that name nothing. */
async function ask({ method, url }: RouteEntry, headers: Readonly<Record<string, string>>) {
  const response = await fetch(server.url + url.replaceAll(/:\w+/g, 'nothing'), {
    method,
    headers: { ...otherClient(), ...headers },
    redirect: 'manual',
    ...(method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? {} : { body: '{}' }),
  });
  return { status: response.status, text: await response.text() };
}

/** What the answer says about access: the code of a refusal, or undefined. */
function refusalOf(answer: { readonly status: number; readonly text: string }): string | undefined {
  if (answer.status !== 401 && answer.status !== 403) return undefined;
  if (answer.text === '') return String(answer.status);
  if (!answer.text.startsWith('{')) return undefined;
  return (JSON.parse(answer.text) as { code: string }).code;
}

describe('who may use a route', () => {
  it('is anybody for these routes, and for no others', () => {
    const open = local.app.routeTable.list().filter(({ access }) => access === 'public');
    const names = open.filter(({ method }) => method !== 'HEAD');
    expect(names.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      'GET /assets/icon.svg',
      'GET /assets/page.css',
      'GET /favicon.ico',
      'GET /js/:name',
      'GET /livez',
      'GET /login',
      'GET /metrics',
      'GET /pixel.gif',
      'GET /readyz',
      'GET /setup',
      'OPTIONS /api/event',
      'POST /api/event',
      'POST /login',
      'POST /setup',
    ]);
  });

  it('is as declared for every kind of caller', async () => {
    const isLogout = ({ url }: RouteEntry) => url === '/logout';
    const routes = local.app.routeTable.list().toSorted((a, b) => +isLogout(a) - +isLogout(b));
    expect(routes.length).toBeGreaterThan(30);
    for (const caller of CALLERS) {
      const wrong: string[] = [];
      const headers = caller.headers();
      for (const route of routes) {
        const answer = await ask(route, headers);
        const code = caller.refusal(route.access);
        const status = code === 'forbidden' ? '403' : '401';
        const expected = route.method === 'HEAD' && code !== undefined ? status : code;
        if (refusalOf(answer) === expected && answer.status < 500) continue;
        wrong.push(`${route.method} ${route.url}: ${answer.status}, not ${expected ?? 'allowed'}`);
      }
      expect({ caller: caller.name, wrong }).toEqual({ caller: caller.name, wrong: [] });
    }
  });

  it('has to be declared, or the server does not start', async () => {
    await using other = await LocalApp.open();
    expect(() => other.app.get('/forgotten', async () => 'open')).toThrow(AssertionError);
  });

  it('does not depend on letter case or white space of the header', async () => {
    server.addSite('bearer.example');
    const key = server.addKey('sites:read');
    const status = async (authorization: string) => {
      const headers = { authorization };
      return (await fetch(`${server.url}/api/v1/sites/bearer.example`, { headers })).status;
    };
    expect(await status(`bearer   ${key} `)).toBe(200);
    expect(await status(`Basic ${key}`)).toBe(401);
    expect(await status(key)).toBe(401);
  });

  it('is told apart in the browser by a way to log in', async () => {
    const headers = { accept: 'text/html' };
    const response = await fetch(`${server.url}/`, { headers, redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/login']);
  });
});

describe('a change in the name of a person', () => {
  const change = async (headers: Readonly<Record<string, string>>) => {
    const fields = form({ domain: '', timezone: 'UTC' });
    const all = { ...otherClient(), cookie: cookie(), ...headers };
    return (await fetch(`${server.url}/sites`, { ...fields, headers: all })).status;
  };

  it('is refused when another site asks for it', async () => {
    expect(await change({ origin: 'https://evil.example' })).toBe(403);
    expect(await change({ origin: 'null' })).toBe(403);
    expect(await change({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await change({ 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await change({ origin: server.url, 'sec-fetch-site': 'cross-site' })).toBe(403);
  });

  it('is taken from the page itself and from programs', async () => {
    expect(await change({ origin: server.url })).toBe(400);
    expect(await change({ 'sec-fetch-site': 'same-origin' })).toBe(400);
    expect(await change({})).toBe(400);
  });

  it('is refused on the API as well, while a key needs no origin', async () => {
    const ask = (headers: Readonly<Record<string, string>>) =>
      fetch(`${server.url}/api/v1/sites`, { method: 'POST', body: '{}', headers });
    const origin = 'https://evil.example';
    expect((await ask({ origin, cookie: cookie() })).status).toBe(403);
    const authorization = `Bearer ${server.addKey('sites:write')}`;
    expect((await ask({ origin, authorization })).status).toBe(400);
  });

  it('cannot begin with a login or a set-up from another site', async () => {
    const headers = { origin: 'https://evil.example' };
    for (const path of ['/login', '/setup']) {
      const response = await fetch(server.url + path, { ...form({ name: 'matrix' }), headers });
      expect([path, response.status]).toEqual([path, 403]);
    }
  });
});

describe('the set-up link', () => {
  it('makes one account, once, also when it is used twice at the same time', async () => {
    await using fresh = await TestServer.start();
    const link = /"setup_url":"([^"]+)"/.exec(fresh.output())?.[1] ?? '';
    const token = new URL(link).searchParams.get('token') ?? '';
    const page = await fetch(`${fresh.url}/setup?token=${token}`);
    expect([page.status, (await page.text()).includes(token)]).toEqual([200, true]);
    expect((await fetch(`${fresh.url}/setup?token=wrong`)).status).toBe(410);
    const setUp = (fields: Readonly<Record<string, string>>) =>
      fetch(`${fresh.url}/setup`, form({ token, ...fields }));
    expect((await setUp({ name: 'ada', password: 'short' })).status).toBe(400);
    expect((await setUp({ token: 'wrong', name: 'eve', password: PASSWORD })).status).toBe(410);
    const answers = await Promise.all(
      ['ada', 'bob', 'cyd'].map((name) => setUp({ name, password: PASSWORD })),
    );
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([303, 410, 410]);
    expect(fresh.change((journal) => journal.users.count())).toBe(1);
    expect((await fetch(`${fresh.url}/setup?token=${token}`)).status).toBe(410);
    const setCookie = answers.find(({ status }) => status === 303)?.headers.get('set-cookie') ?? '';
    const headers = { cookie: setCookie.split(';')[0] ?? '' };
    expect((await fetch(`${fresh.url}/`, { headers, redirect: 'manual' })).status).toBe(200);
  });
});

describe('a login', () => {
  const logIn = (name: string, password: string, headers = otherClient()) =>
    fetch(`${server.url}/login`, { ...form({ name, password }), headers });

  it('gives a cookie that scripts and other sites cannot use, and lasts until the logout', async () => {
    const response = await logIn('matrix', PASSWORD);
    expect([response.status, response.headers.get('location')]).toEqual([303, '/']);
    const setCookie = response.headers.get('set-cookie') ?? '';
    expect(setCookie).toMatch(
      /^loggia_session=[\w-]{20,}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/,
    );
    const headers = { cookie: setCookie.split(';')[0] ?? '' };
    const status = async () =>
      (await fetch(`${server.url}/`, { headers, redirect: 'manual' })).status;
    expect(await status()).toBe(200);
    const out = await fetch(`${server.url}/logout`, { ...form({}), headers });
    expect(out.headers.get('set-cookie')).toContain('loggia_session=; ');
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
    expect(await status()).toBe(401);
  });

  it('marks the cookie Secure when browsers come by https', async () => {
    const { journal } = local.services;
    const passwordHash = await hashPassword(PASSWORD);
    journal.users.create({ name: 'tls', passwordHash, nowMs: Date.now() });
    const payload = new URLSearchParams({ name: 'tls', password: PASSWORD }).toString();
    const answer = await local.app.inject({ method: 'POST', url: '/login', payload });
    expect(answer.statusCode).toBe(303);
    expect(answer.headers['set-cookie']).toMatch(/; HttpOnly; SameSite=Lax; .*; Secure$/);
  });

  it('is renewed with its cookie when half of its time is over', async () => {
    const headers = { cookie: cookie(Date.now() + DAY_MS) };
    const renewed = await fetch(`${server.url}/`, { headers });
    expect(renewed.headers.get('set-cookie')).toContain(`${headers.cookie}; Path=/; HttpOnly`);
    const token = headers.cookie.split('=')[1] ?? '';
    const session = server.change((journal) => journal.sessions.find(token, Date.now()));
    expect((session?.expiresMs ?? 0) - Date.now()).toBeGreaterThan(29 * DAY_MS);
    const again = await fetch(`${server.url}/`, { headers });
    expect([again.status, again.headers.get('set-cookie')]).toEqual([200, null]);
  });

  it('that fails looks the same for names that exist and names that do not', async () => {
    const look = async (name: string) => {
      const response = await logIn(name, 'wrong password');
      const text = (await response.text()).replaceAll(name, 'NAME');
      const headers = Object.fromEntries(response.headers);
      return {
        status: response.status,
        text,
        headers: { ...headers, date: '', 'content-length': '' },
      };
    };
    const known = await look('matrix');
    expect(known.status).toBe(401);
    expect(await look('nobody')).toEqual(known);
  });

  it('may be tried a number of times per client and per name, then 429 with Retry-After', async () => {
    const statuses = async (
      count: number,
      name: () => string,
      headers: () => Record<string, string>,
    ) => {
      const responses = await Promise.all(
        Array.from({ length: count }, () => logIn(name(), 'wrong', headers())),
      );
      for (const each of responses.filter(({ status }) => status === 429)) {
        expect(Number(each.headers.get('retry-after'))).toBeGreaterThan(0);
      }
      return responses.filter(({ status }) => status === 429).length;
    };
    const client = otherClient();
    expect(
      await statuses(
        20,
        () => crypto.randomUUID(),
        () => client,
      ),
    ).toBe(0);
    expect(
      await statuses(
        5,
        () => crypto.randomUUID(),
        () => client,
      ),
    ).toBeGreaterThan(0);
    expect(await statuses(20, () => 'Target', otherClient)).toBe(0);
    expect(await statuses(5, () => 'target', otherClient)).toBeGreaterThan(0);
    expect((await logIn('matrix', PASSWORD)).status).toBe(303);
  });
});
