import { setTimeout as pause } from 'node:timers/promises';
import type { Journal } from '@loggia/journal';
import { SegmentCache } from '@loggia/warehouse';
import { finishedSites } from './finished-sites.ts';
import { planMerge } from './merge-plan.ts';
import { Merger } from './merger.ts';
import { Retention } from './retention.ts';
import { SegmentBuilder } from './segment-builder.ts';
import { Sealer } from './sealer.ts';

export interface ArchiveTurn {
  readonly journal: Journal;
  /** Where the files of the archive are kept. */
  readonly cacheFolder: string;
  readonly nowMs: number;
  /** Asked between two steps; a step takes about a second at most. */
  readonly isStopped: () => boolean;
  /** Whether to look for visits that have expired; once a day will do. */
  readonly withRetention: boolean;
  /** The share of one processor that the work may take on average, in (0, 1]. */
  readonly share?: number;
}

/** What a turn has done. */
export interface ArchiveReport {
  readonly sealedVisits: number;
  readonly sealedEvents: number;
  readonly erasedVisits: number;
  /** Sets that others have taken the place of. */
  readonly mergedSets: number;
}

/** Ingest on a machine with two cores keeps nine tenths of its rate beside this. */
const SHARE = 0.2;
/** The builder's engine: parts are small, merges stream. */
const MEMORY_BYTES = 64 * 1024 * 1024;
/** Pages that are given back to the file system in one step. */
const PAGES_MAX = 1000;
const DAY_MS = 86_400_000;

/** Whether a turn would find something to do. Cheap enough to be asked every minute. */
export function hasArchiveWork(journal: Journal, nowMs: number): boolean {
  if (finishedSites(journal, nowMs).length > 0) return true;
  return planMerge(journal.archive.sets(), Math.floor(nowMs / DAY_MS)) !== undefined;
}

/** Does all that there is to do now, in small steps with pauses between them. */
export async function keepArchive(turn: ArchiveTurn): Promise<ArchiveReport> {
  const { journal, cacheFolder, nowMs } = turn;
  const builder = await SegmentBuilder.open({
    cacheFolder,
    cache: new SegmentCache(cacheFolder, journal.archive),
    memoryBytes: MEMORY_BYTES,
  });
  try {
    const sealer = new Sealer({ journal, builder });
    let sealedVisits = 0;
    let sealedEvents = 0;
    await inSteps(turn, async () => {
      const part = await sealer.sealNext(nowMs);
      sealedVisits += part?.visits ?? 0;
      sealedEvents += part?.events ?? 0;
      return part !== undefined;
    });
    const retention = new Retention({ journal, builder });
    const erasedVisits = turn.withRetention ? await retention.run(nowMs, turn.isStopped) : 0;
    const merger = new Merger({ journal, builder });
    let mergedSets = 0;
    await inSteps(turn, async () => {
      const sets = await merger.mergeNext(nowMs);
      mergedSets += sets?.length ?? 0;
      return sets !== undefined;
    });
    await inSteps(turn, () => Promise.resolve(journal.giveBackPages(PAGES_MAX) > 0));
    return { sealedVisits, sealedEvents, erasedVisits, mergedSets };
  } finally {
    builder.close();
  }
}

/** Repeats `step` until it finds nothing to do, resting after each so that the share is kept. */
async function inSteps(
  { isStopped, share = SHARE }: ArchiveTurn,
  step: () => Promise<boolean>,
): Promise<void> {
  while (!isStopped()) {
    const begun = performance.now();
    if (!(await step())) return;
    await rest((performance.now() - begun) * (1 / share - 1), isStopped);
  }
}

const REST_MS_MAX = 200;

/** A rest that ends soon after the work is stopped. */
async function rest(restMs: number, isStopped: () => boolean): Promise<void> {
  for (let left = restMs; left > 0 && !isStopped(); left -= REST_MS_MAX) {
    await pause(Math.min(left, REST_MS_MAX));
  }
}
