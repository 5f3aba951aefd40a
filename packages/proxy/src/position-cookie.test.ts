import { expect, test } from 'vitest';
import { cookiePosition, positionCookie } from './position-cookie.ts';
import type { SeenPosition } from './position.ts';

function at(epoch: number, txid: number): SeenPosition {
  return { kind: 'points', points: new Map([['', { epoch, txid }]]) };
}

test('the cookie is found among others', () => {
  expect(cookiePosition('a=1; __txid=2.ff ;b=__txid=9.9')).toEqual(at(2, 255));
  expect(cookiePosition('__txid="2.ff"')).toEqual(at(2, 255));
});

test('of several, the first readable one counts', () => {
  expect(cookiePosition('__txid=; __txid=x; __txid=1.2; __txid=9.9')).toEqual(at(1, 2));
});

test('other names and broken values are no cookie', () => {
  for (const text of [undefined, '', '__txid', 'x__txid=1.1', '__TXID=1.1', '__txid=1', ';;=;']) {
    expect(cookiePosition(text)).toBeUndefined();
  }
});

test('what is set is read back', () => {
  const set = positionCookie(new Map([['', { epoch: 3, txid: 4 }]]), {
    maxAgeS: 300,
    isSecure: true,
  });
  expect(set).toBe(
    '__txid=3.0000000000000004; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure',
  );
  expect(cookiePosition(set.split(';')[0])).toEqual(at(3, 4));
});
