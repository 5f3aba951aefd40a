import { LruCache } from '@tandem/base';
import { getDomain } from 'tldts';
import { asciiHost } from './hostname.ts';
import { REFERRER_SPAM_HOSTS } from './referrer-spam-hosts.ts';
import { splitUrl } from './url-parts.ts';

const HOSTS_CACHED_MAX = 2000;

/** Knows the referrers that only advertise themselves, by registrable domain. */
export class ReferrerSpam {
  readonly #domains: ReadonlySet<string> = new Set(REFERRER_SPAM_HOSTS);
  readonly #hosts = new LruCache<string, boolean>(HOSTS_CACHED_MAX);

  /** Whether `referrer`, an address, is on a spammer's domain or a subdomain of it. */
  isSpam(referrer: string | null): boolean {
    const host = referrer === null ? null : splitUrl(referrer).host;
    if (host === null) return false;
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const domain = getDomain(asciiHost(host), { allowPrivateDomains: false });
    const isSpam = domain !== null && this.#domains.has(domain);
    this.#hosts.set(host, isSpam);
    return isSpam;
  }
}
