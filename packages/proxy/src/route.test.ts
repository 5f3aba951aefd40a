import { expect, test } from 'vitest';
import { routeOf } from './route.ts';

const RULES = { passthrough: ['/static/*', '/both'], alwaysForward: ['/login*', '/both'] };

test('reads are GET, HEAD and OPTIONS; everything else is a write', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(routeOf(method, '/', RULES)).toBe('read');
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'get']) {
    expect(routeOf(method, '/', RULES)).toBe('write');
  }
});

test('rules see the decoded path without the query', () => {
  expect(routeOf('GET', '/login?next=/static/', RULES)).toBe('write');
  expect(routeOf('GET', '/%6Cogin', RULES)).toBe('write');
  expect(routeOf('POST', '/static/a?b', RULES)).toBe('passthrough');
  expect(routeOf('GET', '/x?/login', RULES)).toBe('read');
  expect(routeOf('GET', '/login%zz', RULES)).toBe('write');
});

test('passthrough comes before always-forward, and health before both', () => {
  expect(routeOf('GET', '/both', RULES)).toBe('passthrough');
  const all = { passthrough: ['*'], alwaysForward: ['*'] };
  expect(routeOf('GET', '/litefs/health', all)).toBe('health');
  expect(routeOf('HEAD', '/tandem/health?x', all)).toBe('health');
  expect(routeOf('POST', '/tandem/health', all)).toBe('passthrough');
});
