import { hash, verify } from '@node-rs/argon2';

/** Passwords below this length are refused, in characters. */
export const PASSWORD_LENGTH_MIN = 8;
/** Passwords above this length are refused, so that nobody makes the server hash megabytes. */
export const PASSWORD_LENGTH_MAX = 1024;

/** Argon2id with the parameters that OWASP recommends for 19 MiB; the variant is the default. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;

/** The hash of a password that nobody has, with the parameters above. */
export const NOBODYS_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

/** What is wrong with a new password, as a sentence, or undefined when it will do. */
export function passwordProblem(password: string): string | undefined {
  const length = Array.from(password).length;
  if (length < PASSWORD_LENGTH_MIN) {
    return `The password has ${length} characters, and needs at least ${PASSWORD_LENGTH_MIN}.`;
  }
  if (length > PASSWORD_LENGTH_MAX) {
    return `The password has ${length} characters, and may have ${PASSWORD_LENGTH_MAX}.`;
  }
  return undefined;
}

/** A salted hash for the journal, with its parameters in it. Takes some tens of milliseconds. */
export async function hashPassword(password: string): Promise<string> {
  return await hash(password.normalize('NFC'), PARAMETERS);
}

/**
 * Whether `password` is the one that `passwordHash` was made of. `null` stands for a user that does
 * not exist: the answer is false after the same work, so that its time does not tell which names
 * exist.
 */
export async function verifyPassword(
  passwordHash: string | null,
  password: string,
): Promise<boolean> {
  const isKnown = passwordHash !== null;
  const isLongEnough = password.length <= PASSWORD_LENGTH_MAX * 2;
  const candidate = isLongEnough ? password.normalize('NFC') : '';
  const isSame = await verify(passwordHash ?? NOBODYS_HASH, candidate).catch(() => false);
  return isSame && isKnown && isLongEnough;
}
