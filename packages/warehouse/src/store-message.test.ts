import { HttpError } from '@loggia/contract';
import { expect, test } from 'vitest';
import { decodeFailure, encodeFailure } from './store-message.ts';
import { WarehouseError } from './warehouse-error.ts';

test.each([
  new HttpError('query_timeout', 'Too slow.', { hint: 'Wait.', retryable: true }),
  new HttpError('query_cancelled', 'Gone.'),
  new WarehouseError('store_full', 'Full.', { hint: 'Grow.' }),
])('$name $code arrives as it was sent (W12)', (error) => {
  const arrived = decodeFailure(structuredClone(encodeFailure(error)));
  expect(arrived).toBeInstanceOf(error.constructor);
  expect(arrived).toMatchObject({
    name: error.name,
    code: error.code,
    message: error.message,
    hint: error.hint,
    retryable: error.retryable,
  });
});

test.each([new TypeError('x is undefined'), 'a text', undefined])(
  'anything else becomes a failed statement',
  (error) => {
    const arrived = decodeFailure(structuredClone(encodeFailure(error)));
    expect(arrived).toMatchObject({ name: 'WarehouseError', code: 'statement_failed' });
  },
);

test('a code that this side does not know becomes a failed statement', () => {
  const failure = { name: 'HttpError', code: 'toString', message: 'm', hint: undefined };
  expect(decodeFailure({ ...failure, retryable: false })).toMatchObject({
    code: 'statement_failed',
  });
});
