import type { Site } from '@loggia/contract';
import type { Journal } from '@loggia/journal';
import { ZoneRules, addToDate } from '@tandem/base';
import { Eraser } from './eraser.ts';
import type { SegmentBuilder } from './segment-builder.ts';
import { dayOfDate } from './site-day.ts';

/**
 * A set that holds younger visits too is rewritten when some are over their age by this much: else a
 * month would be written anew on each of its days.
 */
const OVERDUE_DAYS = 7;

/** What retention deletes of a site: visits that began before `cutoffMs`. */
interface Expiry {
  readonly site: Site;
  readonly cutoffMs: number;
  readonly cutoffDay: number;
}

function expiryOf(site: Site, nowMs: number): Expiry | undefined {
  const { retentionDays } = site.settings;
  if (retentionDays === 0) return undefined;
  const zone = ZoneRules.of(site.timezone);
  const date = addToDate(zone.dateAt(nowMs), { days: -retentionDays });
  return { site, cutoffMs: zone.startOfDate(date), cutoffDay: dayOfDate(date) };
}

/**
 * Deletes what has expired, and what removed sites have left in the archive.
 *
 * Invariant A5: no visit of a site stays longer than its days of retention and a week, and what goes
 * is decided by the sites' settings and the sets alone, so it may be cut off and repeated.
 */
export class Retention {
  readonly #journal: Journal;
  readonly #builder: SegmentBuilder;
  readonly #eraser: Eraser;

  constructor(options: { readonly journal: Journal; readonly builder: SegmentBuilder }) {
    this.#journal = options.journal;
    this.#builder = options.builder;
    this.#eraser = new Eraser(options);
  }

  /** Does it for one site after another; how many visits went. */
  async run(nowMs: number, isStopped: () => boolean): Promise<number> {
    let erased = 0;
    for (const siteId of this.#journal.archive.removedSiteIds()) {
      if (isStopped()) return erased;
      erased += await this.#eraseRemoved(siteId);
    }
    for (const site of this.#journal.sites.list()) {
      const expiry = expiryOf(site, nowMs);
      if (isStopped()) return erased;
      if (expiry !== undefined) erased += await this.#eraseExpired(expiry);
    }
    return erased;
  }

  async #eraseRemoved(siteId: number): Promise<number> {
    const chosen = {
      sql: 'SELECT id FROM visit WHERE site_id = CAST(? AS BIGINT)',
      parameters: [siteId],
    };
    const erased = await this.#eraser.erase({ siteId, chosen, sums: 'drop' });
    this.#journal.transaction(() => this.#journal.archive.forgetFirst(siteId));
    return erased;
  }

  async #eraseExpired({ site, cutoffMs, cutoffDay }: Expiry): Promise<number> {
    const chosen = {
      sql: 'SELECT id FROM visit WHERE site_id = CAST(? AS BIGINT) AND start_ms < CAST(? AS BIGINT)',
      parameters: [site.id, cutoffMs],
    };
    const sums = site.settings.keepRollups ? ('keep' as const) : ('subtract' as const);
    const overdueMs = cutoffMs - OVERDUE_DAYS * 86_400_000;
    return this.#eraser.eraseSets({ siteId: site.id, chosen, sums }, async (set) => {
      if (set.fromMs >= cutoffMs) return false;
      const oldestMs = await this.#builder.oldestMs(set, site.id);
      if (oldestMs === undefined || oldestMs >= cutoffMs) return false;
      return set.lastDay < cutoffDay || oldestMs < overdueMs;
    });
  }
}
