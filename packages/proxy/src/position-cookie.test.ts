import { expect, test } from 'vitest';
import { cookiePosition, positionCookie } from './position-cookie.ts';

test('the cookie is found among others', () => {
  expect(cookiePosition('a=1; __txid=2.ff ;b=__txid=9.9')).toEqual({ epoch: 2, txid: 255 });
  expect(cookiePosition('__txid="2.ff"')).toEqual({ epoch: 2, txid: 255 });
});

test('of several, the first readable one counts', () => {
  expect(cookiePosition('__txid=; __txid=x; __txid=1.2; __txid=9.9')).toEqual({
    epoch: 1,
    txid: 2,
  });
});

test('other names and broken values are no cookie', () => {
  for (const text of [undefined, '', '__txid', 'x__txid=1.1', '__TXID=1.1', '__txid=1', ';;=;']) {
    expect(cookiePosition(text)).toBeUndefined();
  }
});

test('what is set is read back', () => {
  const set = positionCookie({ epoch: 3, txid: 4 }, { maxAgeS: 300, isSecure: true });
  expect(set).toBe(
    '__txid=3.0000000000000004; Path=/; Max-Age=300; HttpOnly; SameSite=Lax; Secure',
  );
  expect(cookiePosition(set.split(';')[0])).toEqual({ epoch: 3, txid: 4 });
});
