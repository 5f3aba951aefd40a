import { addBenchSite } from '../bench-site.ts';
import { BATCH_ITEMS, batchBody } from '../load/batch-body.ts';
import { mustHaveCounted, sendBatches } from '../load/batches.ts';
import { SampleEvents } from '../load/sample-events.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

/** How batches are sent. */
interface Manner {
  readonly connections: number;
  readonly ids: 'yes' | 'no';
}

const MANNERS: readonly Manner[] = [
  { connections: 1, ids: 'no' },
  { connections: 1, ids: 'yes' },
  { connections: 2, ids: 'no' },
];

/** Importing: full batches, one after the other, until a report shows the last event. */
export const ingestBatch = defineWorkload({
  name: 'ingest-batch',
  summary: 'events in batches of 10,000, until a report has them',
  setUp: (context) => ({ batchCount: context.quick ? 3 : 20, context }),
  measure: async ({ batchCount, context }) => {
    const measurements: Measurement[] = [];
    for (const manner of MANNERS) {
      measurements.push(...(await measureManner(manner, batchCount, context)));
    }
    return measurements;
  },
});

async function measureManner(
  manner: Manner,
  batchCount: number,
  context: BenchContext,
): Promise<Measurement[]> {
  const dataDir = context.work.make('ingest-batch');
  const { key } = addBenchSite(dataDir);
  await using server = await ServerProcess.start(context, dataDir);
  await server.untilReady();
  const events = new SampleEvents(4);
  const bodies = Array.from({ length: batchCount }, (_, index) =>
    batchBody(events, index, manner.ids === 'yes'),
  );
  const cpuBefore = server.cpuTimes();
  const startMs = performance.now();
  await sendBatches(server, { key, bodies, connections: manner.connections });
  const answeredMs = performance.now() - startMs;
  const eventCount = batchCount * BATCH_ITEMS;
  await mustHaveCounted(server, key, eventCount);
  const queryableMs = performance.now() - startMs;
  const cpuAfter = server.cpuTimes();
  const parameters = { ...manner, events: eventCount };
  const measurements: Measurement[] = [
    rate('events answered', eventCount, answeredMs),
    rate('events queryable', eventCount, queryableMs),
  ];
  if (cpuBefore !== undefined && cpuAfter !== undefined) {
    const cpuMs = cpuAfter.processMs - cpuBefore.processMs;
    const value = (cpuMs * 1000) / eventCount;
    measurements.push({ measure: 'CPU per event, whole process', value, unit: 'µs' });
  }
  return measurements.map((measurement) => ({ ...measurement, parameters }));
}

function rate(measure: string, eventCount: number, durationMs: number): Measurement {
  return { measure, value: (eventCount * 1000) / durationMs, unit: '1/s' };
}
