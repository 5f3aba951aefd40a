import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePositions } from './position.ts';
import { positionFields } from './position-fields.ts';

const COOKIE = { maxAgeS: 1, isSecure: false };
const POSITION = fc.record({ epoch: fc.nat({ max: 3 }), txid: fc.nat({ max: 3 }) });

test('the cookie is set exactly when it moves the client on', () => {
  fc.assert(
    fc.property(POSITION, POSITION, (seen, shown) => {
      const fields = positionFields({ seen, isForgiven: false, shown }, COOKIE);
      expect(fields.includes('Set-Cookie')).toBe(comparePositions(shown, seen) > 0);
      expect(fields[0]).toBe('Tandem-Position');
    }),
  );
});

test('a lost history and a position without an epoch are replaced, even by an older one', () => {
  const shown = { epoch: 1, txid: 1 };
  const forgiven = { seen: { epoch: 9, txid: 9 }, isForgiven: true, shown };
  const bare = { seen: { epoch: undefined, txid: 9 }, isForgiven: false, shown };
  const fresh = { seen: undefined, isForgiven: false, shown };
  for (const showing of [forgiven, bare, fresh]) {
    expect(positionFields(showing, COOKIE)[3]).toMatch(/^__txid=1\.0000000000000001;/);
  }
});

test('without a position nothing is said', () => {
  expect(positionFields({ seen: undefined, isForgiven: false, shown: undefined }, COOKIE)).toEqual(
    [],
  );
});
