import { describe, expect, it } from 'vitest';
import { formatListenAddress, isLoopbackHost, parseListenAddress } from './listen-address.ts';

describe('parseListenAddress', () => {
  it.each([
    [':20202', '::', 20_202],
    ['*:1', '::', 1],
    ['20202', '::', 20_202],
    ['localhost:80', '127.0.0.1', 80],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['[::1]:65535', '::1', 65_535],
  ])('reads %s', (text, host, port) => {
    const parsed = parseListenAddress(text);
    expect(parsed).toEqual({ value: { host, port } });
    expect(parseListenAddress(formatListenAddress({ host, port }))).toEqual(parsed);
  });

  it.each([
    ['http://:80', 'has a scheme'],
    [':65536', 'has a port above 65535'],
    [':x', "has 'x' where the port should be"],
    ['localhost', 'has no port'],
    ['web-0:80', "names the host 'web-0', and no name is looked up at start"],
    ['::1', 'is an IPv6 address without brackets and port'],
    ['fe80::1::80', "names the host 'fe80::1:', and no name is looked up at start"],
    ['[x]:80', 'has no IPv6 address between its brackets'],
    ['1.2.3.4.5:80', "names the host '1.2.3.4.5', and no name is looked up at start"],
  ])('refuses %s', (text, problem) => {
    expect(parseListenAddress(text)).toEqual({ problem });
  });
});

it('knows which hosts only the machine itself reaches', () => {
  expect(['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]'].every(isLoopbackHost)).toBe(true);
  expect(['::', '0.0.0.0', '10.0.0.1', '127.example.org'].some(isLoopbackHost)).toBe(false);
});
