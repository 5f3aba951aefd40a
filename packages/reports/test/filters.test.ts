import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { TestStore, testGoal } from './store.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 2, 10, 9, minute)).toISOString();

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open([
    {
      visitor: 1,
      attributes: { source: 'Google', country: 'DE', utm_medium: 'cpc', browser: 'Firefox' },
      events: [
        { at: at(0), page: '/a' },
        { at: at(1), page: '/b/c', properties: { plan: 'pro' } },
        { at: at(2), page: '/b/c', name: 'Buy', properties: { plan: 'free' } },
      ],
    },
    {
      visitor: 2,
      attributes: { source: 'google', country: 'FR', utm_medium: '(none)' },
      events: [
        { at: at(3), page: '/b' },
        { at: at(4), page: '/b', name: 'engagement', scrollDepth: 80, engagedMs: 4000 },
      ],
    },
    {
      visitor: 3,
      events: [
        { at: at(5), page: '/ΟΔΟΣ' },
        { at: at(6), page: '/b/c/d' },
      ],
    },
  ]);
});

const goals = [
  testGoal('Buy', { eventName: 'Buy' }),
  testGoal('Deep in b', { kind: 'scroll', pagePattern: '/b', scrollThreshold: 75 }),
  testGoal('Visit /b/*', { kind: 'page', pagePattern: '/b/*' }),
  testGoal('Visit /b/**', { kind: 'page', pagePattern: '/b/**' }),
];

async function visitors(...filters: unknown[]): Promise<unknown> {
  const rows = await store.rows({ metrics: ['visits', 'pageviews', 'events'], filters }, { goals });
  return rows[0];
}

describe('labels for nothing are values', () => {
  test('they are found and denied like any other', async () => {
    expect(await visitors(['is', 'visit:source', ['Direct / None']])).toEqual([1, 2, 2]);
    expect(await visitors(['is_not', 'visit:source', ['Google']])).toEqual([2, 3, 3]);
    expect(await visitors(['contains_not', 'visit:country', ['F']])).toEqual([2, 4, 5]);
    expect(await visitors(['is', 'visit:country_name', ['(not set)', 'France']])).toEqual([
      2, 3, 3,
    ]);
    expect(await visitors(['is', 'event:props:plan', ['(none)']])).toEqual([3, 4, 4]);
    expect(await visitors(['is_not', 'event:props:plan', ['pro']])).toEqual([3, 4, 5]);
  });

  test('a missing tag answers to (none) too', async () => {
    expect(await visitors(['is', 'visit:utm_medium', ['(none)']])).toEqual([2, 3, 3]);
    expect(await visitors(['is', 'visit:utm_medium', ['(not set)']])).toEqual([1, 2, 2]);
  });
});

describe('operators', () => {
  test('case is told apart unless asked otherwise, and folds as Unicode does', async () => {
    expect(await visitors(['is', 'visit:source', ['Google']])).toEqual([1, 2, 3]);
    expect(await visitors(['is', 'visit:source', ['GOOGLE'], { case_sensitive: false }])).toEqual([
      2, 3, 4,
    ]);
    expect(await visitors(['contains', 'event:page', ['οδος'], { case_sensitive: false }])).toEqual(
      [1, 1, 1],
    );
  });

  test('regular expressions are not anchored', async () => {
    expect(await visitors(['matches', 'event:page', ['^/b/.$', 'never']])).toEqual([1, 1, 2]);
    expect(await visitors(['matches_not', 'event:page', ['b']])).toEqual([2, 2, 2]);
  });

  test('one star stays within a segment, two cross', async () => {
    expect(await visitors(['matches_wildcard', 'event:page', ['/b/*']])).toEqual([1, 1, 2]);
    expect(await visitors(['matches_wildcard', 'event:page', ['/b/**']])).toEqual([2, 2, 3]);
    expect(await visitors(['matches_wildcard_not', 'event:page', ['/**']])).toEqual([0, 0, 0]);
  });

  test('a pattern that RE2 does not take is refused with its text', async () => {
    const refused = visitors(['matches', 'event:page', ['fine', '(?=x)']]);
    await expect(refused).rejects.toMatchObject({
      code: 'bad_query',
      message: expect.stringContaining("'(?=x)'"),
    });
  });

  test('a pattern that would run for ever elsewhere is answered', async () => {
    const long = await TestStore.open([
      { visitor: 1, events: [{ at: at(0), page: `/${'a'.repeat(50_000)}!` }] },
    ]);
    const filters = [['matches', 'event:page', ['^/(a+)+$', '(a|aa)+$', '(.*)*x']]];
    expect(await long.rows({ metrics: ['visits'], filters })).toEqual([[0]]);
  });
});

describe('combinations', () => {
  test('one event must pass all event filters together', async () => {
    const plan = ['is', 'event:props:plan', ['pro']];
    expect(await visitors(plan, ['is', 'event:page', ['/a']])).toEqual([0, 0, 0]);
    expect(await visitors(plan, ['is', 'event:page', ['/b/c']])).toEqual([1, 1, 1]);
    expect(await visitors(plan, ['is', 'event:name', ['Buy']])).toEqual([0, 0, 0]);
  });

  test('a branch may mix the visit and the event', async () => {
    const either = [
      'or',
      [
        ['is', 'visit:country', ['FR']],
        ['is', 'event:name', ['Buy']],
      ],
    ];
    expect(await visitors(either)).toEqual([2, 1, 2]);
    expect(await visitors(['not', either])).toEqual([2, 4, 4]);
  });

  test('has_done looks at any event of the visit', async () => {
    const bought = ['is', 'event:goal', ['Buy']];
    expect(await visitors(['has_done', bought], ['is', 'event:page', ['/a']])).toEqual([1, 1, 1]);
    expect(await visitors(['has_not_done', bought])).toEqual([2, 3, 3]);
  });
});

describe('goals', () => {
  test('stars in page goals, pings in scroll goals', async () => {
    expect(await visitors(['is', 'event:goal', ['Visit /b/*']])).toEqual([1, 1, 1]);
    expect(await visitors(['is', 'event:goal', ['Visit /b/**']])).toEqual([2, 2, 2]);
    expect(await visitors(['is', 'event:goal', ['Deep in b']])).toEqual([1, 0, 0]);
    expect(await visitors(['contains', 'event:goal', ['Buy', 'Deep']])).toEqual([2, 0, 1]);
    expect(await visitors(['contains', 'event:goal', ['nothing']])).toEqual([0, 0, 0]);
  });

  test('an unknown goal is refused', async () => {
    await expect(visitors(['is', 'event:goal', ['Byu']])).rejects.toThrow(
      /'Byu' is not configured/,
    );
  });

  test('a ping is no event for any other filter', async () => {
    expect(await visitors(['is', 'event:name', ['engagement']])).toEqual([0, 0, 0]);
  });
});

describe('values never become SQL', () => {
  const awkward = [
    `'`,
    `"`,
    '\\',
    '%',
    '_',
    '*',
    '\n',
    '?',
    '$1',
    ';--',
    '\u{1F600}',
    'a\\*b',
    "')",
  ];

  test('each operator finds exactly the awkward page', async () => {
    const pages = awkward.map((text) => `/${text}`);
    const odd = await TestStore.open(
      pages.map((page, index) => ({ visitor: index, events: [{ at: at(index), page }] })),
    );
    for (const page of pages) {
      for (const operator of ['is', 'matches_wildcard']) {
        if (operator === 'matches_wildcard' && page.includes('*')) continue;
        const body = { metrics: ['visits'], dimensions: ['event:page'] };
        const rows = await odd.rows({ ...body, filters: [[operator, 'event:page', [page]]] });
        expect(rows).toEqual([[page, 1]]);
      }
    }
  });

  test('any text is a valid value and property name', async () => {
    const text = fc.oneof(fc.constantFrom(...awkward), fc.string({ unit: 'binary', minLength: 1 }));
    await fc.assert(
      fc.asyncProperty(text, text, async (name, value) => {
        const key = name.replaceAll('\0', '') || 'x';
        const clause = value.replaceAll('\0', '');
        const one = await TestStore.open([
          { visitor: 1, events: [{ at: at(0), properties: { [key]: clause } }] },
        ]);
        const body = {
          metrics: ['visits'],
          dimensions: [`event:props:${key}`],
          filters: [
            ['is', `event:props:${key}`, [clause]],
            ['contains', `event:props:${key}`, [clause]],
            ['is', `event:props:${key}`, [clause], { case_sensitive: false }],
          ],
        };
        expect(await one.rows(body)).toEqual([[clause, 1]]);
      }),
      { numRuns: 15 },
    );
  });
});
