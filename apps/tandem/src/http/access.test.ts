import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AccessRule, isLoopbackAddress } from './access.ts';

const REMOTE = { remoteAddress: '10.0.0.9', hasVerifiedCertificate: false };

it('only a known token lets in, whatever is sent', () => {
  const rule = new AccessRule({ tokens: ['secret', 'other'] });
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom('secret', 'secre', 'secrets')), (token) => {
      const authorization = `Bearer ${token}`;
      const isKnown = /^ *(?:secret|other) *$/.test(token);
      const admit = (): void => rule.admit({ ...REMOTE, headers: { authorization } });
      if (isKnown) admit();
      else expect(admit).toThrow(/token/);
    }),
  );
});

it('the scheme is not case-sensitive, and others are not taken', () => {
  const rule = new AccessRule({ tokens: ['secret'] });
  rule.admit({ ...REMOTE, headers: { authorization: 'bearer  secret' } });
  for (const authorization of ['secret', 'Basic secret', 'Bearersecret', 'Bearer secret x']) {
    expect(() => rule.admit({ ...REMOTE, headers: { authorization } })).toThrow('no token');
  }
});

it('a certificate counts only where certificates are taken', () => {
  const credentials = { ...REMOTE, hasVerifiedCertificate: true, headers: {} };
  new AccessRule({ acceptsCertificates: true }).admit(credentials);
  expect(() => new AccessRule({}).admit(credentials)).toThrow('no token');
  expect(() => new AccessRule({ isOpenOnLoopback: true }).admit(credentials)).toThrow('no token');
});

it('addresses of this machine are told from others', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    expect([address, isLoopbackAddress(address)]).toEqual([address, true]);
  }
  for (const address of ['', '10.0.0.1', '::', '::ffff:10.0.0.1', '1127.0.0.1', '::127.0.0.1']) {
    expect([address, isLoopbackAddress(address)]).toEqual([address, false]);
  }
});
