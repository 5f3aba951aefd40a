import { parseOptions, verify } from '@node-rs/argon2';
import { describe, expect, it } from 'vitest';
import { NOBODYS_HASH, hashPassword, passwordProblem, verifyPassword } from './password.ts';

describe('a password', () => {
  it('is verified by its own hash and by no other', async () => {
    const hash = await hashPassword('correct horse');
    expect(await verifyPassword(hash, 'correct horse')).toBe(true);
    expect(await verifyPassword(hash, 'correct horsf')).toBe(false);
    expect(await verifyPassword(hash, '')).toBe(false);
  });

  it('is hashed with a new salt each time and with the recommended parameters', async () => {
    const [first, second] = await Promise.all([hashPassword('same one'), hashPassword('same one')]);
    expect(first).not.toBe(second);
    expect(first.startsWith('$argon2id$')).toBe(true);
    expect(parseOptions(first)).toMatchObject({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  });

  it('is the same however its accents are composed', async () => {
    const hash = await hashPassword('Grüße aus Köln');
    expect(await verifyPassword(hash, 'Grüße aus Köln'.normalize('NFD'))).toBe(true);
  });

  it('of an unknown user is wrong after the work of a real comparison', async () => {
    expect(await verifyPassword(null, 'anything')).toBe(false);
    expect(await verifyPassword(null, '')).toBe(false);
    expect(parseOptions(NOBODYS_HASH)).toEqual(parseOptions(await hashPassword('somebody')));
    expect(await verify(NOBODYS_HASH, 'anything')).toBe(false);
  });

  it('is wrong against a damaged hash', async () => {
    expect(await verifyPassword('not a hash', 'anything')).toBe(false);
  });

  it('has eight characters at least, counted as people count them', () => {
    expect(passwordProblem('1234567')).toContain('7 characters');
    expect(passwordProblem('12345678')).toBeUndefined();
    expect(passwordProblem('😀😀😀😀')).toContain('4 characters');
    expect(passwordProblem('x'.repeat(1025))).toContain('1025 characters');
  });

  it('that is far too long is refused without being hashed as it is', async () => {
    const hash = await hashPassword('');
    expect(await verifyPassword(hash, 'x'.repeat(100_000))).toBe(false);
  });
});
