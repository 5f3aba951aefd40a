import { cleanText } from './clean-text.ts';
import { NO_HOST, asciiHost, withoutWww } from './hostname.ts';
import { decodePercent } from './percent-decoding.ts';
import { splitUrl, type UrlParts } from './url-parts.ts';

/** Where an event happened, as far as its address tells. */
export interface PageAddress {
  /** Lower case, without port, `www.` included; null when the address has no host. */
  readonly host: string | null;
  /** `host` without `www.`, or `(none)`. */
  readonly hostname: string;
  /** The path, decoded once, without query; in hash mode with `#` and the fragment. */
  readonly page: string;
  /** The raw query, without the question mark. */
  readonly query: string;
}

/** Pages are cut to this many UTF-16 units, after decoding. */
export const PAGE_LENGTH_MAX = 2000;

const HOST_LENGTH_MAX = 253;

/**
 * The page that `url` names. The whole address is read before anything is cut, so that the tags in
 * the query of a very long address still count.
 */
export function pageAddress(url: UrlParts, hashMode: boolean): PageAddress {
  const host = url.host === null ? null : cleanText(asciiHost(url.host), HOST_LENGTH_MAX);
  const fragment = hashMode && url.fragment !== null ? `#${decodePercent(url.fragment)}` : '';
  const path = decodePercent(url.path).trimEnd();
  const rooted = path.startsWith('/') ? path : `/${path}`;
  return {
    host,
    hostname: host === null ? NO_HOST : withoutWww(host),
    page: cleanText((rooted + fragment).trimEnd(), PAGE_LENGTH_MAX),
    query: url.query,
  };
}

/** `pageAddress` of a text. */
export function pageAddressOf(url: string, hashMode = false): PageAddress {
  return pageAddress(splitUrl(url), hashMode);
}
