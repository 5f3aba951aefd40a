import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ERROR_CODES } from '@loggia/contract';
import type { RouteEntry } from '../../src/server/route-table.ts';
import { FIREFOX, TestServer } from '../test-server.ts';
import { LocalApp } from './local-app.ts';
import { openSocket, parseAnswer, rawExchange, readToEnd, type RawAnswer } from './raw-exchange.ts';

const SEED = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env['FC_RUNS'] ?? 500);
const DAY_MS = 86_400_000;
const SITE = 'fuzz.example';

let server: TestServer;
let routes: readonly RouteEntry[];
let key = '';
let cookie = '';

beforeAll(async () => {
  server = await TestServer.start({ env: { LOGGIA_RATE_LIMITS: 'off' } });
  await using local = await LocalApp.open();
  routes = local.app.routeTable.list();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** What an earlier test may have deleted is made again. */
beforeEach(() => {
  key = server.addKey('stats:read', 'sites:write', 'events:write');
  server.change((journal) => {
    const nowMs = Date.now();
    if (journal.sites.byDomain(SITE) === undefined) {
      journal.sites.create({ domain: SITE, timezone: 'Europe/Berlin', nowMs });
    }
    const [user = journal.users.create({ name: 'fuzz', passwordHash: '', nowMs })] =
      journal.users.list();
    const session = { userId: user.id, nowMs, expiresMs: nowMs + 20 * DAY_MS };
    cookie = `loggia_session=${journal.sessions.create(session)}`;
  });
});

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** The bytes of a request, with whatever its parts contain. */
function bytesOf({ method, path, headers = {}, body = new Uint8Array() }: Request): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`];
  const all = { Host: SITE, ...headers, Connection: 'close', 'Content-Length': body.length };
  for (const [name, value] of Object.entries(all)) lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

async function send(request: Request): Promise<RawAnswer> {
  const answer = parseAnswer(await rawExchange(server.url, bytesOf(request)));
  if (answer === undefined) throw new Error('There was no answer.');
  return answer;
}

/** Every answer is one that is documented: no fault of the server, and errors have their code. */
function expectDocumented(answer: RawAnswer): void {
  expect(answer.status, answer.body).toBeLessThan(500);
  if (answer.status < 400) return;
  if (!(answer.headers['content-type'] ?? '').startsWith('application/json')) return;
  if (answer.headers['content-length'] !== '0' && answer.body === '') return;
  const { code, error } = JSON.parse(answer.body) as { code: string; error: unknown };
  expect(Object.keys(ERROR_CODES)).toContain(code);
  expect(answer.status).toBe(ERROR_CODES[code as keyof typeof ERROR_CODES].status);
  expect(error).toEqual(expect.any(String));
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom(
    '',
    '\0',
    '\ud800',
    'a\udfff',
    '__proto__',
    'constructor',
    'x'.repeat(3000),
    SITE,
    `https://${SITE}/a?utm_source=b#c`,
    'https://[::1',
    'javascript:alert(1)',
    'http://a:99999/',
    '%zz%00%',
    '//',
    '-0',
    '1e400',
    '\u202e',
  ),
);
const number = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -1, 1e308, 2 ** 53, -(2 ** 63), 1e21, 5e-324, 101),
);
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const anything = fc.oneof(
  { maxDepth: 3 },
  scalar,
  fc.jsonValue({ maxDepth: 3 }),
  fc.dictionary(text, scalar, { maxKeys: 40 }),
  fc.array(scalar, { maxLength: 40 }),
);

/** A value that is right or, now and then, anything else. */
const mostly = <Value>(right: fc.Arbitrary<Value>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: anything });

const event = fc.record(
  {
    n: mostly(fc.constantFrom('pageview', 'engagement', 'Signup')),
    u: mostly(fc.webUrl({ withFragments: true, withQueryParameters: true })),
    d: mostly(fc.constantFrom(SITE, `${SITE},${SITE}`, 'other.example')),
    name: anything,
    url: anything,
    domain: anything,
    r: mostly(fc.webUrl()),
    p: mostly(fc.dictionary(text, scalar)),
    m: anything,
    props: anything,
    $: mostly(fc.record({ amount: scalar, currency: mostly(fc.constantFrom('EUR', 'JPY')) })),
    revenue: anything,
    i: mostly(fc.boolean()),
    h: mostly(fc.constantFrom(0, 1)),
    w: mostly(number),
    e: mostly(number),
    sd: mostly(number),
    v: anything,
    timestamp: mostly(
      fc.oneof(
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
        number,
      ),
    ),
    ip: mostly(fc.oneof(fc.ipV4Extended(), fc.ipV6())),
    user_agent: mostly(fc.constantFrom(FIREFOX, 'curl/8')),
    id: anything,
  },
  { requiredKeys: ['n', 'u', 'd'] },
);

const DIMENSIONS = [
  'event:page',
  'event:goal',
  'event:name',
  'event:hostname',
  'event:props:plan',
  'visit:source',
  'visit:country',
  'visit:entry_page',
  'visit:browser_version',
  'time',
  'time:hour',
  'time:week',
];
const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'events',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'scroll_depth',
  'time_on_page',
  'exit_rate',
  'conversion_rate',
  'group_conversion_rate',
  'percentage',
  'total_revenue',
  'average_revenue',
];
const RANGES = ['day', '24h', '7d', '28d', '6mo', 'month', 'year', 'all', '3d', '99999999d'];
const dates = fc
  .tuple(fc.date({ noInvalidDate: true }), fc.date({ noInvalidDate: true }))
  .chain((pair) =>
    fc.constantFrom(
      pair.map((date) => date.toISOString().slice(0, 10)),
      pair.map((date) => date.toISOString()),
    ),
  );
const operator = fc.constantFrom(
  ...['is', 'is_not', 'contains', 'contains_not', 'matches', 'matches_not'],
);
const { filter } = fc.letrec<{ filter: unknown }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    {
      weight: 6,
      arbitrary: fc.tuple(
        operator,
        mostly(fc.constantFrom(...DIMENSIONS.filter((name) => !name.startsWith('time')))),
        mostly(fc.array(text, { minLength: 1, maxLength: 3 })),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(
        fc.constantFrom('and', 'or'),
        fc.array(tie('filter'), { minLength: 1, maxLength: 3 }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom('not', 'has_done', 'has_not_done'), tie('filter')),
    },
  ),
}));
const include = fc.record(
  {
    time_labels: mostly(fc.boolean()),
    total_rows: mostly(fc.boolean()),
    imports: mostly(fc.boolean()),
    trim_relative_date_range: mostly(fc.boolean()),
    comparisons: mostly(
      fc.record(
        {
          mode: mostly(fc.constantFrom('previous_period', 'year_over_year', 'custom')),
          date_range: mostly(dates),
          match_day_of_week: mostly(fc.boolean()),
        },
        { requiredKeys: ['mode'] },
      ),
    ),
  },
  { requiredKeys: [] },
);
const direction = fc.constantFrom('asc', 'desc');
const query = fc
  .record({
    metrics: fc.subarray(METRICS, { minLength: 1, maxLength: 3 }),
    dimensions: fc.subarray(DIMENSIONS, { maxLength: 2 }),
  })
  .chain(({ metrics, dimensions }) =>
    fc.record(
      {
        site_id: mostly(fc.constant(SITE)),
        metrics: mostly(fc.constant(metrics)),
        date_range: mostly(fc.oneof(fc.constantFrom(...RANGES), dates)),
        dimensions: mostly(fc.constant(dimensions)),
        filters: mostly(fc.array(filter, { maxLength: 2 })),
        order_by: mostly(
          fc.array(fc.tuple(fc.constantFrom(...metrics, ...dimensions), direction), {
            maxLength: 1,
          }),
        ),
        include: mostly(include),
        pagination: mostly(
          fc.record({
            limit: mostly(fc.integer({ min: 1, max: 10_000 })),
            offset: mostly(fc.nat()),
          }),
        ),
      },
      { requiredKeys: ['site_id', 'metrics', 'date_range', 'dimensions'] },
    ),
  );

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? '', 'utf8');
const bearer = (): Record<string, string> => ({ authorization: `Bearer ${key}` });

function property<Values extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  act: (...values: Values) => Promise<void>,
): void {
  it(`${name} (seed ${SEED}, ${RUNS} runs)`, async () => {
    await fc.assert(fc.asyncProperty(...arbitraries, act), { seed: SEED, numRuns: RUNS });
    await expectHealthy();
  });
}

/** Still the same process, ready, and without a word of trouble in its log. */
async function expectHealthy(): Promise<void> {
  expect(server.process.exitCode).toBeNull();
  const ready = async () => (await fetch(`${server.url}/readyz`)).status;
  await expect.poll(ready, { timeout: 20_000 }).toBe(200);
  const troubles = server
    .output()
    .split('\n')
    .filter((line) => /"level":[56]0/.test(line));
  expect(troubles).toEqual([]);
}

property('any event is answered', [event, fc.boolean()], async (value, isPixel) => {
  expectDocumented(
    await send({
      method: 'POST',
      path: '/api/event',
      headers: { 'user-agent': FIREFOX },
      body: json(value),
    }),
  );
  if (!isPixel) return;
  const params = Object.entries(value).map(([name, each]) => {
    const written = typeof each === 'string' ? each : (JSON.stringify(each) ?? '');
    return `${name}=${encodeURIComponent(written.slice(0, 200).toWellFormed())}`;
  });
  expectDocumented(await send({ method: 'GET', path: `/pixel.gif?${params.join('&')}` }));
});

property(
  'any batch is answered, each item in one of the three heaps',
  [fc.array(fc.oneof(event, anything), { maxLength: 20 }), fc.boolean()],
  async (items, isLines) => {
    const body = isLines
      ? Buffer.from(items.map((item) => JSON.stringify(item)).join('\n'), 'utf8')
      : json(items);
    const type = isLines ? 'application/x-ndjson' : 'application/json';
    const headers = { ...bearer(), 'content-type': type };
    const answer = await send({ method: 'POST', path: '/api/events', headers, body });
    expect([answer.status, answer.body]).toEqual([202, expect.any(String)]);
    const result = JSON.parse(answer.body) as {
      accepted: number;
      dropped: unknown[];
      errors: unknown[];
    };
    expect(result.accepted + result.dropped.length + result.errors.length).toBe(items.length);
  },
);

let answeredQueries = 0;
property('any query is answered', [query], async (value) => {
  const path = '/api/v2/query';
  const answer = await send({ method: 'POST', path, headers: bearer(), body: json(value) });
  expectDocumented(answer);
  if (answer.status === 200) answeredQueries += 1;
});

it('a good part of those queries got as far as the engine', () => {
  console.log(answeredQueries);
  expect(answeredQueries).toBeGreaterThan(RUNS / 10);
});

const V1_NAMES = ['site_id', 'period', 'date', 'metrics', 'filters', 'property', 'interval'];
const V1_VALUES = [
  SITE,
  'day',
  '30d',
  'custom',
  '2026-01-01,2026-02-01',
  'visitors,pageviews',
  'event:page==/a*|/b;visit:source!=Google',
  'event:page',
  'visit:source',
  'event:props:plan',
  'date',
];
property(
  'any call of version 1 is answered',
  [
    fc.constantFrom('aggregate', 'timeseries', 'breakdown', 'realtime/visitors'),
    fc.array(
      fc.tuple(
        fc.constantFrom(...V1_NAMES, 'limit', 'page', 'compare', '__proto__'),
        fc.oneof(fc.constantFrom(...V1_VALUES), text),
      ),
      { maxLength: 8 },
    ),
  ],
  async (name, params) => {
    const all = [['site_id', SITE] as const, ...params];
    const search = all
      .map((pair) => pair.map((part) => encodeURIComponent(part.toWellFormed())).join('='))
      .join('&');
    expectDocumented(
      await send({ method: 'GET', path: `/api/v1/stats/${name}?${search}`, headers: bearer() }),
    );
  },
);

const parameter = fc.oneof(
  fc.constantFrom(SITE, '1', 'script.js', 'pa-x.js', '%2e%2e%2f', '%00', '%ff', '..'),
  text.map((each) => encodeURIComponent(each.toWellFormed()).slice(0, 500)),
);
const headerValue = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) })
  .map((value) => value.replaceAll('\u007f', ''));
const headers = fc.dictionary(
  fc.constantFrom(
    'content-type',
    'user-agent',
    'accept-language',
    'accept',
    'accept-encoding',
    'if-none-match',
    'referer',
    'origin',
    'x-forwarded-for',
    'forwarded',
    'x-debug-request',
    'sec-gpc',
    'expect',
    'cookie',
  ),
  headerValue,
);
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  anything.map(json),
  event.map(json),
  query.map(json),
  fc.webQueryParameters().map((form) => Buffer.from(form)),
  fc.record({ domain: text, timezone: text, settings: anything, site_id: text }).map(json),
);

property(
  'any route answers anything with a documented code',
  [
    fc.nat(),
    fc.constantFrom('nobody', 'key', 'person'),
    fc.tuple(parameter, fc.webQueryParameters()),
    headers,
    bodies,
  ],
  async (index, caller, [param, search], some, body) => {
    const route = routes[index % routes.length];
    if (route === undefined) throw new Error('There are no routes.');
    const path = `${route.url.replaceAll(/:\w+/g, () => param)}?${search}`;
    const identity = { nobody: {}, key: bearer(), person: { cookie } }[caller];
    const { method } = route;
    expectDocumented(await send({ method, path, headers: { ...some, ...identity }, body }));
  },
);

const mutation = fc.record({
  at: fc.nat(),
  remove: fc.nat(20),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc
      .constantFrom('\r\n', '\0', 'Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\n', ' ')
      .map((each) => Buffer.from(each)),
  ),
});
property(
  'bytes that are no request end a connection and nothing else',
  [fc.oneof(fc.uint8Array({ maxLength: 300 }), mutation)],
  async (damage) => {
    const whole = bytesOf({ method: 'POST', path: '/api/event', body: json({ n: 'pageview' }) });
    const at = 'at' in damage && !(damage instanceof Uint8Array) ? damage.at % whole.length : 0;
    const bytes =
      damage instanceof Uint8Array
        ? damage
        : Buffer.concat([whole.subarray(0, at), damage.insert, whole.subarray(at + damage.remove)]);
    const answers = await exchangeAndHangUp(bytes);
    for (const answer of answers) expectDocumented(answer);
  },
);

/** Sends the bytes and the end of the stream, so that nothing waits for more. */
async function exchangeAndHangUp(bytes: Uint8Array): Promise<readonly RawAnswer[]> {
  const socket = await openSocket(server.url);
  const end = readToEnd(socket);
  socket.end(bytes);
  const answers = (await end).split(/(?=HTTP\/1\.1 \d{3} )/).map(parseAnswer);
  return answers.filter((answer) => answer !== undefined);
}

it('nesting without end is refused and costs nothing', async () => {
  const depth = 200_000;
  const nest = (open: string, close: string, inner: string) =>
    open.repeat(depth) + inner + close.repeat(depth);
  const leaf = '["is","event:page",["/"]]';
  const around = (filters: string) =>
    `{"site_id":"${SITE}","metrics":["visits"],"date_range":"day","filters":${filters}}`;
  const fits = Math.floor(900_000 / '["not",]'.length);
  for (const [path, body] of [
    ['/api/event', nest('[', ']', '1')],
    ['/api/event', `{"n":"a","u":"https://a/","d":"${SITE}","p":${nest('[', ']', '1')}}`],
    ['/api/events', nest('[', ']', '1')],
    ['/api/v2/query', nest('[', ']', '1')],
    ['/api/v2/query', around(`[${'["not",'.repeat(fits)}${leaf}${']'.repeat(fits)}]`)],
    ['/api/v2/query', around(`[${'["or",['.repeat(fits / 2)}${leaf}${']]'.repeat(fits / 2)}]`)],
    ['/api/v2/query', around(`[${'["not",'.repeat(500)}${leaf}${']'.repeat(500)}]`)],
    ['/api/v2/query', around(`[["or",[${Array(5000).fill(leaf).join(',')}]]]`)],
    ['/api/v1/sites', nest('{"a":', '}', '1')],
  ] as const) {
    const answer = await send({ method: 'POST', path, headers: bearer(), body: Buffer.from(body) });
    expectDocumented(answer);
  }
  await expectHealthy();
});
