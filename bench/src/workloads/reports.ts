import { ServerProcess } from '../processes/server-process.ts';
import {
  REPORT_QUERIES,
  REPORT_RANGES,
  reportBody,
  type ReportQuery,
  type ReportRange,
} from '../report-queries.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type Measurement } from '../workload.ts';

interface Stage {
  readonly server: ServerProcess;
  readonly key: string;
  readonly events: number;
  readonly rounds: number;
}

/** Reports of one site with a year of data, over HTTP. */
export const reports = defineWorkload<Stage>({
  name: 'reports',
  summary: 'typical reports over a million events',
  setUp: async (context, stack) => {
    context.note('making demo data');
    const { dataDir, key, events } = await context.demo.get();
    const server = stack.use(await ServerProcess.start(context, dataDir));
    await server.untilReady();
    return { server, key, events, rounds: context.quick ? 3 : 11 };
  },
  measure: async (stage, { note }) => {
    const measurements: Measurement[] = [];
    for (const range of REPORT_RANGES) {
      for (const query of REPORT_QUERIES) {
        measurements.push(await measureQuery(stage, query, range));
      }
      measurements.push(await measureTogether(stage, range));
      note(`${range.name} done`);
    }
    return measurements;
  },
});

async function measureQuery(
  { server, key, events, rounds }: Stage,
  query: ReportQuery,
  range: ReportRange,
): Promise<Measurement> {
  const body = JSON.stringify(reportBody(query, range));
  const ask = () => server.post('/api/v2/query', key, body);
  const samples = await timesOf(rounds, ask);
  const parameters = { range: range.name, events };
  return measurementOf({ measure: query.name, unit: 'ms', parameters }, samples);
}

/** All reports asked at once, until the last answer: what opening a dashboard costs. */
async function measureTogether(
  { server, key, events, rounds }: Stage,
  range: ReportRange,
): Promise<Measurement> {
  const bodies = REPORT_QUERIES.map((query) => JSON.stringify(reportBody(query, range)));
  const samples = await timesOf(rounds, () =>
    Promise.all(bodies.map((body) => server.post('/api/v2/query', key, body))),
  );
  const measure = `all ${bodies.length} together`;
  const parameters = { range: range.name, events };
  return measurementOf({ measure, unit: 'ms', parameters }, samples);
}

/** How long `ask` takes, `rounds` times after one that does not count. */
async function timesOf(rounds: number, ask: () => Promise<unknown>): Promise<number[]> {
  const timesMs: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const startMs = performance.now();
    await ask();
    if (round > 0) timesMs.push(performance.now() - startMs);
  }
  return timesMs;
}
