import { BlockList, isIPv4 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { LOOPBACK_RANGES, PRIVATE_RANGES } from './private-ranges.ts';

function setOf(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

describe('PRIVATE_RANGES', () => {
  const isPrivate = setOf(PRIVATE_RANGES);

  it.each([
    ['127.0.0.1', '126.255.255.255', '128.0.0.0'],
    ['10.255.255.255', '9.255.255.255', '11.0.0.0'],
    ['172.31.255.255', '172.15.255.255', '172.32.0.0'],
    ['192.168.0.0', '192.167.255.255', '192.169.0.0'],
    ['169.254.169.254', '169.253.255.255', '169.255.0.0'],
    ['100.127.255.255', '100.63.255.255', '100.128.0.0'],
    ['::1', '::', '::2'],
    ['febf::1', 'fe7f::1', 'fec0::1'],
    ['fdff::1', 'fbff::1', 'fe00::1'],
  ])('have %s, but neither %s nor %s', (inside, below, above) => {
    expect([inside, below, above].map(isPrivate)).toEqual([true, false, false]);
  });
});

describe('LOOPBACK_RANGES', () => {
  const isLoopback = setOf(LOOPBACK_RANGES);

  it('have the whole of 127.0.0.0/8 and ::1, and no other private address', () => {
    expect(['127.0.0.1', '127.255.255.254', '::1'].map(isLoopback)).toEqual([true, true, true]);
    expect(['10.0.0.1', '169.254.0.1', 'fe80::1'].map(isLoopback)).toEqual([false, false, false]);
  });
});
