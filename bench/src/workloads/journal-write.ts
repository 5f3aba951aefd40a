import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Hit } from '@loggia/contract';
import { Enricher, TailWriter, batchFacts, parseEvent } from '@loggia/ingest';
import { Journal } from '@loggia/journal';
import { BENCH_SITE, addBenchSite } from '../bench-site.ts';
import { BATCH_FIRST_MS } from '../load/batch-body.ts';
import { SampleEvents } from '../load/sample-events.ts';
import { MemorySalts } from '../memory-salts.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type Measurement } from '../workload.ts';

const GROUP_SIZES = [1, 10, 100, 1000];
const PAGE_BYTES = 4096;
const SYNC_COUNT = 50;
const STEP_MS = 2500;

/** What the writer's thread does, without the thread. */
export const journalWrite = defineWorkload({
  name: 'journal-write',
  summary: 'forming visits and committing with sync, by hits in a commit',
  setUp: ({ quick, work }) => ({
    work,
    hits: sampleHits(quick ? 2000 : 50_000),
    timeMaxMs: quick ? 500 : 5000,
  }),
  measure: ({ work, hits, timeMaxMs }) => {
    const measurements: Measurement[] = [
      measurementOf({ measure: 'sync of one page', unit: 'ms' }, syncTimes(work.make('sync'))),
    ];
    for (const groupSize of GROUP_SIZES) {
      const folder = work.make('journal');
      addBenchSite(folder);
      using journal = Journal.open({ folder });
      const { written, durationMs } = writeHits(journal, { hits, groupSize, timeMaxMs });
      measurements.push({
        measure: 'events written',
        value: (written * 1000) / durationMs,
        unit: '1/s',
        parameters: { hits_per_commit: groupSize, events: written },
      });
    }
    return measurements;
  },
});

function sampleHits(count: number): Hit[] {
  const events = new SampleEvents(2);
  const enricher = new Enricher({ salts: new MemorySalts() });
  return Array.from({ length: count }, (_, index) => {
    const { body, address, userAgent } = events.next();
    const parsed = parseEvent(body);
    if (!parsed.ok) throw new Error(parsed.errors.join(' '));
    const timeMs = BATCH_FIRST_MS + index * STEP_MS;
    const facts = batchFacts({ address, userAgent, timeMs, id: null }, timeMs);
    const hit = enricher.enrich(parsed.event, BENCH_SITE, facts);
    if ('dropped' in hit) throw new Error(`A sample event was dropped: ${hit.dropped}.`);
    return hit;
  });
}

/** What the disk allows: the times of appending a page to a file and syncing it. */
function syncTimes(folder: string): number[] {
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const file = openSync(join(folder, 'pages'), 'w');
  try {
    return Array.from({ length: SYNC_COUNT }, () => {
      const startMs = performance.now();
      writeSync(file, page);
      fdatasyncSync(file);
      return performance.now() - startMs;
    });
  } finally {
    closeSync(file);
  }
}

/** Writes until there is no hit left or the time is over. */
function writeHits(
  journal: Journal,
  plan: { readonly hits: readonly Hit[]; readonly groupSize: number; readonly timeMaxMs: number },
): { readonly written: number; readonly durationMs: number } {
  const writer = new TailWriter(journal);
  const startMs = performance.now();
  let written = 0;
  while (written < plan.hits.length && performance.now() - startMs < plan.timeMaxMs) {
    const group = plan.hits.slice(written, written + plan.groupSize);
    writer.write(group, BATCH_FIRST_MS);
    written += group.length;
  }
  return { written, durationMs: performance.now() - startMs };
}
