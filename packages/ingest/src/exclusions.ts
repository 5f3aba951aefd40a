import type { DropReason, SiteSettings } from '@loggia/contract';
import { AddressSet, isAddressRange } from './address-set.ts';
import { asciiHost, isWithinDomain, withoutWww } from './hostname.ts';
import type { PageAddress } from './page-address.ts';
import { matchesPage } from './page-pattern.ts';

/** What of an event a site's settings may object to. */
export interface ExclusionFacts {
  readonly page: PageAddress;
  readonly address: string | null;
  readonly hasOptedOut: boolean;
}

/** The exclusions of one site's settings, ready to be asked. */
export class Exclusions {
  static readonly #compiled = new WeakMap<SiteSettings, Exclusions>();

  readonly #honourOptOut: boolean;
  readonly #hosts: ReadonlySet<string>;
  readonly #parentDomains: readonly string[];
  readonly #pages: readonly string[];
  readonly #addresses: AddressSet;

  private constructor(settings: SiteSettings) {
    const allowed = settings.allowedHosts.map((host) => asciiHost(host.trim()));
    this.#honourOptOut = settings.honourOptOut;
    this.#hosts = new Set(allowed.filter((host) => !host.startsWith('*.')).map(withoutWww));
    this.#parentDomains = allowed
      .filter((host) => host.startsWith('*.'))
      .map((host) => host.slice(2));
    this.#pages = settings.excludedPages;
    this.#addresses = new AddressSet(settings.excludedAddresses.filter(isAddressRange));
  }

  /**
   * The exclusions of `settings`, compiled once per object: settings are values, and changed ones
   * are another object. Malformed ranges are passed over; they are refused where settings are saved.
   */
  static of(settings: SiteSettings): Exclusions {
    const known = Exclusions.#compiled.get(settings);
    if (known !== undefined) return known;
    const exclusions = new Exclusions(settings);
    Exclusions.#compiled.set(settings, exclusions);
    return exclusions;
  }

  /** Why the site does not want the event, or null. */
  reasonAgainst({ page, address, hasOptedOut }: ExclusionFacts): DropReason | null {
    if (this.#honourOptOut && hasOptedOut) return 'opted_out';
    if (!this.#allowsHost(page)) return 'host_not_allowed';
    if (this.#pages.some((pattern) => matchesPage(pattern, page.page))) return 'excluded_page';
    if (address !== null && this.#addresses.has(address)) return 'excluded_address';
    return null;
  }

  /** `*.example.org` means what is below `example.org`, `www.example.org` included. */
  #allowsHost({ host, hostname }: PageAddress): boolean {
    if (this.#hosts.size === 0 && this.#parentDomains.length === 0) return true;
    if (this.#hosts.has(hostname)) return true;
    return this.#parentDomains.some(
      (domain) => host !== null && host !== domain && isWithinDomain(host, domain),
    );
  }
}
