import { expect, test } from 'vitest';
import { fieldsOf, fieldValues, type RawHeaders } from './raw-headers.ts';
import { upstreamHeaders, type UpstreamRequest } from './upstream-headers.ts';

const EDGE = { isPeer: false, isTrusted: false, hops: 0, isLoop: false };

function sent(headers: RawHeaders, more: Partial<UpstreamRequest> = {}): string[] {
  return upstreamHeaders({
    headers,
    method: 'GET',
    httpVersion: '1.1',
    framing: { kind: 'none' },
    origin: EDGE,
    clientAddress: '192.0.2.1',
    fallbackHost: 'fallback:80',
    viaName: 'tandem-me',
    upgrade: undefined,
    expectsContinue: false,
    forwardToken: undefined,
    ...more,
  });
}

test('end-to-end fields keep their order, case and repetition', () => {
  const headers = ['Host', 'a', 'x-B', '1', 'X-a', '2', 'X-b', '3'];
  const names = [...fieldsOf(sent(headers))].map(([, name, value]) => `${name}=${value}`);
  expect(names.slice(0, 4)).toEqual(['Host=a', 'x-B=1', 'X-a=2', 'X-b=3']);
});

test('fields of one connection end, those that Connection names too', () => {
  const hops = ['Keep-Alive', 'x', 'Proxy-Connection', 'x', 'TE', 'gzip', 'Upgrade', 'h2c'];
  const headers = ['Host', 'a', 'Connection', 'close, X-Named', 'X-Named', '1', ...hops];
  const names = [...fieldsOf(sent(headers))].map(([lower]) => lower);
  expect(names).toEqual([
    'host',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'via',
    'connection',
  ]);
});

test('addresses are appended for a client and left alone for a proxy of ours', () => {
  const headers = ['Host', 'a', 'X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '2.2.2.2'];
  expect(fieldValues(sent(headers), 'x-forwarded-for')).toEqual(['1.1.1.1, 2.2.2.2, 192.0.2.1']);
  const trusted = { ...EDGE, isPeer: true, isTrusted: true };
  expect(fieldValues(sent(headers, { origin: trusted }), 'x-forwarded-for')).toEqual([
    '1.1.1.1, 2.2.2.2',
  ]);
});

test('a client cannot remove the addresses by naming them in Connection', () => {
  const headers = ['Host', 'a', 'Connection', 'X-Forwarded-For', 'X-Forwarded-For', '9.9.9.9'];
  expect(fieldValues(sent(headers), 'x-forwarded-for')).toEqual(['192.0.2.1']);
});

test('every body is framed as it came, and no body is said to be none', () => {
  const length = sent(['Host', 'a'], { method: 'POST', framing: { kind: 'length', bytes: 7 } });
  expect(fieldValues(length, 'content-length')).toEqual(['7']);
  const none = sent(['Host', 'a'], { method: 'POST' });
  expect(fieldValues(none, 'content-length')).toEqual(['0']);
  expect(fieldValues(sent(['Host', 'a']), 'content-length')).toEqual([]);
  const chunks = sent(['Host', 'a', 'Trailer', 'X'], { framing: { kind: 'chunked' } });
  expect(fieldValues(chunks, 'transfer-encoding')).toEqual(['chunked']);
  expect(fieldValues(chunks, 'trailer')).toEqual(['X']);
});

test('the token goes to proxies only; what clients claim goes nowhere', () => {
  const headers = ['Host', 'a', 'Tandem-Forward', 'x', 'Tandem-Position', '1.1', 'Tandem-X', 'y'];
  const names = (more: Partial<UpstreamRequest>): string[] =>
    [...fieldsOf(sent(headers, more))]
      .map(([lower]) => lower)
      .filter((name) => name.startsWith('tandem'));
  expect(names({})).toEqual(['tandem-position']);
  expect(names({ forwardToken: 'secret' })).toEqual(['tandem-position', 'tandem-forward']);
  expect(fieldValues(sent(headers, { forwardToken: 'secret' }), 'tandem-forward')).toEqual([
    'secret',
  ]);
});

test('a request without Host gets one', () => {
  expect(sent([]).slice(0, 2)).toEqual(['Host', 'fallback:80']);
});
