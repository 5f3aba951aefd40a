import { describe, expect, it } from 'vitest';
import { logTimeMs, parseCombinedLine } from './combined-log.ts';

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const line = (start: string, request = 'GET /a?b=c HTTP/1.1', rest = `"-" "${AGENT}"`) =>
  `${start} [10/Oct/2024:13:55:36 -0700] "${request}" 200 2326 ${rest}`;

describe('a line in the combined format', () => {
  it('tells who asked for what, when, and whence', () => {
    const referrer = `"https://news.example/" "${AGENT}"`;
    expect(parseCombinedLine(line('203.0.113.9 - ada', undefined, referrer))).toEqual({
      timeMs: Date.UTC(2024, 9, 10, 20, 55, 36),
      address: '203.0.113.9',
      forwardedFor: null,
      method: 'GET',
      target: '/a?b=c',
      host: null,
      status: 200,
      referrer: 'https://news.example/',
      userAgent: AGENT,
      acceptLanguage: null,
      contentType: null,
      isPrefetch: false,
      fetchDest: null,
    });
  });

  it.each([
    [
      'the virtual host before the address',
      'WWW.Example.org:443 203.0.113.9 - -',
      'www.example.org',
    ],
    ['an address of IPv6', '2001:db8::7 - -', null],
    ['a name that the server looked up', 'client.example - -', null],
    ['a user with spaces', '203.0.113.9 - Ada Lovelace', null],
  ])('may have %s', (_, start, host) => {
    const entry = parseCombinedLine(line(start));
    const addresses = /2001/.test(start) ? '2001:db8::7' : '203.0.113.9';
    expect(entry.host).toBe(host);
    expect(entry.address).toBe(start.startsWith('client') ? null : addresses);
  });

  it('has bytes and quotation marks escaped', () => {
    const entry = parseCombinedLine(
      line('203.0.113.9 - -', 'GET /caf\\xC3\\xA9 HTTP/2.0', '"https://a.example/\\"q\\"" "-"'),
    );
    expect(entry.target).toBe('/café');
    expect(entry.referrer).toBe('https://a.example/"q"');
    expect(entry.userAgent).toBe('');
  });

  it('may hold what is no request', () => {
    const entry = parseCombinedLine(line('203.0.113.9 - -', '\\x16\\x03\\x01'));
    expect(entry.method).toBe('');
  });

  it.each([
    ['without a user agent', line('203.0.113.9 - -', undefined, ''), /common format/],
    ['of something else', 'Oct 10 13:55:36 host sshd[1]: hello', /not in the combined format/],
    ['with another time', line('1.2.3.4 - -').replace('Oct', '10'), /no time like/],
  ])('%s is refused', (_, text, message) => {
    expect(() => parseCombinedLine(text)).toThrow(message);
  });

  it('has a time with an offset', () => {
    expect(logTimeMs('01/Jan/2025:00:30:00 +0530')).toBe(Date.UTC(2024, 11, 31, 19));
  });
});
