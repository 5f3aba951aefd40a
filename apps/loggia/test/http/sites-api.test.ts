import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Site } from '@loggia/contract';
import { FIREFOX, TestServer } from '../test-server.ts';

/** How soon a change by another process has to be seen. */
const NOTICE_TIMEOUT_MS = 1000;
const UPKEEP_TIMEOUT_MS = 30_000;

let server: TestServer;
let key: string;

beforeAll(async () => {
  server = await TestServer.start({ env: { LOGGIA_BASE_URL: 'https://stats.example.org' } });
  key = server.addKey('sites:write', 'stats:read', 'events:write');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function ask(method: string, path: string, body?: unknown) {
  const response = await server.ask(method, `/api/v1/sites${path}`, {
    key,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const refused = (status: number, code: string, more: object = {}) => ({
  status,
  body: { code, error: expect.any(String), ...more },
});

async function pageviews(site: string): Promise<unknown> {
  const query = { site_id: site, metrics: ['pageviews'], date_range: 'day' };
  return (await server.query(key, query))[0]?.metrics[0];
}

async function view(site: string): Promise<string | null> {
  const response = await server.sendEvent({ n: 'pageview', u: `https://${site}/`, d: site });
  expect(response.status).toBe(202);
  return response.headers.get('x-loggia-dropped');
}

describe('/api/v1/sites', () => {
  it('creates, shows, lists and changes a site', async () => {
    const timezone = 'Europe/Berlin';
    const site = {
      domain: 'made.example',
      timezone,
      custom_properties: [],
      settings: expect.objectContaining({ allowedHosts: [], honourOptOut: false }),
      snippet:
        '<script defer data-domain="made.example" src="https://stats.example.org/js/script.js"></script>',
    };
    const created = await ask('POST', '', { domain: 'https://Made.example/', timezone });
    expect(created).toEqual({ status: 200, body: site });
    expect(await ask('GET', '/made.example')).toEqual({ status: 200, body: site });
    expect(await ask('GET', '/MADE.example')).toEqual({ status: 200, body: site });
    expect((await ask('GET', '')).body['sites']).toContainEqual(site);
    const changed = await ask('PUT', '/made.example', { timezone: 'Asia/Tokyo' });
    expect(changed).toEqual({ status: 200, body: { ...site, timezone: 'Asia/Tokyo' } });
  });

  it('has UTC days unless told otherwise', async () => {
    const { body } = await ask('POST', '', { domain: 'plain.example' });
    expect(body['timezone']).toBe('Etc/UTC');
  });

  it('refuses a name that is taken, here and in a change', async () => {
    server.addSite('taken.example');
    server.addSite('other.example');
    expect(await ask('POST', '', { domain: 'TAKEN.example' })).toMatchObject(
      refused(409, 'conflict'),
    );
    expect(await ask('PUT', '/other.example', { domain: 'taken.example' })).toMatchObject(
      refused(409, 'conflict'),
    );
    expect((await ask('PUT', '/taken.example', { domain: 'taken.example' })).status).toBe(200);
  });

  it('answers 404 for a site that is not there, whatever is asked of it', async () => {
    const unknown = refused(404, 'unknown_site');
    expect(await ask('GET', '/nowhere.example')).toMatchObject(unknown);
    expect(await ask('PUT', '/nowhere.example', {})).toMatchObject(unknown);
    expect(await ask('DELETE', '/nowhere.example')).toMatchObject(unknown);
    expect(await ask('GET', '/goals?site_id=nowhere.example')).toMatchObject(unknown);
    expect(await ask('GET', '/custom-props?site_id=nowhere.example')).toMatchObject(unknown);
    const goal = { site_id: 'nowhere.example', goal_type: 'event', event_name: 'A' };
    expect(await ask('PUT', '/goals', goal)).toMatchObject(unknown);
  });

  it('says what is wrong with a request, and how to write it', async () => {
    const hint = expect.stringContaining('Europe/Berlin');
    server.addSite('right.example');
    for (const timezone of ['Mars/Olympus', '+02:00', 'europe berlin']) {
      const wrong = refused(400, 'bad_request', { hint });
      expect(await ask('POST', '', { domain: 'zone.example', timezone })).toMatchObject(wrong);
      expect(await ask('PUT', '/right.example', { timezone })).toMatchObject(wrong);
    }
    for (const body of [
      {},
      { domain: '' },
      { domain: 7 },
      { domain: 'no domain' },
      { domain: 'a..b' },
      { domain: 'x'.repeat(300) },
      { domain: 'zone.example', timezone: 5 },
      { domain: 'zone.example', settings: { unheardOf: true } },
      { domain: 'zone.example', settings: { scriptFeatures: ['teleport'] } },
      [],
      'text',
      null,
    ]) {
      expect({ sent: body, ...(await ask('POST', '', body)) }).toMatchObject({
        sent: body,
        ...refused(400, 'bad_request'),
      });
    }
    expect(await ask('GET', '/zone.example')).toMatchObject(refused(404, 'unknown_site'));
    const broken = await fetch(`${server.url}/api/v1/sites`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: '{"domain":',
    });
    expect([broken.status, ((await broken.json()) as { code: string }).code]).toEqual([
      400,
      'bad_json',
    ]);
  });

  it('lists in pages that lead to each other', async () => {
    for (const number of [1, 2, 3, 4, 5]) await ask('POST', '', { domain: `page-${number}.zz` });
    const all = (await ask('GET', '?limit=1000')).body['sites'] as { domain: string }[];
    const names = all.map(({ domain }) => domain);
    expect(names).toEqual(names.toSorted());
    const walked: string[] = [];
    let after: string | null = null;
    do {
      const search: string = after === null ? '' : `&after=${encodeURIComponent(after)}`;
      const { body } = await ask('GET', `?limit=2${search}`);
      const meta = body['meta'] as { after: string | null; before: string | null; limit: number };
      const sites = body['sites'] as { domain: string }[];
      expect(meta).toMatchObject({
        limit: 2,
        before: walked.length === 0 ? null : sites[0]?.domain,
      });
      walked.push(...sites.map(({ domain }) => domain));
      ({ after } = meta);
    } while (after !== null);
    expect(walked).toEqual(names);
    const back = await ask('GET', '?limit=2&before=page-5.zz');
    expect((back.body['sites'] as { domain: string }[]).map(({ domain }) => domain)).toEqual([
      'page-3.zz',
      'page-4.zz',
    ]);
    for (const limit of ['0', '-1', '1.5', 'many', '1001']) {
      expect(await ask('GET', `?limit=${limit}`)).toMatchObject(refused(400, 'bad_request'));
    }
  });

  it('keeps the data of a site that gets another name', async () => {
    server.addSite('before.example');
    await view('before.example');
    const renamed = await ask('PUT', '/before.example', { domain: 'after.example' });
    expect(renamed.body).toMatchObject({ domain: 'after.example' });
    expect(await pageviews('after.example')).toBe(1);
    expect(await ask('GET', '/before.example')).toMatchObject(refused(404, 'unknown_site'));
    expect(await view('before.example')).toBe('unknown_site');
    expect(await view('after.example')).toBeNull();
    expect(await pageviews('after.example')).toBe(2);
  });

  it('changes the settings that are named and leaves the others', async () => {
    server.addSite('set.example', 'UTC', { honourOptOut: true });
    const settings = { excludedPages: ['/private/**'], scriptFeatures: ['outbound-links'] };
    const { body } = await ask('PUT', '/set.example', { settings });
    expect(body['settings']).toMatchObject({ ...settings, honourOptOut: true });
    expect(body['snippet']).toMatch(/src="https:\/\/stats\.example\.org\/js\/pa-\w{16}\.js"/);
    const event = { n: 'pageview', u: 'https://set.example/private/a', d: 'set.example' };
    const response = await server.sendEvent(event);
    expect(response.headers.get('x-loggia-dropped')).toBe('excluded_page');
  });

  it('deletes a site; its events go, and its name begins anew', async () => {
    const { id } = server.addSite('gone.example');
    const items = Array.from({ length: 3000 }, (_, number) => ({
      n: 'pageview',
      u: `https://gone.example/${number}`,
      d: 'gone.example',
      ip: `192.0.2.${number % 250}`,
      user_agent: FIREFOX,
    }));
    const batch = await server.ask('POST', '/api/events', { key, body: items });
    expect(await batch.json()).toMatchObject({ accepted: 3000 });
    expect(await ask('DELETE', '/gone.example')).toEqual({ status: 200, body: { deleted: true } });
    expect(await view('gone.example')).toBe('unknown_site');
    expect((await ask('POST', '', { domain: 'gone.example' })).status).toBe(200);
    expect(await pageviews('gone.example')).toBe(0);
    expect(await view('gone.example')).toBeNull();
    expect(await pageviews('gone.example')).toBe(1);
    await expect.poll(() => rowsOf(id), { timeout: UPKEEP_TIMEOUT_MS, interval: 200 }).toBe(0);
    expect(await pageviews('gone.example')).toBe(1);
  });
});

/** The events of a site that the journal still holds. */
function rowsOf(siteId: number): number {
  return server.change((journal) => {
    let count = 0;
    for (let afterId = 0; ;) {
      const rows = journal.tail.readEvents(afterId, 10_000);
      if (rows.length === 0) return count;
      for (const row of rows) {
        afterId = Number(row[0]);
        if (Number(row[1]) === siteId) count += 1;
      }
    }
  });
}

describe('/api/v1/sites/goals', () => {
  let site: Site;
  beforeAll(() => {
    site = server.addSite('goals.example');
  });

  it('makes goals of every type, each aim once, and deletes them', async () => {
    const put = (body: object) => ask('PUT', '/goals', { site_id: site.domain, ...body });
    const signup = { goal_type: 'event', event_name: 'Signup' };
    const first = await put(signup);
    expect(first).toEqual({
      status: 200,
      body: {
        domain: 'goals.example',
        id: expect.stringMatching(/^\d+$/),
        display_name: 'Signup',
        page_path: null,
        ...signup,
      },
    });
    expect(await put({ ...signup, display_name: 'Another name' })).toEqual(first);
    const page = await put({ goal_type: 'page', page_path: '/thanks/**' });
    expect(page.body).toMatchObject({ display_name: 'Visit /thanks/**', event_name: null });
    const depth = { goal_type: 'scroll', page_path: '/long', scroll_threshold: 75 };
    expect((await put(depth)).body).toMatchObject({ scroll_threshold: 75 });
    const money = { goal_type: 'event', event_name: 'Purchase', currency: 'EUR' };
    expect((await put({ ...money, display_name: 'Bought' })).body).toMatchObject({
      display_name: 'Bought',
      currency: 'EUR',
    });
    expect(await put({ goal_type: 'page', page_path: '/x', display_name: 'Bought' })).toMatchObject(
      refused(409, 'conflict'),
    );
    const list = await ask('GET', '/goals?site_id=goals.example&limit=3');
    const goals = list.body['goals'] as { id: string; goal_type: string }[];
    expect(goals.map(({ goal_type: type }) => type)).toEqual(['event', 'page', 'scroll']);
    expect(list.body['meta']).toEqual({ after: goals[2]?.id, before: null, limit: 3 });
    const id = String(first.body['id']);
    const body = { site_id: 'goals.example' };
    expect(await ask('DELETE', `/goals/${id}`, body)).toMatchObject({ body: { deleted: true } });
    expect(await ask('DELETE', `/goals/${id}`, body)).toMatchObject(refused(404, 'not_found'));
    const other = server.addSite('foreign.example');
    const foreign = { site_id: other.domain };
    const pageGoal = String(page.body['id']);
    expect(await ask('DELETE', `/goals/${pageGoal}`, foreign)).toMatchObject(
      refused(404, 'not_found'),
    );
    const left = await ask('GET', '/goals?site_id=goals.example');
    expect(left.body['goals']).toHaveLength(3);
  });

  it.each([
    { goal_type: 'event' },
    { goal_type: 'page' },
    { goal_type: 'page', page_path: 'no-slash' },
    { goal_type: 'scroll', page_path: '/a' },
    { goal_type: 'scroll', page_path: '/a', scroll_threshold: 101 },
    { goal_type: 'party', event_name: 'A' },
    { goal_type: 'event', event_name: 'A', currency: 'euro' },
    { goal_type: 'event', event_name: 'x'.repeat(121) },
  ])('refuses %j', async (goal) => {
    expect(await ask('PUT', '/goals', { site_id: site.domain, ...goal })).toMatchObject(
      refused(400, 'bad_request'),
    );
  });

  it('are known to the next query', async () => {
    await ask('PUT', '/goals', {
      site_id: site.domain,
      goal_type: 'event',
      event_name: 'Download',
    });
    await server.sendEvent({ n: 'Download', u: 'https://goals.example/', d: 'goals.example' });
    const query = {
      site_id: site.domain,
      metrics: ['events'],
      date_range: 'day',
      dimensions: ['event:goal'],
    };
    expect(await server.query(key, query)).toEqual([{ dimensions: ['Download'], metrics: [1] }]);
  });
});

describe('/api/v1/sites/custom-props', () => {
  it('adds each property once, lists and deletes', async () => {
    server.addSite('props.example');
    const put = (property: string) =>
      ask('PUT', '/custom-props', { site_id: 'props.example', property });
    expect(await put('plan')).toEqual({ status: 200, body: { created: true } });
    await put('plan');
    await put('author/name');
    const list = async () => (await ask('GET', '/custom-props?site_id=props.example')).body;
    expect(await list()).toEqual({
      custom_properties: [{ property: 'plan' }, { property: 'author/name' }],
    });
    expect((await ask('GET', '/props.example')).body['custom_properties']).toEqual([
      'plan',
      'author/name',
    ]);
    const name = encodeURIComponent('author/name');
    expect(await ask('DELETE', `/custom-props/${name}?site_id=props.example`)).toEqual({
      status: 200,
      body: { deleted: true },
    });
    expect(await list()).toEqual({ custom_properties: [{ property: 'plan' }] });
    expect(await put('')).toMatchObject(refused(400, 'bad_request'));
  });

  it('stops at 300 of them', async () => {
    const customProperties = Array.from({ length: 300 }, (_, number) => `p${number}`);
    server.addSite('full.example', 'UTC', { customProperties });
    const more = { site_id: 'full.example', property: 'one-more' };
    expect(await ask('PUT', '/custom-props', more)).toMatchObject(refused(400, 'bad_request'));
    expect((await ask('PUT', '/custom-props', { ...more, property: 'p0' })).status).toBe(200);
  });
});

describe('a change by another process', () => {
  /** Asks until the answer is there, and fails when it takes longer than it may. */
  const soon = (read: () => Promise<unknown>) => {
    return expect.poll(read, { timeout: NOTICE_TIMEOUT_MS, interval: 50 });
  };

  it('is seen within a second', async () => {
    expect(await view('late.example')).toBe('unknown_site');
    const { id } = server.addSite('late.example');
    await soon(() => view('late.example')).toBeNull();
    server.change((journal) => journal.sites.update(id, { domain: 'later.example' }));
    await soon(async () => (await ask('GET', '/later.example')).status).toBe(200);
    server.change((journal) =>
      journal.goals.create({ siteId: id, kind: 'event', eventName: 'Sale' }),
    );
    await soon(async () => (await ask('GET', '/goals?site_id=later.example')).body).toMatchObject({
      goals: [{ event_name: 'Sale' }],
    });
    const made = server.addKey('sites:read');
    const status = async () =>
      (await server.ask('GET', '/api/v1/sites/later.example', { key: made })).status;
    expect(await status()).toBe(200);
    server.change((journal) => {
      for (const each of journal.keys.list()) {
        if (each.scopes.join() === 'sites:read') journal.keys.revoke(each.id);
      }
    });
    expect(await status()).toBe(401);
    server.change((journal) => journal.sites.remove(id, Date.now()));
    await soon(() => view('later.example')).toBe('unknown_site');
  });
});
