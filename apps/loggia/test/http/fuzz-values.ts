import fc from 'fast-check';
import { FIREFOX } from '../test-server.ts';

const DAY_MS = 86_400_000;
/** The site that most values are about. */
export const SITE = 'fuzz.example';

/** JSON as bytes; lone surrogates stay, as escapes. */
export function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return Buffer.from(JSON.stringify(value) ?? '', 'utf8');
}

/** Strings of every kind, also those that break things. */
export const text = fc.oneof(
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
/** Any JSON value. */
export const anything = fc.oneof(
  { maxDepth: 3 },
  scalar,
  fc.jsonValue({ maxDepth: 3 }),
  fc.dictionary(text, scalar, { maxKeys: 40 }),
  fc.array(scalar, { maxLength: 40 }),
);

/** A value that is right or, once in `oneIn` times, anything else. */
function mostly<Value>(right: fc.Arbitrary<Value>, oneIn = 12): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: oneIn - 1, arbitrary: right }, { weight: 1, arbitrary: anything });
}

/** An event that is right in most of its fields; also an item of a batch. */
export const event = fc.record(
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
/** Two days or two instants, sometimes in the wrong order or the wrong age of the world. */
const dates = fc
  .oneof(
    {
      weight: 9,
      arbitrary: fc
        .date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
        .chain((first) => fc.tuple(fc.constant(first), laterThan(first))),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.date({ noInvalidDate: true }), fc.date({ noInvalidDate: true })),
    },
  )
  .chain((pair) =>
    fc.constantFrom(
      pair.map((date) => date.toISOString().slice(0, 10)),
      pair.map((date) => date.toISOString()),
    ),
  );

function laterThan(date: Date): fc.Arbitrary<Date> {
  return fc.integer({ min: 0, max: 500 }).map((days) => new Date(date.getTime() + days * DAY_MS));
}

const OPERATORS = ['is', 'is_not', 'contains', 'contains_not', 'matches', 'matches_not'];
const { filter } = fc.letrec<{ filter: unknown }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    {
      weight: 6,
      arbitrary: fc.tuple(
        fc.constantFrom(...OPERATORS),
        mostly(fc.constantFrom(...DIMENSIONS.filter((name) => !name.startsWith('time'))), 40),
        mostly(fc.array(text, { minLength: 1, maxLength: 3 }), 40),
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
    time_labels: mostly(fc.constantFrom(false, false, false, true), 40),
    total_rows: mostly(fc.boolean(), 40),
    imports: mostly(fc.boolean(), 40),
    trim_relative_date_range: mostly(fc.boolean(), 40),
    comparisons: mostly(
      fc.oneof(
        fc.record({ mode: fc.constantFrom('previous_period', 'year_over_year') }),
        fc.record({ mode: fc.constant('custom'), date_range: mostly(dates, 40) }),
        fc.record({ mode: mostly(fc.constant('previous_period')), match_day_of_week: anything }),
      ),
      40,
    ),
  },
  { requiredKeys: [] },
);
const direction = fc.constantFrom('asc', 'desc');
/** A query that the engine would run more often than not. */
export const query = fc
  .record({
    metrics: fc.subarray(METRICS, { minLength: 1, maxLength: 3 }),
    dimensions: fc.subarray(DIMENSIONS, { maxLength: 2 }),
  })
  .chain(({ metrics, dimensions }) =>
    fc.record(
      {
        site_id: mostly(fc.constant(SITE), 40),
        metrics: mostly(fc.constant(metrics), 40),
        date_range: mostly(fc.oneof(fc.constantFrom(...RANGES), dates), 40),
        dimensions: mostly(fc.constant(dimensions), 40),
        filters: mostly(fc.array(filter, { maxLength: 2 }), 40),
        order_by: mostly(
          fc.array(fc.tuple(fc.constantFrom(...metrics, ...dimensions), direction), {
            maxLength: 1,
          }),
          40,
        ),
        include: mostly(include, 40),
        pagination: mostly(
          fc.record({
            limit: mostly(fc.integer({ min: 1, max: 10_000 }), 40),
            offset: mostly(fc.nat(), 40),
          }),
          40,
        ),
      },
      { requiredKeys: ['site_id', 'metrics', 'date_range', 'dimensions'] },
    ),
  );

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

/** Search parameters of version 1, any number of each. */
export const searchParameters = fc.array(
  fc.tuple(
    fc.constantFrom(...V1_NAMES, 'limit', 'page', 'compare', '__proto__'),
    fc.oneof(fc.constantFrom(...V1_VALUES), text),
  ),
  { maxLength: 8 },
);

/** A path parameter, escaped in ways right and wrong. */
export const parameter = fc.oneof(
  fc.constantFrom(SITE, '1', 'script.js', 'pa-x.js', '%2e%2e%2f', '%00', '%ff', '..'),
  text.map((each) => encodeURIComponent(each.toWellFormed()).slice(0, 500)),
);
const headerValue = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) })
  .map((value) => value.replaceAll('\u007f', ''));
/** Headers that routes look at, with any value that HTTP allows. */
export const headers = fc.dictionary(
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
/** Bodies of every kind. */
export const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  anything.map(jsonBytes),
  event.map(jsonBytes),
  query.map(jsonBytes),
  fc.webQueryParameters().map((form) => Buffer.from(form)),
  fc.record({ domain: text, timezone: text, settings: anything, site_id: text }).map(jsonBytes),
);

/** Damage to a request: bytes removed and bytes put in. */
export const mutation = fc.record({
  at: fc.nat(),
  remove: fc.nat(20),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc
      .constantFrom('\r\n', '\0', 'Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\n', ' ')
      .map((each) => Buffer.from(each)),
  ),
});
