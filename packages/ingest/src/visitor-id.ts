import { hash } from 'node:crypto';
import { LruCache, assert } from '@tandem/base';
import { getDomain } from 'tldts';

const HOSTNAMES_CACHED_MAX = 5000;

/** What makes two requests the same visitor's. */
export interface VisitorTraits {
  readonly siteId: number;
  /** Without `www.`. */
  readonly hostname: string;
  readonly address: string;
  readonly userAgent: string;
}

/**
 * Puts a visitor's traits into one text. The lengths in front keep the fields apart: no two sets of
 * traits have the same text.
 *
 * Of the host only the registrable domain counts, so that a visitor of `shop.example.org` and
 * `blog.example.org` is one. Suffixes that companies give out (`github.io`) count as suffixes too:
 * what lies under them are different people's sites.
 */
export class VisitorTexts {
  readonly #domains = new LruCache<string, string>(HOSTNAMES_CACHED_MAX);

  /** The text to pass to `visitorId`, for as many salts as needed. */
  of({ siteId, hostname, address, userAgent }: VisitorTraits): string {
    const domain = this.#domainOf(hostname);
    return `${siteId}|${domain.length}|${address.length}|${domain}${address}${userAgent}`;
  }

  #domainOf(hostname: string): string {
    const known = this.#domains.get(hostname);
    if (known !== undefined) return known;
    const domain = getDomain(hostname, { allowPrivateDomains: true }) ?? hostname;
    this.#domains.set(hostname, domain);
    return domain;
  }
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * The first 64 bits of HMAC-SHA-256 of `visitorText` under `salt`, as a signed integer.
 *
 * The two hashes of RFC 2104 are written out because `createHmac` makes a key object at each call,
 * which costs many times what the hashes do.
 */
export function visitorId(salt: Uint8Array, visitorText: string): bigint {
  assert(salt.length <= BLOCK_BYTES, 'a salt is not longer than a block of the hash');
  const inner = Buffer.allocUnsafe(BLOCK_BYTES + Buffer.byteLength(visitorText));
  pad(inner, salt, 0x36);
  inner.write(visitorText, BLOCK_BYTES);
  const outer = Buffer.allocUnsafe(BLOCK_BYTES + DIGEST_BYTES);
  pad(outer, salt, 0x5c);
  hash('sha256', inner, 'buffer').copy(outer, BLOCK_BYTES);
  return hash('sha256', outer, 'buffer').readBigInt64BE(0);
}

function pad(block: Buffer, salt: Uint8Array, mask: number): void {
  block.fill(mask, 0, BLOCK_BYTES);
  for (let index = 0; index < salt.length; index += 1) block[index] = (salt[index] ?? 0) ^ mask;
}
