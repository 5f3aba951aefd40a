import { expect, it } from 'vitest';
import { databaseFilter } from './database-filter.ts';

it.each([
  [['**'], [], 'a.db', true],
  [['**'], [], 'x/y/a.db', true],
  [['*.db'], [], 'a.db', true],
  [['*.db'], [], 'x/y/a.db', true],
  [['*.db'], [], 'a.sqlite', false],
  [['*.db'], ['cache.db'], 'x/cache.db', false],
  [['x/*.db'], [], 'x/a.db', true],
  [['x/*.db'], [], 'x/y/a.db', false],
  [['x/**'], [], 'x/y/a.db', true],
  [['x/**/a.db'], [], 'x/a.db', true],
  [['/a.db'], [], 'a.db', true],
  [['a?.db'], [], 'ab.db', true],
  [['a?.db'], [], 'a.db', false],
  [['a+(b).db'], [], 'a+(b).db', true],
  [['a.db'], [], 'axdb', false],
  [[], [], 'a.db', false],
])('include %j, exclude %j, %s: %s', (include, exclude, name, expected) => {
  expect(databaseFilter({ include, exclude })(name)).toBe(expected);
});
