import {
  EVENT_DIMENSIONS,
  FILTER_OPERATORS,
  HttpError,
  METRIC_NAMES,
  TIME_DIMENSIONS,
  VISIT_DIMENSIONS,
} from '@loggia/contract';
import { answerQuery, parseQuery } from '@loggia/reports';
import { beforeAll, describe, expect, test } from 'vitest';

import { inZone, TestStore, testContext, testGoal } from './store.ts';

const goals = [
  testGoal('Buy', { eventName: 'Buy', currency: 'EUR' }),
  testGoal('Visit /a*', { kind: 'page', pagePattern: '/a*' }),
  testGoal('Deep', { kind: 'scroll', pagePattern: '/b', scrollThreshold: 70 }),
];
const context = testContext({ ...inZone('Europe/Berlin'), goals });
const property = 'event:props:plan';
const filterDimensions = [...VISIT_DIMENSIONS, ...EVENT_DIMENSIONS, property];
const dimensions = [...filterDimensions, ...TIME_DIMENSIONS];

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});

/** Whether DuckDB binds the query's statements, or the query is refused as one that makes no sense. */
async function outcome(body: Record<string, unknown>): Promise<'bound' | 'refused'> {
  const query = parseQuery({ site_id: 'example.org', date_range: '12mo', ...body });
  try {
    await answerQuery(query, context, (statement) =>
      statement.sql.startsWith('SELECT TRY') ? store.execute(statement) : store.bind(statement),
    );
    return 'bound';
  } catch (error) {
    if (error instanceof HttpError) return 'refused';
    throw error;
  }
}

/** Filters that let every metric be asked for. */
const enabling = [
  ['contains', 'event:page', ['/']],
  ['is', 'event:goal', ['Buy']],
];

const ofEvent = new Set(['event:name', 'event:goal', property]);
const ofVisits = new Set([
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'time_on_page',
  'scroll_depth',
  'exit_rate',
]);

function isRefused(metric: string, dimension: string): boolean {
  if (metric === 'exit_rate') return dimension !== 'event:page' && dimension !== 'visit:exit_page';
  return ofVisits.has(metric) && ofEvent.has(dimension);
}

test.each(dimensions)(
  '%s binds with the metrics that go with it, and no other',
  async (dimension) => {
    const fitting = METRIC_NAMES.filter((metric) => !isRefused(metric, dimension));
    const body = { dimensions: [dimension], filters: enabling };
    expect(await outcome({ ...body, metrics: fitting })).toBe('bound');
    for (const metric of METRIC_NAMES.filter((name) => isRefused(name, dimension))) {
      expect([metric, await outcome({ ...body, metrics: [metric] })]).toEqual([metric, 'refused']);
    }
  },
);

test.each(METRIC_NAMES)('%s binds alone, with every kind of dimension', async (metric) => {
  for (const dimension of ['event:page', 'event:hostname', property, 'visit:source', 'time:day']) {
    const body = { metrics: [metric], dimensions: [dimension], filters: enabling };
    const expected = isRefused(metric, dimension) ? 'refused' : 'bound';
    expect([dimension, await outcome(body)]).toEqual([dimension, expected]);
  }
});

describe.each(filterDimensions)('a filter on %s', (dimension) => {
  const operators = FILTER_OPERATORS.filter(
    (operator) => dimension !== 'event:goal' || operator === 'is' || operator === 'contains',
  );
  test.each(operators)('binds with %s in every place', async (operator) => {
    const leaf = [operator, dimension, ['Buy', 'Deep']];
    const modified = operator.startsWith('matches') ? leaf : [...leaf, { case_sensitive: false }];
    const deeds = dimension.startsWith('event:')
      ? [
          ['has_done', leaf],
          ['has_not_done', leaf],
        ]
      : [];
    const filters = [modified, ['not', leaf], ['or', [leaf, enabling[0]]], ...deeds];
    const metrics = ['visitors', 'pageviews', 'bounce_rate', 'time_on_page'];
    expect(await outcome({ metrics, dimensions: ['event:page'], filters })).toBe('bound');
    expect(await outcome({ metrics: ['visits', 'events'], filters: [leaf] })).toBe('bound');
  });
});

test('all metrics that go together bind in one statement', async () => {
  const body = {
    metrics: METRIC_NAMES,
    dimensions: ['time', 'event:page', 'event:hostname', 'visit:country_name'],
    filters: enabling,
    include: { comparisons: { mode: 'year_over_year' }, total_rows: true },
  };
  expect(await outcome(body)).toBe('bound');
});
