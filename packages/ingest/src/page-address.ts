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
  /** The raw query, without the question mark, cut to 20,000 UTF-16 units. */
  readonly query: string;
}

/** Pages are cut to this many UTF-16 units, after decoding. */
export const PAGE_LENGTH_MAX = 2000;

const HOST_LENGTH_MAX = 253;
/** One character of a page may be written as up to nine: three bytes, each an escape. */
const RAW_PAGE_LENGTH_MAX = 9 * PAGE_LENGTH_MAX;
const QUERY_LENGTH_MAX = 20_000;

/**
 * The page that `url` names. An address is divided before its parts are cut, each by itself, so
 * that the tags after a very long path still count.
 */
export function pageAddress(url: UrlParts, hashMode: boolean): PageAddress {
  const host = url.host === null ? null : cleanText(asciiHost(url.host), HOST_LENGTH_MAX);
  const fragment =
    hashMode && url.fragment !== null
      ? `#${decodePercent(url.fragment.slice(0, RAW_PAGE_LENGTH_MAX))}`
      : '';
  const path = decodePercent(url.path.slice(0, RAW_PAGE_LENGTH_MAX)).trimEnd();
  const rooted = path.startsWith('/') ? path : `/${path}`;
  return {
    host,
    hostname: host === null ? NO_HOST : withoutWww(host),
    page: cleanText((rooted + fragment).trimEnd(), PAGE_LENGTH_MAX),
    query: url.query.slice(0, QUERY_LENGTH_MAX),
  };
}

/** `pageAddress` of a text. */
export function pageAddressOf(url: string, hashMode = false): PageAddress {
  return pageAddress(splitUrl(url), hashMode);
}
