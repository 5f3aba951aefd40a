import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePoints, formatPosition, joinPositions, type ProxyPosition } from './position.ts';
import { positionFields, type Showing } from './position-fields.ts';

const COOKIE = { maxAgeS: 1, isSecure: false };
const POINT = fc.record({ epoch: fc.nat({ max: 3 }), txid: fc.nat({ max: 3 }) });
const POSITION: fc.Arbitrary<ProxyPosition> = fc
  .dictionary(fc.constantFrom('a', 'b', 'c'), POINT, { minKeys: 1, noNullPrototype: true })
  .map((points) => new Map(Object.entries(points)));

function alone(epoch: number, txid: number): ProxyPosition {
  return new Map([['', { epoch, txid }]]);
}

function cookieOf(showing: Partial<Showing>): string | undefined {
  const base = { seen: undefined, isForgiven: false, shown: undefined, isPrimary: false };
  return positionFields({ ...base, ...showing }, COOKIE)[3]?.split(';')[0];
}

test('the cookie is set exactly when it moves the client on', () => {
  fc.assert(
    fc.property(POSITION, POSITION, (points, shown) => {
      const showing = { seen: { kind: 'points', points }, isForgiven: false, shown } as const;
      const fields = positionFields({ ...showing, isPrimary: false }, COOKIE);
      expect(fields.slice(0, 2)).toEqual(['Tandem-Position', formatPosition(shown)]);
      const isNews = [...shown].some(([key, point]) => {
        const other = points.get(key);
        return other === undefined || comparePoints(point, other) > 0;
      });
      const joined = `__txid=${formatPosition(joinPositions(points, shown))}`;
      expect(cookieOf(showing)).toBe(isNews ? joined : undefined);
    }),
  );
});

test('a lost history, a star and a position without an epoch are replaced, even by an older one', () => {
  const shown = alone(1, 1);
  const forgiven = {
    seen: { kind: 'points', points: alone(9, 9) },
    isForgiven: true,
    shown,
  } as const;
  const bare = { seen: { kind: 'bare', txid: 9 }, shown } as const;
  const latest = { seen: { kind: 'latest' }, shown } as const;
  for (const showing of [forgiven, bare, latest, { shown }]) {
    expect(cookieOf(showing)).toBe('__txid=1.0000000000000001');
  }
});

test('a database that the primary does not name is forgotten, one that a replica does not name is kept', () => {
  const points = new Map(Object.entries({ a: { epoch: 1, txid: 1 }, b: { epoch: 1, txid: 5 } }));
  const shown = new Map(Object.entries({ a: { epoch: 1, txid: 2 } }));
  const showing = { seen: { kind: 'points', points }, shown } as const;
  expect(cookieOf({ ...showing, isPrimary: true })).toBe('__txid=a:1.2');
  expect(cookieOf({ ...showing, isPrimary: false })).toBe('__txid=a:1.2+b:1.5');
});

test('without a position nothing is said', () => {
  expect(cookieOf({})).toBeUndefined();
});
