import { addBenchSite } from '../bench-site.ts';
import { mustHaveCounted } from '../load/batches.ts';
import { runLoad, type LoadResult } from '../load/closed-loop.ts';
import { eventRequest } from '../load/event-request.ts';
import { SampleEvents } from '../load/sample-events.ts';
import { BareServerProcess } from '../processes/bare-server-process.ts';
import { readCpuTimes } from '../processes/process-usage.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { measurementOf, percentileOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

const CONNECTION_COUNTS = [64, 256];

/** One round against one server. */
interface Round {
  readonly load: LoadResult;
  readonly perSecond: number;
  /** Of the server; NaN where it cannot be told. */
  readonly mainThreadUs: number;
  readonly writerUs: number;
  readonly processUs: number;
  /** Of one processor, used by the client, per cent. */
  readonly clientPercent: number;
}

interface RoundPair {
  readonly bare: Round;
  readonly loggia: Round;
}

interface Stage {
  readonly bare: BareServerProcess;
  readonly loggia: ServerProcess;
  readonly key: string;
  readonly requests: readonly Buffer[];
}

/** Single events, each answered after its commit, beside a server that only answers. */
export const ingestSingle = defineWorkload<Stage>({
  name: 'ingest-single',
  summary: 'single events over keep-alive HTTP, against a bare node:http server',
  setUp: async (context, stack) => {
    const dataDir = context.work.make('ingest-single');
    const { key } = addBenchSite(dataDir);
    const bare = stack.use(await BareServerProcess.start(context.children));
    const loggia = stack.use(await ServerProcess.start(context, dataDir));
    await loggia.untilReady();
    const events = new SampleEvents(3);
    const requests = Array.from({ length: 20_000 }, () => eventRequest(events.next()));
    return { bare, loggia, key, requests };
  },
  measure: async (stage, context) => {
    const measurements: Measurement[] = [];
    let accepted = await warmUp(stage, context);
    for (const connections of CONNECTION_COUNTS) {
      const pairs = await alternate(stage, connections, context);
      for (const { loggia } of pairs) accepted += loggia.load.accepted;
      measurements.push(...measurementsOf(pairs, connections));
    }
    await mustHaveCounted(stage.loggia, stage.key, accepted);
    return measurements;
  },
});

/** Lets both servers' code be compiled as far as it ever is; how many events were accepted. */
async function warmUp({ bare, loggia, requests }: Stage, { quick }: BenchContext): Promise<number> {
  const plan = { connections: 64, durationMs: quick ? 2000 : 10_000, requests };
  await runRound(bare, plan);
  const { load } = await runRound(loggia, plan);
  return load.accepted;
}

/** Rounds against the one and the other in turn. */
async function alternate(
  stage: Stage,
  connections: number,
  { quick, note }: BenchContext,
): Promise<readonly RoundPair[]> {
  const rounds = quick ? 3 : 7;
  const durationMs = quick ? 1000 : 4000;
  const pairs: RoundPair[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const plan = { connections, durationMs, requests: stage.requests };
    const bare = await runRound(stage.bare, plan);
    const loggia = await runRound(stage.loggia, plan);
    pairs.push({ bare, loggia });
    note(
      `${connections} connections, round ${round} of ${rounds}: ` +
        `${Math.round(bare.perSecond)} bare, ${Math.round(loggia.perSecond)} Loggia`,
    );
  }
  return pairs;
}

async function runRound(
  server: { readonly pid: number; readonly port: number },
  plan: {
    readonly connections: number;
    readonly durationMs: number;
    readonly requests: readonly Buffer[];
  },
): Promise<Round> {
  const before = readCpuTimes(server.pid);
  const clientBefore = process.cpuUsage();
  const load = await runLoad({ port: server.port, ...plan });
  const client = process.cpuUsage(clientBefore);
  const after = readCpuTimes(server.pid);
  if (load.refused > 0) throw new Error(`${load.refused} events were not accepted.`);
  const usPerEvent = (beforeMs = Number.NaN, afterMs = Number.NaN): number =>
    ((afterMs - beforeMs) * 1000) / load.accepted;
  return {
    load,
    perSecond: (load.answered * 1000) / load.durationMs,
    mainThreadUs: usPerEvent(before?.mainThreadMs, after?.mainThreadMs),
    writerUs: usPerEvent(before?.writerMs, after?.writerMs),
    processUs: usPerEvent(before?.processMs, after?.processMs),
    clientPercent: (client.user + client.system) / 10 / load.durationMs,
  };
}

function measurementsOf(pairs: readonly RoundPair[], connections: number): Measurement[] {
  const parameters = { connections };
  const of = (measure: string, unit: Measurement['unit'], read: (pair: RoundPair) => number) =>
    measurementOf({ measure, unit, parameters }, pairs.map(read));
  const all = [
    of('rate against bare', 'ratio', ({ bare, loggia }) => loggia.perSecond / bare.perSecond),
    of('events, Loggia', '1/s', ({ loggia }) => loggia.perSecond),
    of('requests, bare', '1/s', ({ bare }) => bare.perSecond),
    of('latency p50, Loggia', 'ms', ({ loggia }) => latency(loggia, 0.5)),
    of('latency p99, Loggia', 'ms', ({ loggia }) => latency(loggia, 0.99)),
    of('latency p50, bare', 'ms', ({ bare }) => latency(bare, 0.5)),
    of('latency p99, bare', 'ms', ({ bare }) => latency(bare, 0.99)),
    of(
      'CPU of bare against main thread',
      'ratio',
      ({ bare, loggia }) => bare.mainThreadUs / loggia.mainThreadUs,
    ),
    of('CPU per event, main thread', 'µs', ({ loggia }) => loggia.mainThreadUs),
    of('CPU per event, writer', 'µs', ({ loggia }) => loggia.writerUs),
    of('CPU per event, whole process', 'µs', ({ loggia }) => loggia.processUs),
    of('CPU per request, bare', 'µs', ({ bare }) => bare.processUs),
    of('client, of one processor', 'per cent', ({ loggia }) => loggia.clientPercent),
  ];
  return all.filter(({ value }) => Number.isFinite(value));
}

function latency({ load }: Round, share: number): number {
  return percentileOf(load.latenciesMs, share);
}
