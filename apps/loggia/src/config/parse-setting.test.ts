import { PRIVATE_RANGES } from '@tandem/base';
import { describe, expect, it } from 'vitest';
import { parseAddressRange, parseAddressRanges } from './address-range.ts';
import { parseBaseUrl } from './base-url.ts';
import {
  byteCount,
  duration,
  headerName,
  onOrOff,
  oneOf,
  path,
  unless,
  wholeNumber,
} from './parse-setting.ts';
import { isServiceLink } from './service-link.ts';

const context = { folder: '/srv/app' };

describe('a number', () => {
  const parse = wholeNumber(1, 100_000);
  it('is whole, may have underscores, and lies within its bounds', () => {
    expect(parse('20_000', context)).toEqual({ value: 20_000 });
    expect(parse('1', context)).toEqual({ value: 1 });
    expect(parse('0', context)).toEqual({ problem: 'is not between 1 and 100000' });
    for (const text of ['1.5', '-1', '1e3', '0x10', '', '_1', 'NaN']) {
      expect(parse(text, context)).toEqual({ problem: 'is not a whole number' });
    }
  });
});

describe('a size', () => {
  const parse = byteCount(1000, 2 ** 40);
  it('has a unit, in thousands or in 1,024', () => {
    expect(parse('512MB', context)).toEqual({ value: 512e6 });
    expect(parse('1 GiB', context)).toEqual({ value: 2 ** 30 });
    expect(parse('1.5kib', context)).toEqual({ value: 1536 });
    expect(parse('512', context)).toHaveProperty('problem');
    expect(parse('5 apples', context)).toHaveProperty('problem');
    expect(parse('1B', context)).toEqual({
      problem: `is not between 1000 and ${2 ** 40} bytes`,
    });
  });
});

describe('a length of time', () => {
  const parse = duration(10, 3_600_000);
  it('has a unit', () => {
    expect(parse('500ms', context)).toEqual({ value: 500 });
    expect(parse('30 s', context)).toEqual({ value: 30_000 });
    expect(parse('1.5m', context)).toEqual({ value: 90_000 });
    expect(parse('30', context)).toEqual({ problem: 'is not a time with a unit (ms, s, m, h)' });
    expect(parse('2h', context)).toEqual({ problem: 'is not between 10 and 3600000 ms' });
  });
});

describe('a word', () => {
  it('is one of a few, whatever its case, else the nearest is named', () => {
    const parse = oneOf(['debug', 'info']);
    expect(parse('DEBUG', context)).toEqual({ value: 'debug' });
    expect(parse('infos', context)).toEqual({
      problem: "is none of debug, info (did you mean 'info'?)",
    });
  });

  it('of a switch is understood in its usual spellings', () => {
    for (const text of ['on', 'TRUE', 'yes', '1']) expect(onOrOff(text)).toEqual({ value: true });
    for (const text of ['off', 'False', 'no', '0']) expect(onOrOff(text)).toEqual({ value: false });
    expect(onOrOff('of')).toEqual({ problem: 'is neither on nor off' });
  });

  it('may stand for no value at all', () => {
    const parse = unless('auto', wholeNumber(1, 9));
    expect(parse('AUTO', context)).toEqual({ value: null });
    expect(parse('3', context)).toEqual({ value: 3 });
  });
});

describe('a path', () => {
  it('begins at the folder of its context unless it is absolute', () => {
    expect(path('data', context)).toEqual({ value: '/srv/app/data' });
    expect(path('../data/', context)).toEqual({ value: '/srv/data' });
    expect(path('/var/lib/', context)).toEqual({ value: '/var/lib' });
    expect(path('a\0b', context)).toEqual({ problem: 'contains a zero byte' });
  });
});

describe('a header', () => {
  it('has the letters of a header name', () => {
    expect(headerName('CF-Connecting-IP')).toEqual({ value: 'cf-connecting-ip' });
    expect(headerName('x forwarded')).toHaveProperty('problem');
  });
});

describe('a base URL', () => {
  it('keeps its path and loses its last slashes', () => {
    expect(parseBaseUrl('https://Stats.Example.org/')).toEqual({
      value: 'https://stats.example.org',
    });
    expect(parseBaseUrl('http://[::1]:8080/loggia//')).toEqual({
      value: 'http://[::1]:8080/loggia',
    });
    expect(parseBaseUrl('https://no.such.host.invalid')).toHaveProperty('value');
  });

  it.each([
    ['stats.example.org', 'does not begin with https:// or http://'],
    ['ftp://example.org', 'does not begin with https:// or http://'],
    ['https://', 'is not a valid address'],
    ['https://user:pass@example.org', 'carries a user or password'],
    ['https://example.org/?a=b', 'carries a query or fragment'],
    ['https://example.org/#', 'carries a query or fragment'],
  ])('is not %s', (text, problem) => {
    expect(parseBaseUrl(text)).toEqual({ problem });
  });
});

describe('a range of addresses', () => {
  it('is an address or has a prefix length that fits', () => {
    expect(parseAddressRange('10.1.2.3')).toEqual({ value: '10.1.2.3/32' });
    expect(parseAddressRange('fd00::/8')).toEqual({ value: 'fd00::/8' });
    for (const text of ['10.0.0.0/33', '::/129', '10.0.0/8', '10.0.0.0/', '10.0.0.0/8/8', 'x']) {
      expect(parseAddressRange(text)).toHaveProperty('problem');
    }
  });

  it('may be one of many, among them the private and the loopback ones by name', () => {
    expect(parseAddressRanges('loopback, 203.0.113.0/24 198.51.100.7')).toEqual({
      value: ['127.0.0.0/8', '::1/128', '203.0.113.0/24', '198.51.100.7/32'],
    });
    expect(parseAddressRanges('private')).toEqual({
      value: PRIVATE_RANGES,
    });
    expect(parseAddressRanges('none')).toEqual({ value: [] });
    expect(parseAddressRanges('none, private')).toHaveProperty('problem');
  });
});

describe('isServiceLink', () => {
  it.each([
    ['LOGGIA_PORT', 'tcp://10.0.0.1:80'],
    ['LOGGIA_PORT', 'udp://10.0.0.1:80'],
    ['LOGGIA_SERVICE_HOST', '10.0.0.1'],
    ['LOGGIA_SERVICE_PORT', '80'],
    ['LOGGIA_SERVICE_PORT_HTTP', '80'],
    ['LOGGIA_SERVICE_PORT_HTTP_METRICS', '9100'],
    ['LOGGIA_PORT_8080_TCP', 'tcp://10.0.0.1:8080'],
    ['LOGGIA_PORT_8080_TCP_PROTO', 'tcp'],
    ['LOGGIA_PORT_8080_TCP_PORT', '8080'],
    ['LOGGIA_PORT_8080_TCP_ADDR', '10.0.0.1'],
    ['LOGGIA_PORT_53_UDP_ADDR', '10.0.0.1'],
    ['LOGGIA_WEB_PORT', 'tcp://10.0.0.1:80'],
    ['LOGGIA_WEB_PORT_80_TCP', 'tcp://10.0.0.1:80'],
    ['LOGGIA_WEB_SERVICE_HOST', '10.0.0.1'],
  ])('knows %s=%s', (name, value) => {
    expect(isServiceLink(name, value)).toBe(true);
  });

  it.each([
    ['LOGGIA_PORT', '8080'],
    ['LOGGIA_HOST', '0.0.0.0'],
    ['LOGGIA_LISTEN', 'tcp://10.0.0.1:80'],
    ['LOGGIA_SERVICE', 'x'],
    ['LOGGIA_PORT_8080', '1'],
  ])('leaves %s=%s to the settings', (name, value) => {
    expect(isServiceLink(name, value)).toBe(false);
  });
});
