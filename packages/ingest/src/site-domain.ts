import { domainToASCII, domainToUnicode } from 'node:url';

const DOMAIN_LENGTH_MAX = 500;

/** The form in which domains are compared: trimmed, lower case, without scheme and final slash. */
export function normaliseDomain(text: string): string {
  const name = text.slice(0, DOMAIN_LENGTH_MAX).trim().toLowerCase();
  return name.includes('/') ? name.replace(/^https?:\/\//, '').replace(/\/+$/, '') : name;
}

/**
 * The names under which the site that a tracker calls `domain` may be registered, likeliest first:
 * as sent, with and without `www.`, and for international names readable and in Punycode.
 */
export function siteDomainCandidates(domain: string): readonly string[] {
  const name = normaliseDomain(domain);
  const slashAt = name.indexOf('/');
  const host = slashAt === -1 ? name : name.slice(0, slashAt);
  const path = slashAt === -1 ? '' : name.slice(slashAt);
  if (host === '') return [];
  const candidates = new Set<string>();
  for (const spelling of spellingsOf(host)) {
    const bare = spelling.startsWith('www.') ? spelling.slice(4) : spelling;
    candidates.add(spelling + path);
    candidates.add((spelling === bare ? `www.${bare}` : bare) + path);
  }
  candidates.delete(path);
  return [...candidates];
}

function spellingsOf(host: string): readonly string[] {
  if (/^[\0-\x7f]*$/.test(host) && !host.includes('xn--')) return [host];
  return [host, domainToASCII(host), domainToUnicode(host)].filter((name) => name !== '');
}

/** The host of a site's domain, without path and `www.`, in Punycode. */
export function siteHost(domain: string): string {
  const [host = ''] = normaliseDomain(domain).split('/', 1);
  const ascii = spellingsOf(host)[1] ?? host;
  return ascii.startsWith('www.') ? ascii.slice(4) : ascii;
}
