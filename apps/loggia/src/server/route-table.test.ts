import { AssertionError } from '@tandem/base';
import { describe, expect, it } from 'vitest';
import { RouteTable } from './route-table.ts';

describe('RouteTable', () => {
  it('tells the methods of a path, parameters included', () => {
    const table = new RouteTable();
    table.add({ method: ['GET', 'HEAD'], url: '/sites', access: 'sites:read' });
    table.add({ method: 'PUT', url: '/sites/:site', access: 'sites:write' });
    table.add({ method: 'GET', url: '/sites/goals', access: 'sites:read' });
    expect(table.methodsAt('/sites')).toEqual(['GET', 'HEAD']);
    expect(table.methodsAt('/sites/goals')).toEqual(['GET', 'PUT']);
    expect(table.methodsAt('/sites/example.org')).toEqual(['PUT']);
    expect(table.methodsAt('/sites/')).toEqual([]);
    expect(table.methodsAt('/sites/a/b')).toEqual([]);
  });

  it('refuses a route that does not say who may use it', () => {
    const table = new RouteTable();
    const open = { method: 'GET', url: '/open', access: undefined };
    expect(() => table.add(open)).toThrow(AssertionError);
    expect(table.list()).toEqual([]);
  });
});
