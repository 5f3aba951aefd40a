import { domainToASCII, domainToUnicode } from 'node:url';

/** Stands for the host of an address that has none. */
export const NO_HOST = '(none)';

/** `host` without a leading `www.`, unless nothing with a dot would be left. */
export function withoutWww(host: string): string {
  return host.startsWith('www.') && host.includes('.', 4) ? host.slice(4) : host;
}

/**
 * The one form in which a host is stored and compared: lower case and, for international names,
 * Punycode. Browsers send Punycode, so every other form would split a host in two; a reader may
 * show it decoded.
 */
export function asciiHost(host: string): string {
  const isAscii = /^[\0-\x7f]*$/.test(host);
  if (isAscii) return host.toLowerCase();
  const ascii = domainToASCII(host);
  return ascii === '' ? host.toLowerCase() : ascii;
}

/** The readable form of a host in Punycode; any other host as it is. */
export function readableHost(host: string): string {
  if (!host.includes('xn--')) return host;
  const readable = domainToUnicode(host);
  return readable === '' ? host : readable;
}

/** Whether `host` is `domain` or lies under it. */
export function isWithinDomain(host: string, domain: string): boolean {
  return host === domain || (host.endsWith(domain) && host.at(-domain.length - 1) === '.');
}

/** Whether `host` names the visitor's own machine. */
export function isLocalhost(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    host === '0.0.0.0' ||
    /^127(?:\.\d{1,3}){1,3}$/.test(host)
  );
}
