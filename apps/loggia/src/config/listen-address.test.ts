import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  baseUrlOfListenAddress,
  formatListenAddress,
  parseListenAddress,
  type ListenAddress,
} from './listen-address.ts';

const tcp = (host: string, port: number) => ({ value: { kind: 'tcp', host, port } });

describe('parseListenAddress', () => {
  it('reads addresses with a port, and a port alone as one of this machine', () => {
    expect(parseListenAddress('127.0.0.1:8080')).toEqual(tcp('127.0.0.1', 8080));
    expect(parseListenAddress('0.0.0.0:80')).toEqual(tcp('0.0.0.0', 80));
    expect(parseListenAddress('[::1]:8080')).toEqual(tcp('::1', 8080));
    expect(parseListenAddress('8080')).toEqual(tcp('127.0.0.1', 8080));
    expect(parseListenAddress('localhost:0')).toEqual(tcp('127.0.0.1', 0));
  });

  it('reads a port behind a colon or star as one of all addresses', () => {
    expect(parseListenAddress(':8080')).toEqual(tcp('::', 8080));
    expect(parseListenAddress('*:8080')).toEqual(tcp('::', 8080));
    expect(parseListenAddress('[::]:8080')).toEqual(tcp('::', 8080));
  });

  it('reads the path of a socket', () => {
    const socket = { value: { kind: 'unix', path: '/run/loggia.sock' } };
    expect(parseListenAddress('unix:/run/loggia.sock')).toEqual(socket);
    expect(parseListenAddress('/run/loggia.sock')).toEqual(socket);
  });

  it.each([
    ['tcp://10.0.0.1:80', 'has a scheme'],
    ['example.org:80', "names the host 'example.org', and no name is looked up at start"],
    ['127.0.0.1', 'has no port'],
    ['127.0.0.1:http', "has 'http' where the port should be"],
    ['127.0.0.1:', "has '' where the port should be"],
    ['127.0.0.1:65536', 'has a port above 65535'],
    ['::1', 'is an IPv6 address without brackets and port'],
    ['::1:g', "has 'g' where the port should be"],
    ['[zz]:80', 'has no IPv6 address between its brackets'],
    ['unix:relative', 'has a socket path that is not absolute'],
    [`/${'x'.repeat(103)}`, 'has a socket path of more than 103 bytes'],
    ['', 'has no port'],
  ])('refuses %s', (text, problem) => {
    expect(parseListenAddress(text)).toEqual({ problem });
  });

  it('reads what formatListenAddress writes', () => {
    const address: fc.Arbitrary<ListenAddress> = fc.oneof(
      fc.record({
        kind: fc.constant('tcp' as const),
        host: fc.oneof(fc.ipV4(), fc.constantFrom('::', '::1', 'fe80::1', '2001:db8::5')),
        port: fc.integer({ min: 0, max: 65_535 }),
      }),
      fc.record({ kind: fc.constant('unix' as const), path: fc.constant('/run/a b.sock') }),
    );
    fc.assert(
      fc.property(address, (value) => {
        expect(parseListenAddress(formatListenAddress(value))).toEqual({ value });
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseListenAddress(text);
        expect('value' in parsed !== 'problem' in parsed).toBe(true);
      }),
    );
  });
});

describe('baseUrlOfListenAddress', () => {
  it('is what a browser on the same machine can open', () => {
    const of = (host: string, port: number) => baseUrlOfListenAddress({ kind: 'tcp', host, port });
    expect(of('127.0.0.1', 8080)).toBe('http://127.0.0.1:8080');
    expect(of('0.0.0.0', 8080)).toBe('http://localhost:8080');
    expect(of('::', 80)).toBe('http://localhost');
    expect(of('::1', 3000)).toBe('http://[::1]:3000');
    expect(baseUrlOfListenAddress({ kind: 'unix', path: '/x' })).toBe('http://localhost');
  });
});
