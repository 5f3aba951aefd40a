import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Journal } from '@loggia/journal';

const SETTING = 'setup_token';

/**
 * The token that lets its holder make the first account. It is made when first asked for and stays
 * the same until there is an account, so that the link in the log and the one that `loggia setup`
 * prints are one; undefined once there is an account.
 */
export function ensureSetupToken(journal: Journal): string | undefined {
  return journal.transaction(() => {
    if (journal.users.count() > 0) {
      journal.settings.delete(SETTING);
      return undefined;
    }
    const known = journal.settings.get(SETTING);
    if (known !== undefined) return known;
    const token = randomBytes(24).toString('base64url');
    journal.settings.set(SETTING, token);
    return token;
  });
}

/**
 * Whether `token` opens the set-up now: it is the right one and there is no account yet. To make the
 * account only once, ask again within the transaction that makes it.
 */
export function isSetupToken(journal: Journal, token: string): boolean {
  const known = journal.settings.get(SETTING);
  if (known === undefined || journal.users.count() > 0) return false;
  return timingSafeEqual(digest(known), digest(token));
}

/** The address that makes the first account. `baseUrl` has no trailing slash. */
export function setupLink(baseUrl: string, token: string): string {
  return `${baseUrl}/setup?token=${encodeURIComponent(token)}`;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
