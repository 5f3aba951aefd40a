import { CLICK_IDS, campaignTags, type CampaignTags, type ClickId } from './campaign-tags.ts';
import { channelOf, type Channel } from './channel.ts';
import { cleanText } from './clean-text.ts';
import { asciiHost, isLocalhost, isWithinDomain, withoutWww } from './hostname.ts';
import type { Source, SourceNames } from './source-names.ts';
import { splitUrl } from './url-parts.ts';

/** How a visit came to the site. Nulls mean 'nothing known'. */
export interface Acquisition {
  readonly source: string | null;
  /** Host without `www.` and path, without query and final slash. */
  readonly referrer: string | null;
  readonly channel: Channel;
  readonly tags: CampaignTags;
}

/** What is known of a visit's origin. */
export interface Origin {
  readonly referrer: string | null;
  /** The raw query of the page's address. */
  readonly query: string;
  /** The host of the site's domain, without `www.`. */
  readonly siteHost: string;
  /** The host of the event's address, without `www.`. */
  readonly pageHost: string;
}

/** A referrer that is another place than the site itself. */
export interface Referrer {
  readonly host: string;
  readonly isApp: boolean;
  /** What `visit:referrer` shows. */
  readonly text: string;
}

const REFERRER_TEXT_LENGTH_MAX = 2000;

/**
 * Source, referrer, tags and channel of a visit.
 *
 * The source is `utm_source`, else `source`, else `ref`, else the referrer's name, else the
 * advertising system whose click id the address carries: an app that hides the referrer still
 * passes the id on, and 'direct' would be known to be wrong.
 */
export function acquisitionOf(origin: Origin, names: SourceNames): Acquisition {
  const tags = campaignTags(origin.query);
  const referrer = foreignReferrer(origin);
  const source = sourceOf(tags, referrer, names);
  return {
    source: source?.name ?? null,
    referrer: referrer?.text ?? null,
    channel: channelOf(source, tags),
    tags,
  };
}

/**
 * The referrer of `origin`, or null when it has none of a web page or Android app, or one of the
 * site itself (its domain, a subdomain, the page's own host) or of the visitor's own machine.
 */
export function foreignReferrer({ referrer, siteHost, pageHost }: Origin): Referrer | null {
  if (referrer === null) return null;
  const { scheme, host: rawHost, path } = splitUrl(referrer);
  const isApp = scheme === 'android-app' || scheme === 'ios-app';
  if (rawHost === null || (scheme !== 'http' && scheme !== 'https' && !isApp)) return null;
  const host = withoutWww(asciiHost(rawHost));
  if (isLocalhost(host) || host === pageHost || isWithinDomain(host, siteHost)) return null;
  const trimmedPath = path.replace(/\/+$/, '');
  const prefix = isApp ? `${scheme}://` : '';
  return { host, isApp, text: cleanText(prefix + host + trimmedPath, REFERRER_TEXT_LENGTH_MAX) };
}

function sourceOf(
  tags: CampaignTags,
  referrer: Referrer | null,
  names: SourceNames,
): Source | null {
  const tag = tags.utmSource ?? tags.source ?? tags.ref;
  if (tag !== null) return names.ofTag(tag);
  if (referrer !== null) {
    return referrer.isApp ? names.ofApp(referrer.host) : names.ofHost(referrer.host);
  }
  return tags.clickId === null ? null : names.ofTag(sourceOfClickId(tags.clickId));
}

function sourceOfClickId(clickId: ClickId): string {
  return CLICK_IDS[clickId];
}
