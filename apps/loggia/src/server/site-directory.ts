import { LruCache, type Clock } from '@tandem/base';
import type { Goal, Site } from '@loggia/contract';
import { siteDomainCandidates } from '@loggia/ingest';
import type { Journal } from '@loggia/journal';

/** How long a change made by another process may go unnoticed. */
const REFRESH_INTERVAL_MS = 500;
const NAMES_MAX = 10_000;

/**
 * The sites and goals by name, in memory. It notices changes by any process: at once those made
 * through this one, within half a second the others.
 */
export class SiteDirectory {
  readonly #journal: Journal;
  readonly #clock: Clock;
  #version = -1;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #byDomain = new Map<string, Site>();
  #byId = new Map<number, Site>();
  #byScriptId = new Map<string, Site>();
  #goals = new LruCache<number, readonly Goal[]>(1000);
  /** Names as senders write them, with null for no site, so that an event costs one look-up. */
  #byName = new LruCache<string, Site | null>(NAMES_MAX);

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  /** The site that is registered as `domain`, letter by letter. */
  byDomain(domain: string): Site | undefined {
    this.#refresh();
    const known = this.#byDomain.get(domain);
    if (known !== undefined) return known;
    this.refreshNow();
    return this.#byDomain.get(domain);
  }

  /** The site that a sender calls `name`, in whatever spelling it is registered. */
  byName(name: string): Site | undefined {
    this.#refresh();
    const known = this.#byName.get(name);
    if (known !== undefined) return known ?? undefined;
    const spellings = siteDomainCandidates(name);
    let site = this.#firstOf(spellings);
    if (site === undefined) {
      this.refreshNow();
      site = this.#firstOf(spellings);
    }
    this.#byName.set(name, site ?? null);
    return site;
  }

  byId(id: number): Site | undefined {
    this.#refresh();
    return this.#byId.get(id);
  }

  byScriptId(scriptId: string): Site | undefined {
    this.#refresh();
    return this.#byScriptId.get(scriptId);
  }

  /** All sites, by name. */
  list(): readonly Site[] {
    this.#refresh();
    return Array.from(this.#byId.values()).sort((left, right) =>
      left.domain < right.domain ? -1 : 1,
    );
  }

  goalsOf(siteId: number): readonly Goal[] {
    this.#refresh();
    const known = this.#goals.get(siteId);
    if (known !== undefined) return known;
    const goals = this.#journal.goals.list(siteId);
    this.#goals.set(siteId, goals);
    return goals;
  }

  /** Reads what has changed; called after every change made through this process. */
  refreshNow(): void {
    this.#checkedMs = this.#clock.nowMs();
    const version = this.#journal.configurationVersion();
    if (version === this.#version) return;
    const sites = this.#journal.sites.list();
    this.#byDomain = new Map(sites.map((site) => [site.domain, site]));
    this.#byId = new Map(sites.map((site) => [site.id, site]));
    this.#byScriptId = new Map(sites.map((site) => [site.scriptId, site]));
    this.#goals.clear();
    this.#byName.clear();
    this.#version = version;
  }

  #firstOf(domains: readonly string[]): Site | undefined {
    for (const domain of domains) {
      const site = this.#byDomain.get(domain);
      if (site !== undefined) return site;
    }
    return undefined;
  }

  #refresh(): void {
    const sinceMs = this.#clock.nowMs() - this.#checkedMs;
    if (sinceMs >= REFRESH_INTERVAL_MS || sinceMs < 0) this.refreshNow();
  }
}
