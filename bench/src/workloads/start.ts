import { ServerProcess } from '../processes/server-process.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

/** One start. */
interface Start {
  readonly listeningMs: number;
  readonly readyMs: number;
  /** Processor time of the whole process until it was ready; NaN where it cannot be told. */
  readonly cpuMs: number;
}

/** How long nobody is served. */
export const start = defineWorkload({
  name: 'start',
  summary: 'from starting the process until it listens and is ready',
  setUp: async (context) => ({
    context,
    rounds: context.quick ? 2 : 5,
    demo: await context.demo.get(),
  }),
  measure: async ({ context, rounds, demo }) => {
    const first: Start[] = [];
    const second: Start[] = [];
    const full: Start[] = [];
    await startOnce(context, demo.dataDir);
    for (let round = 0; round < rounds; round += 1) {
      const dataDir = context.work.nameOf('start');
      first.push(await startOnce(context, dataDir));
      second.push(await startOnce(context, dataDir));
      full.push(await startOnce(context, demo.dataDir));
      context.note(`round ${round + 1} of ${rounds}`);
    }
    return [
      ...measurementsOf('first, empty folder', first),
      ...measurementsOf('second, empty journal', second),
      ...measurementsOf(`${demo.events} events`, full),
    ];
  },
});

async function startOnce(context: BenchContext, dataDir: string): Promise<Start> {
  await using server = await ServerProcess.start(context, dataDir);
  const readyMs = await server.untilReady();
  const cpuMs = server.cpuTimes()?.processMs ?? Number.NaN;
  return { listeningMs: server.listeningMs, readyMs, cpuMs };
}

function measurementsOf(state: string, starts: readonly Start[]): Measurement[] {
  const of = (measure: string, read: (start: Start) => number) =>
    measurementOf({ measure, unit: 'ms', parameters: { start: state } }, starts.map(read));
  return [
    of('until it listens', ({ listeningMs }) => listeningMs),
    of('until it is ready', ({ readyMs }) => readyMs),
    of('CPU until it is ready', ({ cpuMs }) => cpuMs),
  ].filter(({ value }) => Number.isFinite(value));
}
