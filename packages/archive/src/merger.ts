import type { SegmentSet } from '@loggia/contract';
import type { Journal } from '@loggia/journal';
import { type MergePlan, planMerge } from './merge-plan.ts';
import type { SegmentBuilder } from './segment-builder.ts';

export interface MergerOptions {
  readonly journal: Journal;
  readonly builder: SegmentBuilder;
  /** What one set may hold. */
  readonly bytesMax?: number;
  /** Called after each step; tests end the process there. */
  readonly onStep?: (step: MergeStep) => void;
}

export type MergeStep = 'built' | 'stored' | 'committed';

const DAY_MS = 86_400_000;

/**
 * Merges sets by day, then by month.
 *
 * Invariant A3: a merge puts one set in the place of others in one transaction, and only if all of
 * them are still there. A crash before it leaves nothing; the plan depends on the sets alone.
 */
export class Merger {
  readonly #options: MergerOptions;

  constructor(options: MergerOptions) {
    this.#options = options;
  }

  /** What is due; undefined when nothing is. */
  plan(nowMs: number): MergePlan | undefined {
    const { journal, bytesMax } = this.#options;
    return planMerge(journal.archive.sets(), Math.floor(nowMs / DAY_MS), bytesMax);
  }

  /** Does one merge that is due; undefined when none is. */
  async mergeNext(nowMs: number): Promise<readonly SegmentSet[] | undefined> {
    const { journal, builder, onStep } = this.#options;
    const plan = this.plan(nowMs);
    if (plan === undefined) return undefined;
    const merged = await builder.merge(plan);
    onStep?.('built');
    journal.transaction(() => {
      // When somebody else was faster, the next plan starts from what there is then.
      journal.archive.replace(
        plan.sets.map(({ id }) => id),
        [merged],
      );
      onStep?.('stored');
    });
    onStep?.('committed');
    return plan.sets;
  }
}
