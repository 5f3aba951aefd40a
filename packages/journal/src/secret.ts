import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;
const LETTERS_AND_DIGITS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** A new secret of 256 random bits, 43 characters of base64url. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/**
 * What is stored in place of a secret (J8). A secret is random, so one round of SHA-256 is as good
 * as a slow hash, and finding it by its hash tells nothing about it by timing.
 */
export function hashOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

/** 16 letters and digits; not a secret. */
export function newScriptId(): string {
  let id = '';
  while (id.length < 16) {
    for (const byte of randomBytes(32)) {
      // 248 is the largest multiple of 62 in a byte; larger values would favour some letters.
      if (byte < 248 && id.length < 16) id += LETTERS_AND_DIGITS.charAt(byte % 62);
    }
  }
  return id;
}
