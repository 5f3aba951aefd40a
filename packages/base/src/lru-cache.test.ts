import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LruCache } from './lru-cache.ts';

const ENTRIES_MAX = 10;

it('keeps what was used since half as many others were, and never more than it may', () => {
  const step = fc.record({ key: fc.nat(30), isSet: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const cache = new LruCache<number, number>(ENTRIES_MAX);
      /** The keys that are there for sure, the most recently used last. */
      let recent: number[] = [];
      const values = new Map<number, number>();
      for (const [index, { key, isSet }] of steps.entries()) {
        if (isSet) {
          cache.set(key, index);
          values.set(key, index);
        } else {
          const value = cache.get(key);
          if (recent.includes(key)) expect(value).toBe(values.get(key));
          if (value === undefined) continue;
          expect(value).toBe(values.get(key));
        }
        recent = [...recent.filter((each) => each !== key), key].slice(-ENTRIES_MAX / 2);
        expect(cache.size).toBeLessThanOrEqual(ENTRIES_MAX);
      }
    }),
  );
});

it('forgets what others have pushed out', () => {
  const cache = new LruCache<string, number>(4);
  for (const [index, key] of ['a', 'b', 'c', 'd', 'e'].entries()) cache.set(key, index);
  expect([cache.get('a'), cache.get('e')]).toEqual([undefined, 4]);
});

it('a deleted entry is gone from both generations', () => {
  const cache = new LruCache<string, number>(4);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.set('c', 3);
  for (const key of ['a', 'b', 'c']) cache.delete(key);
  expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([
    undefined,
    undefined,
    undefined,
    0,
  ]);
});
