import type { SegmentSet, Statement } from '@loggia/contract';
import type { Journal, Sealing } from '@loggia/journal';
import { assert } from '@tandem/base';
import type { Removal, SegmentBuilder } from './segment-builder.ts';
import { SiteCalendar } from './site-calendar.ts';

export interface EraserOptions {
  readonly journal: Journal;
  readonly builder: SegmentBuilder;
  /** Called after each step; tests end the process there. */
  readonly onStep?: (step: EraseStep) => void;
}

export type EraseStep = 'tail erased' | 'built' | 'stored' | 'committed';

/** Visits of one site that are to go. */
export interface Erasure {
  readonly siteId: number;
  /** One column, `id`: the visits. */
  readonly chosen: Statement;
  readonly sums: Removal['sums'];
}

/** Visits of the tail that one transaction deletes. */
const VISITS_MAX = 2000;
/** Somebody else may be merging; after so many sets that were gone, something is wrong. */
const ATTEMPTS_MAX = 1000;

/**
 * Erases visits with their events, first from the tail, then set by set from the archive.
 *
 * Invariant A4: each step is one transaction that leaves visits, events and sums consistent, and the
 * whole depends only on what is stored: cut off anywhere, it is repeated from the beginning. What
 * is sealed while it runs is met in the archive.
 */
export class Eraser {
  readonly #options: EraserOptions;
  readonly #sealing: Sealing;

  constructor(options: EraserOptions) {
    this.#options = options;
    this.#sealing = options.journal.openSealing();
  }

  /** How many visits were erased. */
  async erase(erasure: Erasure): Promise<number> {
    return (await this.#eraseTail(erasure)) + (await this.#eraseArchive(erasure));
  }

  /** Erases from the sets for which `isDue` says so; how many visits. */
  async eraseSets(erasure: Erasure, isDue: (set: SegmentSet) => Promise<boolean>): Promise<number> {
    const seen = new Set<number>();
    let erased = 0;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const set = this.#options.journal.archive.sets().find(({ id }) => !seen.has(id));
      if (set === undefined) return erased;
      seen.add(set.id);
      if (await isDue(set)) erased += await this.#eraseFromSet(set, erasure, seen);
      else attempt -= 1;
    }
    assert(false, 'sets come to an end');
  }

  async #eraseTail({ siteId, chosen }: Erasure): Promise<number> {
    const { journal, builder, onStep } = this.#options;
    const sealing = this.#sealing;
    const always = { fromMs: Number.MIN_SAFE_INTEGER, toMs: Number.MAX_SAFE_INTEGER };
    sealing.clear();
    sealing.choose({ siteId, ...always, idleMs: Number.MAX_SAFE_INTEGER }, Number.MAX_SAFE_INTEGER);
    const batch = sealing.read();
    if (batch.visits.rowCount === 0) return 0;
    const ids = await builder.chosenOf(batch, chosen);
    for (let begin = 0; begin < ids.length; begin += VISITS_MAX) {
      journal.transaction(() => {
        sealing.clear();
        sealing.chooseIds(ids.slice(begin, begin + VISITS_MAX));
        sealing.erase();
      });
      onStep?.('tail erased');
    }
    return ids.length;
  }

  async #eraseArchive(erasure: Erasure): Promise<number> {
    const { reads } = erasure.chosen;
    return this.eraseSets(erasure, ({ fromMs, toMs }) =>
      Promise.resolve(reads === undefined || (fromMs < reads.toMs && toMs >= reads.fromMs)),
    );
  }

  async #eraseFromSet(set: SegmentSet, erasure: Erasure, seen: Set<number>): Promise<number> {
    const { journal, builder, onStep } = this.#options;
    const sets = journal.archive.sets();
    const version = journal.archive.version();
    const known = sets.filter((one) => one.firstDay <= set.lastDay && one.lastDay >= set.firstDay);
    const calendar = new SiteCalendar(journal.sites.list());
    const built = await builder.without(set, { ...erasure, calendar, known });
    if (built === undefined) return 0;
    onStep?.('built');
    const isStored = journal.transaction(() => {
      // What a visit had added to the sums depends on what the other sets hold.
      if (journal.archive.version() !== version) return false;
      const added = built.set.segments.length === 0 ? [] : [built.set];
      const isReplaced = journal.archive.replace([set.id], added);
      onStep?.('stored');
      return isReplaced;
    });
    onStep?.('committed');
    if (!isStored) seen.delete(set.id);
    return isStored ? built.removed : 0;
  }
}
