import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { addBenchSite } from '../bench-site.ts';
import { BATCH_ITEMS, batchBody } from '../load/batch-body.ts';
import { mustHaveCounted, sendBatches } from '../load/batches.ts';
import { SampleEvents } from '../load/sample-events.ts';
import type { MemoryUse } from '../processes/process-usage.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { REPORT_QUERIES, REPORT_RANGES, reportBody } from '../report-queries.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

/** Long enough for what is put off at a start, and for a first collection of garbage. */
const SETTLE_MS = 3000;
const SAMPLE_INTERVAL_MS = 50;
const MIB = 2 ** 20;

/** The server's memory in the states that matter to whoever sets a limit. */
export const memory = defineWorkload({
  name: 'memory',
  summary: 'memory idle, after a million events, and while reports are asked',
  setUp: (context) => ({ context, eventCount: context.quick ? 50_000 : 1_000_000 }),
  measure: async ({ context, eventCount }) => {
    const dataDir = context.work.nameOf('memory');
    const measurements: Measurement[] = [];
    const add = (state: string, use: MemoryUse | undefined): void => {
      measurements.push(...measurementsOf(state, use));
    };
    add('idle, first start', await idleMemory(context, dataDir));
    add('idle, second start', await idleMemory(context, dataDir));
    const { key } = addBenchSite(dataDir);
    {
      await using server = await ServerProcess.start(context, dataDir);
      await server.untilReady();
      const events = new SampleEvents(5);
      const bodies = batchBodies(events, eventCount / BATCH_ITEMS);
      add(
        'while events come',
        await highest(server, () => sendBatches(server, { key, bodies, connections: 1 })),
      );
      await mustHaveCounted(server, key, eventCount);
      await pause(SETTLE_MS);
      add(`after ${eventCount} events`, server.memory());
      add('while reports are asked', await highest(server, () => askReports(server, key)));
      await pause(SETTLE_MS);
      add('after the reports', server.memory());
    }
    add(`idle, start with ${eventCount} events`, await idleMemory(context, dataDir));
    const { size } = statSync(join(dataDir, 'journal.db'));
    measurements.push({ measure: 'journal per event', value: size / eventCount, unit: 'bytes' });
    return measurements;
  },
});

async function idleMemory(context: BenchContext, dataDir: string): Promise<MemoryUse | undefined> {
  await using server = await ServerProcess.start(context, dataDir);
  await server.untilReady();
  await pause(SETTLE_MS);
  return server.memory();
}

function* batchBodies(events: SampleEvents, count: number): Generator<string> {
  for (let index = 0; index < count; index += 1) yield batchBody(events, index, false);
}

/** All reports at once, thrice. */
async function askReports(server: ServerProcess, key: string): Promise<void> {
  const bodies = REPORT_RANGES.flatMap((range) =>
    REPORT_QUERIES.map((query) => JSON.stringify(reportBody(query, range))),
  );
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(bodies.map((body) => server.post('/api/v2/query', key, body)));
  }
}

/** The most that the server used of each kind of memory during `work`. */
async function highest(
  server: ServerProcess,
  work: () => Promise<void>,
): Promise<MemoryUse | undefined> {
  let most = server.memory();
  const timer = setInterval(() => {
    const use = server.memory();
    if (most === undefined || use === undefined) return;
    most = {
      rssBytes: Math.max(most.rssBytes, use.rssBytes),
      anonymousBytes: Math.max(most.anonymousBytes, use.anonymousBytes),
      proportionalBytes: Math.max(most.proportionalBytes, use.proportionalBytes),
    };
  }, SAMPLE_INTERVAL_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return most;
}

function measurementsOf(state: string, use: MemoryUse | undefined): Measurement[] {
  if (use === undefined) return [];
  const parameters = { state };
  return [
    { measure: 'RSS', value: use.rssBytes / MIB, unit: 'MiB', parameters },
    { measure: 'RssAnon', value: use.anonymousBytes / MIB, unit: 'MiB', parameters },
    { measure: 'PSS', value: use.proportionalBytes / MIB, unit: 'MiB', parameters },
  ];
}
