import { LruCache } from '@tandem/base';
import { getPublicSuffix } from 'tldts';
import { withoutWww } from './hostname.ts';
import { KNOWN_SOURCES, type KnownSource, type SourceCategory } from './source-catalogue.ts';

/** Where a visit came from, under the name that reports show. */
export interface Source {
  readonly name: string;
  /** Null for a source that the catalogue does not know. */
  readonly category: SourceCategory | null;
  /** True when the tag itself says that it is an advertisement, as `facebook-ads` does. */
  readonly isPaid: boolean;
}

/**
 * Portals and suites keep much else under their domain: a link in a document on docs.google.com is
 * no search. For these categories a subdomain counts only if each of its labels is one of these or
 * a language or country of two letters.
 */
const NARROW: ReadonlySet<SourceCategory> = new Set(['search', 'email', 'ai']);
const NARROW_LABELS: ReadonlySet<string> = new Set(
  words(
    'www m mobile search images image cse encrypted lite html r app web amp touch wap ' +
      'duckduckgo start safe',
  ),
);
const COUNTRY_SUFFIX = /^(?:(?:com?|net)\.)?[a-z]{2}$|^com$|^net$/;
const HOSTS_CACHED_MAX = 10_000;
const TAG_LENGTH_MAX = 300;

interface CatalogueIndex {
  readonly byHost: ReadonlyMap<string, KnownSource>;
  /** By a host without its public suffix. */
  readonly byLabel: ReadonlyMap<string, KnownSource>;
  readonly byName: ReadonlyMap<string, KnownSource>;
  readonly byTag: ReadonlyMap<string, KnownSource>;
}

/** Names for hosts and tags, from the catalogue. */
export class SourceNames {
  readonly #index: CatalogueIndex = indexOf(KNOWN_SOURCES);
  readonly #hosts = new LruCache<string, Source>(HOSTS_CACHED_MAX);

  /** The source that the host of a referrer names; an unknown host is its own name. */
  ofHost(host: string): Source {
    const bare = withoutWww(host);
    const cached = this.#hosts.get(bare);
    if (cached !== undefined) return cached;
    const known = this.#knownHost(bare);
    const source = known === undefined ? unknownSource(bare) : knownSource(known);
    this.#hosts.set(bare, source);
    return source;
  }

  /** The source that an Android app's package names. */
  ofApp(packageName: string): Source {
    const known = this.#index.byHost.get(packageName);
    return known === undefined ? unknownSource(packageName) : knownSource(known);
  }

  /** The source that a tag names, whatever its case; an unknown tag is its own name, as sent. */
  ofTag(tag: string): Source {
    const lower = tag.toLowerCase();
    const named = this.#index.byName.get(lower);
    if (named !== undefined) return knownSource(named);
    const tagged = this.#index.byTag.get(lower);
    if (tagged !== undefined)
      return { ...knownSource(tagged), isPaid: /(?:ads|words)$/.test(lower) };
    const host = lower.length <= TAG_LENGTH_MAX ? hostInTag(lower) : null;
    const known = host === null ? undefined : this.#knownHost(withoutWww(host));
    return known === undefined ? unknownSource(tag) : knownSource(known);
  }

  #knownHost(host: string): KnownSource | undefined {
    return walkUp(host, this.#index.byHost) ?? this.#countryHost(host);
  }

  #countryHost(host: string): KnownSource | undefined {
    const suffix = getPublicSuffix(host);
    if (suffix === null || !COUNTRY_SUFFIX.test(suffix)) return undefined;
    return walkUp(host.slice(0, -suffix.length - 1), this.#index.byLabel);
  }
}

/** The entry of `host` or of the nearest domain above it that stands for `host`. */
function walkUp(host: string, entries: ReadonlyMap<string, KnownSource>): KnownSource | undefined {
  for (let at = 0; at !== -1;) {
    const known = entries.get(host.slice(at));
    if (known !== undefined) {
      const below = host.slice(0, Math.max(0, at - 1));
      return isCovered(known, below) ? known : undefined;
    }
    const dotAt = host.indexOf('.', at);
    at = dotAt === -1 ? -1 : dotAt + 1;
  }
  return undefined;
}

function isCovered(known: KnownSource, subdomain: string): boolean {
  if (subdomain === '' || !NARROW.has(known.category)) return true;
  return subdomain
    .split('.')
    .every((label) => NARROW_LABELS.has(label) || /^[a-z]{2}$/.test(label));
}

function hostInTag(tag: string): string | null {
  const match = /^(?:https?:\/\/)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?:[/:?#]|$)/.exec(tag);
  return match?.[1] ?? null;
}

function knownSource(known: KnownSource): Source {
  return { name: known.name, category: known.category, isPaid: false };
}

function unknownSource(name: string): Source {
  return { name, category: null, isPaid: false };
}

function indexOf(catalogue: readonly KnownSource[]): CatalogueIndex {
  const byHost = new Map<string, KnownSource>();
  const byLabel = new Map<string, KnownSource>();
  const byName = new Map<string, KnownSource>();
  const byTag = new Map<string, KnownSource>();
  for (const known of catalogue) {
    byName.set(known.name.toLowerCase(), known);
    for (const tag of words(known.tags ?? '')) byTag.set(tag, known);
    for (const host of words(known.hosts)) {
      if (host.endsWith('.*')) byLabel.set(host.slice(0, -2), known);
      else byHost.set(host, known);
    }
  }
  return { byHost, byLabel, byName, byTag };
}

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}
