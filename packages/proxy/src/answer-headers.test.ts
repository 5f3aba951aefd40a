import { expect, test } from 'vitest';
import { answerHeaders, isEventStream, isSharedAnswer } from './answer-headers.ts';

const HEAD = { status: 200, isFromTarget: true, mayHaveTrailers: true };

test('fields of one connection end, and so do those that the application may not set', () => {
  const headers = ['Connection', 'close, X-Hop', 'X-Hop', '1', 'Tandem-Position', '1.1', 'X', 'y'];
  headers.push('Transfer-Encoding', 'chunked', 'Set-Cookie', 'a', 'Set-Cookie', 'b');
  const kept = ['X', 'y', 'Set-Cookie', 'a', 'Set-Cookie', 'b'];
  expect(answerHeaders({ ...HEAD, headers })).toEqual(kept);
  expect(answerHeaders({ ...HEAD, headers, isFromTarget: false })).toEqual([
    'Tandem-Position',
    '1.1',
    ...kept,
  ]);
});

test('trailers are announced only where they can come', () => {
  const headers = ['Trailer', 'X'];
  expect(answerHeaders({ ...HEAD, headers })).toEqual(headers);
  expect(answerHeaders({ ...HEAD, headers, mayHaveTrailers: false })).toEqual([]);
  const fixed = ['Content-Length', '3'];
  expect(answerHeaders({ ...HEAD, headers: [...headers, ...fixed] })).toEqual(fixed);
});

test('204 has no length', () => {
  expect(answerHeaders({ ...HEAD, status: 204, headers: ['Content-Length', '0'] })).toEqual([]);
});

test('an answer is for everybody when it says so', () => {
  const shared = (value: string): boolean => isSharedAnswer(['Cache-Control', value]);
  expect(shared('max-age=5, Public')).toBe(true);
  expect(shared('s-maxage=5')).toBe(true);
  expect(shared('max-age=5')).toBe(false);
  expect(shared('public, no-store')).toBe(false);
  expect(shared('private, s-maxage=5')).toBe(false);
});

test('event streams are known by their type', () => {
  expect(isEventStream(['content-type', 'Text/Event-Stream ; charset=utf-8'])).toBe(true);
  expect(isEventStream(['content-type', 'text/event-streams'])).toBe(false);
  expect(isEventStream([])).toBe(false);
});
