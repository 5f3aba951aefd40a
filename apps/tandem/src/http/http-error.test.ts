import { BaseError } from '@tandem/base';
import { describe, expect, it } from 'vitest';
import { errorBody, HttpApiError, httpErrorOf } from './http-error.ts';

describe('a failure of a package below', () => {
  it('keeps its message and hint, and its code as the cause', () => {
    const failure = new BaseError('state_damaged', 'It is damaged.', { hint: 'Look.' });
    const error = httpErrorOf(failure);
    expect([error.code, error.status]).toEqual(['failed', 500]);
    expect(errorBody(error)).toEqual({
      code: 'failed',
      error: 'It is damaged.',
      hint: 'Look.',
      cause: 'state_damaged',
    });
  });

  it('has the status of what it means here', () => {
    for (const [code, expected] of [
      ['not_primary', 503],
      ['hand_off_failed', 503],
      ['stream_hand_off_failed', 503],
      ['not_a_database', 400],
      ['disk_full', 507],
    ] as const) {
      expect([code, httpErrorOf(new BaseError(code, 'x')).status]).toEqual([code, expected]);
    }
    expect(httpErrorOf(new BaseError('any', 'x', { retryable: true })).code).toBe('unavailable');
  });
});

it('a full disk is told as such, a time-out as such, and anything else as a failure', () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  expect(httpErrorOf(full).status).toBe(507);
  expect(httpErrorOf(new DOMException('late', 'TimeoutError')).status).toBe(504);
  expect(errorBody(httpErrorOf(new Error('odd')))).toEqual({ code: 'failed', error: 'odd' });
  expect(errorBody(httpErrorOf('odd'))).toEqual({ code: 'failed', error: 'odd' });
});

it('an error of this interface stays as it is, and says when to come back', () => {
  const error = new HttpApiError('busy', 'x');
  expect(httpErrorOf(error)).toBe(error);
  expect([error.retryable, error.headers]).toEqual([true, { 'retry-after': '1' }]);
  expect(new HttpApiError('not_found', 'x').headers).toEqual({});
});
