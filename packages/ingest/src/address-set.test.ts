import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { normaliseAddress } from './address.ts';
import { AddressSet, isAddressRange } from './address-set.ts';

describe('AddressSet', () => {
  it('holds single addresses and ranges of both families', () => {
    const set = new AddressSet(['10.0.0.0/8', '192.0.2.7', '2001:db8::/33', 'fe80::1']);
    const inside = ['10.0.0.0', '10.255.255.255', '192.0.2.7', '2001:db8:7fff::1', 'fe80::1'];
    expect(inside.filter((address) => !set.has(address))).toEqual([]);
    const outside = ['9.255.255.255', '11.0.0.0', '192.0.2.8', '2001:db8:8000::', 'fe80::2'];
    expect(outside.filter((address) => set.has(address))).toEqual([]);
  });

  it('an empty set has nothing', () => {
    expect(AddressSet.EMPTY.has('127.0.0.1')).toBe(false);
    expect(AddressSet.EMPTY.has('::1')).toBe(false);
  });

  it('a prefix of nought holds the whole family and none of the other', () => {
    expect(new AddressSet(['0.0.0.0/0']).has('255.255.255.255')).toBe(true);
    expect(new AddressSet(['0.0.0.0/0']).has('::')).toBe(false);
    expect(new AddressSet(['::/0']).has('ffff::')).toBe(true);
    expect(new AddressSet(['::/0']).has('1.2.3.4')).toBe(false);
  });

  it('reads ranges written as IPv4-mapped IPv6', () => {
    const set = new AddressSet(['::ffff:10.0.0.0/104']);
    expect(set.has('10.200.0.1')).toBe(true);
    expect(set.has('11.0.0.1')).toBe(false);
  });

  it('takes no malformed range', () => {
    const bad = ['', '10.0.0.0/33', '10.0.0/8', '::/129', 'x', '10.0.0.0/8/8', '10.0.0.0/', '1/-1'];
    const worse = ['::ffff:10.0.0.0/90', '10.0.0.1:80', '[::1]'];
    expect([...bad, ...worse].filter(isAddressRange)).toEqual([]);
  });

  it('agrees with a range-by-range comparison', () => {
    const dotted = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
    const long = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }));
    const range = fc
      .oneof(dotted, long)
      .map(([address, bits]) => `${ipaddr.parse(address).toString()}/${bits}`)
      .filter((text) => isAddressRange(text) && !text.startsWith('::ffff:'));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), fc.ipV4(), fc.ipV6(), (ranges, v4, v6) => {
        const set = new AddressSet(ranges);
        for (const text of [v4, v6, ...ranges.map((text) => text.split('/')[0] ?? '')]) {
          const address = normaliseAddress(text);
          if (address === null) continue;
          const parsed = ipaddr.parse(address);
          const expected = ranges.some((text) => {
            const [network, bits] = ipaddr.parseCIDR(text);
            return network.kind() === parsed.kind() && parsed.match([network, bits]);
          });
          expect(set.has(address)).toBe(expected);
        }
      }),
    );
  });
});
