import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseAddress } from './address.ts';

describe('normaliseAddress', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    [' 203.0.113.9 ', '203.0.113.9'],
    ['203.0.113.9:51234', '203.0.113.9'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['[::FFFF:cb00:7109]:80', '203.0.113.9'],
    ['::1', '::1'],
  ])('%s is %s', (text, address) => {
    expect(normaliseAddress(text)).toBe(address);
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '127.1',
    '0177.0.0.1',
    '256.1.1.1',
    '1.2.3.4.5',
    '1.2.3.4.',
    '1.2.3.4:',
    '1.2.3.4:x',
    '[1.2.3.4',
    ':::',
    '12345::',
    'example.org',
    '2130706433',
  ])('%s is no address', (text) => {
    expect(normaliseAddress(text)).toBeNull();
  });

  it('its answer is in normal form, and any text gets one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
        const address = normaliseAddress(text);
        expect(address === null ? null : normaliseAddress(address)).toBe(address);
      }),
    );
  });
});
