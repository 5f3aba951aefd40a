import { JournalError } from './journal-error.ts';

const DOMAIN_LENGTH_MAX = 253;
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//;
/** Letters and digits of any script, and the signs that hosts, ports and paths need. */
const ALLOWED = /^[\p{L}\p{M}\p{N}._~%+:/-]+$/u;
const HOST = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._-]*[\p{L}\p{M}\p{N}])?(?::\d{1,5})?$/u;

/**
 * The name of a site as it is stored and as `data-domain` carries it: lower case, without scheme
 * and without a slash at the end. `www.` stays as given, a path and a port may follow the host, and
 * letters need not be ASCII. Parsing a parsed name returns it unchanged.
 *
 * @throws JournalError `bad_domain`.
 */
export function parseDomain(text: string): string {
  const domain = tryParseDomain(text);
  if (domain !== undefined) return domain;
  throw new JournalError('bad_domain', `'${text.slice(0, 80)}' is not the domain of a site`, {
    hint: 'Give a host name such as example.org, without spaces, commas or a query.',
  });
}

/** As `parseDomain`, but undefined for what is no domain. */
export function tryParseDomain(text: string): string | undefined {
  const domain = text.trim().toLowerCase().normalize('NFC').replace(SCHEME, '').replace(/\/+$/, '');
  if (domain.length > DOMAIN_LENGTH_MAX || !ALLOWED.test(domain)) return undefined;
  if (domain.includes('..') || domain.includes('//')) return undefined;
  const [host = ''] = domain.split('/', 1);
  return HOST.test(host) ? domain : undefined;
}
