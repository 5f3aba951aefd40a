import { LruCache } from '@tandem/base';
import type { DropReason, Hit, Site, VisitAttributes } from '@loggia/contract';
import { acquisitionOf } from './acquisition.ts';
import type { EventBody } from './event-body.ts';
import { Exclusions } from './exclusions.ts';
import { Hosting } from './hosting.ts';
import { NOWHERE, type Place } from './place.ts';
import { Places, type PlaceSource } from './places.ts';
import { ReferrerSpam } from './referrer-spam.ts';
import type { RequestFacts } from './request-facts.ts';
import { saltExpiryMs, type SaltSource } from './salt-source.ts';
import { screenClass } from './screen-class.ts';
import { siteHost } from './site-domain.ts';
import { SiteDays, type SiteDay } from './site-days.ts';
import { SourceNames } from './source-names.ts';
import type { Platform } from './user-agent.ts';
import { USER_AGENT_LENGTH_MAX, UserAgents } from './user-agents.ts';
import { VISIT_GAP_MS } from './visit.ts';
import { VisitorIds } from './visitor-id.ts';

/** An event that is not stored, and why. */
export interface Dropped {
  readonly dropped: DropReason;
}

export interface EnricherOptions {
  readonly salts: SaltSource;
  /** The bundled country database when absent. */
  readonly places?: PlaceSource;
  /** The built-in ranges when absent. */
  readonly hosting?: Hosting;
}

const SITE_HOSTS_CACHED_MAX = 5000;
const NO_PLATFORM: Platform = Object.freeze({
  browser: null,
  browserVersion: null,
  os: null,
  osVersion: null,
  device: null,
});

/**
 * Makes hits of events. What it remembers between calls are bounded caches, so one enricher serves
 * all sites; it does no I/O but the salts' and the databases' own.
 */
export class Enricher {
  readonly #salts: SaltSource;
  readonly #places: PlaceSource;
  readonly #hosting: Hosting;
  readonly #userAgents = new UserAgents();
  readonly #sourceNames = new SourceNames();
  readonly #referrerSpam = new ReferrerSpam();
  readonly #visitorIds = new VisitorIds();
  readonly #days = new SiteDays();
  /** By the sites' domains. */
  readonly #siteHosts = new LruCache<string, string>(SITE_HOSTS_CACHED_MAX);

  constructor({ salts, places = new Places(), hosting = new Hosting() }: EnricherOptions) {
    this.#salts = salts;
    this.#places = places;
    this.#hosting = hosting;
  }

  /**
   * The hit that `event` is for `site`, or the reason why the site does not want it. The hit holds
   * neither address nor user agent.
   */
  enrich(event: EventBody, site: Site, request: RequestFacts): Hit | Dropped {
    const agent = request.userAgent === null ? null : this.#userAgents.read(request.userAgent);
    const reason =
      exclusionReason(event, site, request) ??
      (agent?.isBot === true ? 'bot' : null) ??
      this.#unwantedOrigin(event, site, request);
    if (reason !== null) return { dropped: reason };
    const platform = request.known?.platform ?? agent?.platform ?? NO_PLATFORM;
    const { visitor, visitorBefore } = this.#visitors(event, site, request);
    return {
      siteId: site.id,
      timeMs: request.timeMs,
      visitor,
      visitorBefore,
      name: event.name,
      hostname: event.address.hostname,
      page: event.address.page,
      properties: event.properties === null ? null : JSON.stringify(event.properties),
      revenueMilli: event.revenue?.milli ?? null,
      revenueCurrency: event.revenue?.currency ?? null,
      interactive: event.interactive,
      scrollDepth: event.scrollDepth,
      engagedMs: event.engagedMs,
      attributes: this.#attributes(event, { site, request, platform }),
      dedupeId: request.dedupeId,
    };
  }

  #unwantedOrigin(event: EventBody, site: Site, { address }: RequestFacts): DropReason | null {
    if (this.#referrerSpam.isSpam(event.referrer)) return 'spam_referrer';
    const { dropDatacentre } = site.settings;
    return dropDatacentre && address !== null && this.#hosting.isHosting(address)
      ? 'datacentre'
      : null;
  }

  #visitors(
    event: EventBody,
    site: Site,
    request: RequestFacts,
  ): Pick<Hit, 'visitor' | 'visitorBefore'> {
    const day = this.#days.dayAt(site.timezone, request.timeMs);
    const salt = this.#salts.ensure(site.id, day.date, saltExpiryMs(day, request.nowMs));
    const saltBefore = mayContinueVisit(day, request.timeMs)
      ? this.#salts.existing(site.id, day.dateBefore)
      : undefined;
    const text = this.#visitorIds.textOf({
      siteId: site.id,
      hostname: event.address.hostname,
      address: request.known?.visitor ?? request.address ?? '',
      userAgent: (request.userAgent ?? '').slice(0, USER_AGENT_LENGTH_MAX),
    });
    return {
      visitor: this.#visitorIds.idOf(salt, text),
      visitorBefore: saltBefore === undefined ? null : this.#visitorIds.idOf(saltBefore, text),
    };
  }

  #attributes(
    event: EventBody,
    {
      site,
      request,
      platform,
    }: { readonly site: Site; readonly request: RequestFacts; readonly platform: Platform },
  ): VisitAttributes {
    const { source, referrer, channel, tags } = acquisitionOf(
      {
        referrer: event.referrer,
        query: event.address.query,
        siteHost: this.#siteHostOf(site),
        pageHost: event.address.hostname,
      },
      this.#sourceNames,
    );
    const place = this.#placeOf(request);
    return {
      source,
      referrer,
      channel,
      utm_medium: tags.utmMedium,
      utm_source: tags.utmSource,
      utm_campaign: tags.utmCampaign,
      utm_content: tags.utmContent,
      utm_term: tags.utmTerm,
      click_id: tags.clickId,
      country: place.country,
      region: place.region,
      region_name: place.regionName,
      city: place.city,
      city_name: place.cityName,
      browser: platform.browser,
      browser_version: platform.browserVersion,
      os: platform.os,
      os_version: platform.osVersion,
      device: platform.device,
      screen: screenClass(event.screenWidth),
      language: request.language,
    };
  }

  #siteHostOf({ domain }: Site): string {
    const known = this.#siteHosts.get(domain);
    if (known !== undefined) return known;
    const host = siteHost(domain);
    this.#siteHosts.set(domain, host);
    return host;
  }

  /** A delivery network's word counts, unless a database agrees on the country and knows more. */
  #placeOf({ headerPlace, address, nowMs }: RequestFacts): Place {
    if (headerPlace !== null && headerPlace.city !== null) return headerPlace;
    const found = address === null ? NOWHERE : this.#places.placeOf(address, nowMs);
    if (headerPlace === null || headerPlace.country === null) return found;
    return found.country === headerPlace.country && found.region !== null ? found : headerPlace;
  }
}

/**
 * Whether an event at `timeMs` can be the first of its day in a visit that began the day before. A
 * later one finds that visit through the other id that the first one left with it.
 */
function mayContinueVisit(day: SiteDay, timeMs: number): boolean {
  return timeMs - day.startMs <= VISIT_GAP_MS;
}

function exclusionReason(event: EventBody, site: Site, request: RequestFacts): DropReason | null {
  return Exclusions.of(site.settings).reasonAgainst({
    page: event.address,
    address: request.address,
    hasOptedOut: request.hasOptedOut,
  });
}
