import type { Journal, Sealing } from '@loggia/journal';
import { type FinishedSite, finishedSites, onDay } from './finished-sites.ts';
import type { BuiltSet, PartFacts, SegmentBuilder } from './segment-builder.ts';
import { SiteCalendar } from './site-calendar.ts';

export interface SealerOptions {
  readonly journal: Journal;
  readonly builder: SegmentBuilder;
  /** Beyond a visit's and a day's end, for events that come late. */
  readonly graceMs?: number;
  /** Visits of one part: what bounds how long the write lock is held. */
  readonly visitsMax?: number;
  /** Called after each step; tests end the process there. */
  readonly onStep?: (step: SealStep) => void;
}

export type SealStep = 'read' | 'built' | 'stored' | 'committed';

/** What one part took out of the tail. */
export interface SealedPart {
  readonly day: number;
  readonly visits: number;
  readonly events: number;
}

const VISITS_MAX = 5000;

/**
 * Seals finished visits, day by day, in parts of bounded size.
 *
 * Invariant A1: a part is stored and leaves the tail in one transaction, which fails when a visit has
 * changed since it was read. All before that is thrown away by a crash, and can be done again.
 */
export class Sealer {
  readonly #options: SealerOptions;
  readonly #sealing: Sealing;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#sealing = options.journal.openSealing();
  }

  /** Seals the next part of the earliest day; undefined when nothing is finished. */
  async sealNext(nowMs: number): Promise<SealedPart | undefined> {
    const { journal, builder, onStep } = this.#options;
    const candidates = finishedSites(this.#options.journal, nowMs, this.#options.graceMs);
    if (candidates.length === 0) return undefined;
    const day = this.#choose(candidates);
    for (;;) {
      const batch = this.#sealing.read();
      onStep?.('read');
      if (batch.visits.rowCount === 0) return { day, visits: 0, events: 0 };
      const version = journal.archive.version();
      const built = await builder.buildPart(batch, this.#facts(day));
      onStep?.('built');
      if (!this.#commit(built, version)) continue;
      onStep?.('committed');
      return { day, visits: built.set.visits, events: built.set.events };
    }
  }

  #facts(day: number): PartFacts {
    const { journal } = this.#options;
    const known = journal.archive.sets().filter((set) => set.firstDay <= day && set.lastDay >= day);
    return { day, calendar: new SiteCalendar(journal.sites.list()), known };
  }

  /** Chooses visits of the earliest day on which any are finished, and says which day that is. */
  #choose(candidates: readonly FinishedSite[]): number {
    const day = candidates.reduce((min, candidate) => Math.min(min, candidate.day), Infinity);
    this.#sealing.clear();
    let left = this.#options.visitsMax ?? VISITS_MAX;
    for (const { site, visits, day: firstDay } of candidates) {
      if (firstDay !== day || left === 0) continue;
      left -= this.#sealing.choose(onDay(visits, site, day), left);
    }
    return day;
  }

  /** False when a visit or the archive has changed meanwhile; nothing is stored then. */
  #commit({ set, firstStarts }: BuiltSet, version: number): boolean {
    const { journal, onStep } = this.#options;
    return journal.transaction(() => {
      // What the part adds to the sums depends on what the other sets hold.
      if (journal.archive.version() !== version || !this.#sealing.remove()) return false;
      journal.archive.insertSealed(set);
      for (const { siteId, startMs } of firstStarts) journal.archive.noteFirst(siteId, startMs);
      onStep?.('stored');
      return true;
    });
  }
}
