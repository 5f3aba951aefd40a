import { describe, expect, it } from 'vitest';
import { parseJsonLine } from './json-log.ts';

const CADDY = {
  level: 'info',
  ts: 1735689600.25,
  logger: 'http.log.access.log0',
  msg: 'handled request',
  request: {
    remote_ip: '10.0.0.2',
    client_ip: '203.0.113.9',
    proto: 'HTTP/2.0',
    method: 'GET',
    host: 'example.org:443',
    uri: '/a?b=c',
    headers: {
      'User-Agent': ['Firefox'],
      Referer: ['https://news.example/'],
      'Accept-Language': ['de-AT'],
      'Sec-Fetch-Dest': ['document'],
      'Sec-Purpose': ['prefetch'],
    },
  },
  status: 200,
  resp_headers: { 'Content-Type': ['text/html; charset=utf-8'] },
};

const line = (fields: object) => JSON.stringify(fields);

describe('a line of a log of JSON objects', () => {
  it("may be Caddy's", () => {
    expect(parseJsonLine(line(CADDY))).toEqual({
      timeMs: 1_735_689_600_250,
      address: '203.0.113.9',
      forwardedFor: null,
      method: 'GET',
      target: '/a?b=c',
      host: 'example.org',
      status: 200,
      referrer: 'https://news.example/',
      userAgent: 'Firefox',
      acceptLanguage: 'de-AT',
      contentType: 'text/html; charset=utf-8',
      isPrefetch: true,
      fetchDest: 'document',
    });
  });

  it("may be Caddy's about something else", () => {
    const other = { level: 'warn', ts: 1, logger: 'tls', msg: 'stapling OCSP' };
    expect(parseJsonLine(line(other))).toBeNull();
  });

  it.each([
    [
      "nginx's with a request line",
      {
        time_iso8601: '2025-01-01T00:00:00+00:00',
        remote_addr: '203.0.113.9',
        request: 'GET /a HTTP/1.1',
        status: '200',
        http_referer: '-',
        http_user_agent: 'Firefox',
        http_host: 'example.org',
      },
    ],
    [
      "nginx's in parts",
      {
        msec: '1735689600.000',
        remote_addr: '203.0.113.9',
        request_method: 'GET',
        request_uri: '/a',
        status: 200,
        http_user_agent: 'Firefox',
        host: 'example.org',
      },
    ],
    [
      "Traefik's",
      {
        StartUTC: '2025-01-01T00:00:00.000000000Z',
        ClientHost: '203.0.113.9',
        RequestMethod: 'GET',
        RequestPath: '/a',
        RequestHost: 'example.org',
        DownstreamStatus: 200,
        'request_User-Agent': 'Firefox',
      },
    ],
  ])('may be %s', (_, fields) => {
    expect(parseJsonLine(line(fields))).toMatchObject({
      timeMs: Date.UTC(2025, 0, 1),
      address: '203.0.113.9',
      method: 'GET',
      target: '/a',
      host: 'example.org',
      status: 200,
      referrer: null,
      userAgent: 'Firefox',
    });
  });

  it.each([
    ['that is none', 'no JSON', /no JSON/],
    ['that is a list', '[]', /no JSON object/],
    ['without a request', line({ ts: 1e9, status: 200 }), /names no request/],
    ['without a time', line({ ...CADDY, ts: undefined }), /no time/],
    ['without a status', line({ ...CADDY, status: undefined }), /no status/],
    [
      'without a user agent',
      line({ ts: 1e9, status: 200, request: 'GET / HTTP/1.1' }),
      /user agent/,
    ],
  ])('%s is refused', (_, text, message) => {
    expect(() => parseJsonLine(text)).toThrow(message);
  });
});
