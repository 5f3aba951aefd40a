import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseAddress } from './address.ts';
import { AddressSet } from './address-set.ts';
import { DEFAULT_TRUST, clientAddress } from './client-address.ts';
import { forwardedFor } from './forwarded-header.ts';
import type { RequestHeaders } from './request-headers.ts';

function clientOf(
  headers: RequestHeaders,
  socketAddress: string | undefined = '10.0.0.1',
  header: string | null = null,
): string | null {
  const trust = { ...DEFAULT_TRUST, header };
  return clientAddress({ socketAddress, headers, trust }).address;
}

describe('clientAddress', () => {
  it('is the peer when the peer is no trusted proxy, whatever it says', () => {
    const headers = {
      'x-forwarded-for': '1.1.1.1',
      forwarded: 'for=1.1.1.1',
      'x-real-ip': '1.1.1.1',
    };
    expect(clientOf(headers, '203.0.113.9')).toBe('203.0.113.9');
    expect(clientOf(headers, '::ffff:203.0.113.9')).toBe('203.0.113.9');
    expect(clientOf(headers, '2001:db8::1')).toBe('2001:db8::1');
    expect(clientOf({}, '203.0.113.9', 'cf-connecting-ip')).toBe('203.0.113.9');
  });

  it.each([
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:10.1.2.3'],
    ['172.31.0.1'],
    ['192.168.1.1'],
    ['169.254.1.1'],
    ['100.64.0.1'],
    ['fe80::1%eth0'],
    ['fd00::1'],
  ])('a peer at %s is a proxy by default', (peer) => {
    expect(clientOf({ 'x-forwarded-for': '203.0.113.9' }, peer)).toBe('203.0.113.9');
  });

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9, 10.0.0.7, 192.168.0.1', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::9]:4711', '2001:db8::9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['192.168.5.5', '192.168.5.5'],
    ['192.168.5.5, 10.0.0.7', '192.168.5.5'],
    ['unknown', '10.0.0.1'],
    ['203.0.113.9, unknown', '10.0.0.1'],
    ['203.0.113.9, rubbish, 10.0.0.7', '10.0.0.7'],
    ['203.0.113.9,', '10.0.0.1'],
    [' ', '10.0.0.1'],
  ])('X-Forwarded-For: %s means %s', (value, address) => {
    expect(clientOf({ 'x-forwarded-for': value })).toBe(address);
  });

  it('several lines of one header are one list', () => {
    expect(clientOf({ 'x-forwarded-for': ['6.6.6.6', '203.0.113.9'] })).toBe('203.0.113.9');
  });

  it.each([
    ['for=203.0.113.9', '203.0.113.9'],
    ['for=6.6.6.6, For="[2001:db8::9]:4711";proto=https;by=10.0.0.2', '2001:db8::9'],
    ['proto=http; for = 203.0.113.9 , for=10.0.0.7', '203.0.113.9'],
    ['for="_hidden"', '10.0.0.1'],
    ['for=unknown', '10.0.0.1'],
    ['for=6.6.6.6, proto=https', '10.0.0.1'],
    ['for="6.6.6.6, for=203.0.113.9', '10.0.0.1'],
  ])('Forwarded: %s means %s', (value, address) => {
    expect(clientOf({ forwarded: value })).toBe(address);
  });

  it('reads X-Real-IP when there is nothing else, and only the named header when one is', () => {
    expect(clientOf({ 'x-real-ip': '203.0.113.9' })).toBe('203.0.113.9');
    const both = { 'cf-connecting-ip': '203.0.113.9', 'x-forwarded-for': '6.6.6.6' };
    expect(clientOf(both, '10.0.0.1', 'cf-connecting-ip')).toBe('203.0.113.9');
    expect(clientOf(both)).toBe('6.6.6.6');
    expect(clientOf({ 'x-forwarded-for': '6.6.6.6' }, '10.0.0.1', 'cf-connecting-ip')).toBe(
      '10.0.0.1',
    );
  });

  it('a socket that is gone has no address', () => {
    expect(clientAddress({ socketAddress: undefined, headers: {}, trust: DEFAULT_TRUST })).toEqual({
      address: null,
      isProxied: false,
    });
  });

  const rubbish = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constant('unknown'));
  const outside = fc
    .oneof(fc.ipV4(), fc.ipV6())
    .map((text) => normaliseAddress(text) ?? '203.0.113.9')
    .filter((address) => !DEFAULT_TRUST.proxies.has(address));

  it('nobody outside the trusted set can be taken for another', () => {
    const names = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip'];
    const headers = fc.dictionary(fc.constantFrom(...names), rubbish);
    fc.assert(
      fc.property(outside, headers, (peer, headers) => {
        expect(clientOf(headers, peer)).toBe(peer);
        expect(clientOf(headers, peer, 'cf-connecting-ip')).toBe(peer);
      }),
    );
  });

  it('what a client writes in front of what its proxies wrote changes nothing', () => {
    const hops = fc.array(fc.constantFrom('10.0.0.7', '192.168.0.1', 'fd00::7'), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(rubbish, { maxLength: 40 }), outside, hops, (forged, client, hops) => {
        const value = [...forged, client, ...hops].join(', ');
        expect(clientOf({ 'x-forwarded-for': value })).toBe(client);
        const quoted = [client, ...hops].map((hop) => `for="${hop}"`);
        const front = forged.map((text) => `for=${text.replaceAll('"', '')}`);
        expect(clientOf({ forwarded: [...front, ...quoted].join(',') })).toBe(client);
      }),
    );
  });

  it('only listed ranges are trusted', () => {
    const trust = { proxies: new AddressSet(['198.51.100.0/24']), header: null };
    const headers = { 'x-forwarded-for': '203.0.113.9, 10.0.0.1' };
    expect(clientAddress({ socketAddress: '198.51.100.7', headers, trust })).toEqual({
      address: '10.0.0.1',
      isProxied: true,
    });
    expect(clientAddress({ socketAddress: '10.0.0.1', headers, trust }).address).toBe('10.0.0.1');
  });
});

describe('forwardedFor', () => {
  it('reads quoted strings with escapes and separators in them', () => {
    expect(forwardedFor('for="a\\"b,c;d";by=x, for=e')).toEqual(['a"b,c;d', 'e']);
  });
});
