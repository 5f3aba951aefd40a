import { LruCache, type Clock } from '@tandem/base';
import type { Goal, Site } from '@loggia/contract';
import type { Journal } from '@loggia/journal';

/** How long a change made by another process may go unnoticed. */
const REFRESH_INTERVAL_MS = 500;
const ABSENT_NAMES_MAX = 10_000;

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
  /** Asked for and not there, so that events for unknown sites cost no look-up each. */
  #absent = new LruCache<string, true>(ABSENT_NAMES_MAX);

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  /** The site that is registered as one of `domains`; the first one that is. */
  byDomain(domains: readonly string[]): Site | undefined {
    this.#refresh();
    for (const domain of domains) {
      const site = this.#byDomain.get(domain);
      if (site !== undefined) return site;
    }
    const [domain] = domains;
    if (domain === undefined || this.#absent.get(domain) === true) return undefined;
    this.refreshNow();
    this.#absent.set(domain, true);
    for (const each of domains) {
      const site = this.#byDomain.get(each);
      if (site !== undefined) return site;
    }
    return undefined;
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
    this.#absent.clear();
    this.#version = version;
  }

  #refresh(): void {
    const sinceMs = this.#clock.nowMs() - this.#checkedMs;
    if (sinceMs >= REFRESH_INTERVAL_MS || sinceMs < 0) this.refreshNow();
  }
}
