import { hash } from 'node:crypto';
import { LruCache, assert } from '@tandem/base';
import { getDomain } from 'tldts';

const HOSTNAMES_CACHED_MAX = 5000;
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const SCRATCH_BYTES = 8192;
/** Ids that are remembered; all are forgotten when there are more. */
const KNOWN_MAX = 20_000;

/** What makes two requests the same visitor's. */
export interface VisitorTraits {
  readonly siteId: number;
  /** Without `www.`. */
  readonly hostname: string;
  readonly address: string;
  readonly userAgent: string;
}

/**
 * Makes visitors' ids: the first 64 bits, as a signed integer, of HMAC-SHA-256 of their traits
 * under a salt.
 *
 * Of the host only the registrable domain counts, so that a visitor of `shop.example.org` and
 * `blog.example.org` is one. Suffixes that companies give out (`github.io`) count as suffixes too:
 * what lies under them are different people's sites.
 */
export class VisitorIds {
  readonly #domains = new LruCache<string, string>(HOSTNAMES_CACHED_MAX);
  readonly #inner = Buffer.alloc(SCRATCH_BYTES);
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  /**
   * Ids by salt and text, since most visitors look at several pages. They hang on the salt's own
   * bytes: whoever lets go of a salt lets go of what was made with it.
   */
  #known = new WeakMap<Uint8Array, Map<string, bigint>>();
  #knownCount = 0;

  /**
   * The traits as one text, for as many salts as needed. The lengths in front keep the fields
   * apart: no two sets of traits have the same text.
   */
  textOf({ siteId, hostname, address, userAgent }: VisitorTraits): string {
    const domain = this.#domainOf(hostname);
    return `${siteId}|${domain.length}|${address.length}|${domain}${address}${userAgent}`;
  }

  /** The id of the visitor with the traits in `text` under `salt`, 64 bytes at most. */
  idOf(salt: Uint8Array, text: string): bigint {
    const known = this.#known.get(salt)?.get(text);
    if (known !== undefined) return known;
    const id = this.#makeId(salt, text);
    this.#remember(salt, text, id);
    return id;
  }

  #remember(salt: Uint8Array, text: string, id: bigint): void {
    if (this.#knownCount >= KNOWN_MAX) {
      this.#known = new WeakMap();
      this.#knownCount = 0;
    }
    let ids = this.#known.get(salt);
    if (ids === undefined) {
      ids = new Map();
      this.#known.set(salt, ids);
    }
    ids.set(text, id);
    this.#knownCount += 1;
  }

  /**
   * The two hashes of RFC 2104 are written out over buffers that are used again: `createHmac` makes
   * a key object at each call, which costs many times what the hashes do.
   */
  #makeId(salt: Uint8Array, text: string): bigint {
    assert(salt.length <= BLOCK_BYTES, 'a salt is not longer than a block of the hash');
    const innerBytes = BLOCK_BYTES + Buffer.byteLength(text);
    const inner =
      innerBytes <= SCRATCH_BYTES ? this.#inner.subarray(0, innerBytes) : Buffer.alloc(innerBytes);
    pad(inner, salt, 0x36);
    inner.write(text, BLOCK_BYTES);
    pad(this.#outer, salt, 0x5c);
    this.#outer.write(hash('sha256', inner, 'hex'), BLOCK_BYTES, 'hex');
    const first64Bits = hash('sha256', this.#outer, 'hex').slice(0, 16);
    return BigInt.asIntN(64, BigInt(`0x${first64Bits}`));
  }

  #domainOf(hostname: string): string {
    const known = this.#domains.get(hostname);
    if (known !== undefined) return known;
    const domain = getDomain(hostname, { allowPrivateDomains: true }) ?? hostname;
    this.#domains.set(hostname, domain);
    return domain;
  }
}

function pad(block: Buffer, salt: Uint8Array, mask: number): void {
  block.fill(mask, 0, BLOCK_BYTES);
  for (let index = 0; index < salt.length; index += 1) block[index] = (salt[index] ?? 0) ^ mask;
}
