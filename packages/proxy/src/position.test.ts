import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  comparePoints,
  covers,
  formatPosition,
  joinPositions,
  joinSeen,
  POINTS_MAX,
  tryParsePosition,
  type PositionPoint,
  type SeenPosition,
} from './position.ts';

const NUMBER = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const POINT = fc.record({ epoch: NUMBER, txid: NUMBER });
const KEY = fc.stringMatching(/^[\w-]{1,16}$/);
const POSITION = fc.oneof(
  POINT.map((point) => new Map([['', point]])),
  fc
    .uniqueArray(fc.tuple(KEY, POINT), {
      minLength: 1,
      maxLength: POINTS_MAX,
      selector: ([k]) => k,
    })
    .map((entries) => new Map(entries)),
);

function points(position: Record<string, PositionPoint>): SeenPosition {
  return { kind: 'points', points: new Map(Object.entries(position)) };
}

test('what is formatted is read back', () => {
  fc.assert(
    fc.property(POSITION, (position) => {
      expect(tryParsePosition(formatPosition(position))).toEqual({
        kind: 'points',
        points: position,
      });
    }),
  );
});

test('the form of one database is the epoch, a point and sixteen digits', () => {
  expect(formatPosition(new Map([['', { epoch: 2, txid: 255 }]]))).toBe('2.00000000000000ff');
});

test('that of several has a key before each, in one order on all nodes', () => {
  const [a, b] = [
    { epoch: 2, txid: 255 },
    { epoch: 3, txid: 1 },
  ];
  expect(formatPosition(new Map(Object.entries({ b, a })))).toBe('a:2.ff+b:3.1');
  expect(tryParsePosition('b:3.1+a:2.ff')).toEqual(points({ a, b }));
});

test('more databases than a cookie can name are a star, which is always short', () => {
  const many = (count: number) =>
    new Map(
      Array.from({ length: count }, (_, at): [string, PositionPoint] => [
        `key-${at}`.padEnd(8, '-'),
        { epoch: Number.MAX_SAFE_INTEGER, txid: Number.MAX_SAFE_INTEGER },
      ]),
    );
  expect(formatPosition(many(POINTS_MAX)).length).toBeLessThan(1500);
  expect(formatPosition(many(POINTS_MAX + 1))).toBe('*');
  expect(tryParsePosition('*')).toEqual({ kind: 'latest' });
});

test("LiteFS's form is a txid of no epoch", () => {
  expect(tryParsePosition('00000000000000FF')).toEqual({ kind: 'bare', txid: 255 });
});

test('anything else is no position', () => {
  const texts = ['', '1', '1.', '.1', '1.1.1', ' 1.1', '1.1 ', '-1.1', '1.0x1', '1.g', '１.1'];
  texts.push('1.0020000000000000', '20000000000000.1', 'ffffffffffffffff', '1.00000000000000001');
  texts.push('a:1.1+', 'a:1.1+a:1.2', '1.1+a:1.1', 'ä:1.1', ':1.1', '**', 'a:*');
  texts.push(Array.from({ length: POINTS_MAX + 1 }, (_, at) => `k${at}:1.1`).join('+'));
  for (const text of texts) expect([text, tryParsePosition(text)]).toEqual([text, undefined]);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const position = tryParsePosition(text);
      if (position !== undefined) expect(text).toMatch(/^(?:[\w.:+-]+|\*)$/);
    }),
  );
});

test('the epoch decides before the txid', () => {
  expect(comparePoints({ epoch: 1, txid: 9 }, { epoch: 2, txid: 1 })).toBeLessThan(0);
  expect(comparePoints({ epoch: 2, txid: 2 }, { epoch: 2, txid: 1 })).toBeGreaterThan(0);
  expect(comparePoints({ epoch: 2, txid: 1 }, { epoch: 2, txid: 1 })).toBe(0);
});

test('joined positions name every database of both, each as far as either', () => {
  fc.assert(
    fc.property(POSITION, POSITION, (a, b) => {
      const joined = joinPositions(a, b);
      expect(new Set(joined.keys())).toEqual(new Set([...a.keys(), ...b.keys()]));
      for (const [key, point] of joined) {
        const both = [a.get(key), b.get(key)].filter((each) => each !== undefined);
        expect(both).toContain(point);
        for (const each of both) expect(comparePoints(point, each)).toBeGreaterThanOrEqual(0);
      }
      expect(joinPositions(joined, a)).toEqual(joined);
    }),
  );
});

test('a position covers another when it is as far in each database that the other names', () => {
  const at = (position: Record<string, PositionPoint>) => new Map(Object.entries(position));
  const [one, two] = [
    { epoch: 1, txid: 1 },
    { epoch: 1, txid: 2 },
  ];
  expect(covers(at({ a: two, b: one }), at({ a: one, b: one }))).toBe(true);
  expect(covers(at({ a: two, b: one }), at({ a: one, b: two }))).toBe(false);
  expect(covers(at({ a: two }), at({ a: one, b: one }))).toBe(false);
  expect(covers(at({ a: { epoch: 2, txid: 9 } }), at({ a: one }))).toBe(false);
  expect(covers(undefined, at({ a: one }))).toBe(false);
  expect(covers(undefined, at({}))).toBe(true);
});

test('what a client says twice counts as the later of the two', () => {
  const [one, two] = [
    { epoch: 1, txid: 1 },
    { epoch: 1, txid: 2 },
  ];
  const bare: SeenPosition = { kind: 'bare', txid: 7 };
  expect(joinSeen(points({ a: one }), points({ a: two, b: one }))).toEqual(
    points({ a: two, b: one }),
  );
  expect(joinSeen(points({ a: one }), { kind: 'latest' })).toEqual({ kind: 'latest' });
  expect(joinSeen(bare, points({ a: one }))).toEqual(points({ a: one }));
  expect(joinSeen(bare, { kind: 'bare', txid: 6 })).toEqual(bare);
});
