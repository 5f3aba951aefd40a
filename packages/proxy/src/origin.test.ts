import { expect, test } from 'vitest';
import { originOf } from './origin.ts';

const VIA = ['Via', '1.1 nginx, 1.1 tandem-a', 'via', '1.0 tandem-b (x)'];

test('a client has no hops', () => {
  const client = { isPeer: false, isTrusted: false, hops: 0, isLoop: false };
  expect(originOf([], 'me', undefined)).toEqual(client);
  expect(originOf(['Via', '1.1 nginx'], 'me', undefined)).toEqual(client);
  expect(originOf(VIA, 'me', 'secret')).toEqual(client);
  expect(originOf([...VIA, 'Tandem-Forward', 'guess'], 'me', 'secret')).toEqual(client);
  const twice = ['Tandem-Forward', 'secret', 'Tandem-Forward', 'secret'];
  expect(originOf([...VIA, ...twice], 'me', 'secret')).toEqual(client);
});

test('with the token, or where there is none, hops are believed', () => {
  expect(originOf([...VIA, 'tandem-forward', 'secret'], 'me', 'secret')).toEqual({
    isPeer: true,
    isTrusted: true,
    hops: 2,
    isLoop: false,
  });
  expect(originOf(VIA, 'me', undefined)).toEqual({
    isPeer: true,
    isTrusted: false,
    hops: 2,
    isLoop: false,
  });
});

test('a loop through oneself is seen without any token', () => {
  expect(originOf(VIA, 'b', 'secret')).toMatchObject({ isLoop: true, isTrusted: false });
});
