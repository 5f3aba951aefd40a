import { rmSync, statSync } from 'node:fs';
import { diskCopySpeed } from '../processes/disk-copy.ts';
import type { FillPlan } from '../processes/fill-program.ts';
import { createItems, itemCount, untilSameItems } from '../processes/item-table.ts';
import { runProgram } from '../processes/program.ts';
import { TandemNode } from '../processes/tandem-node.ts';
import { pathOf, planPair, startNode, type TandemPair } from '../processes/tandem-pair.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

interface Stage {
  readonly pair: TandemPair;
  readonly bytes: number;
  readonly rounds: number;
}

interface Sample {
  readonly copyRate: number;
  readonly rate: number;
  /** Processor time of each node, of all its threads, in milliseconds for each MB. */
  readonly primaryCpu: number;
  readonly replicaCpu: number;
}

const TRANSACTION_BYTES = 1 << 20;
/** Asking costs the replica processor time, which is measured. */
const LOOK_MS = 25;
/** The log must reach back to where the replica stopped. */
const KEYS = { 'log-retention': { size: '100GiB' } };

/** How long a node takes to hold what its primary holds, against a copy of the file. */
export const replicationCatchUp = defineWorkload({
  name: 'replication-catch-up',
  summary: 'bytes of the database that a new or a late replica takes over, against cp and sync',
  setUp: async (context): Promise<Stage> => {
    const pair = await planPair(context, KEYS);
    createItems(pathOf(pair.primary));
    const bytes = context.quick ? 64 << 20 : 1 << 30;
    await fill(context, pair, bytes);
    return { pair, bytes, rounds: context.quick ? 1 : 3 };
  },
  measure: async (stage, context) => [
    ...measurementsOf('new', await measureNew(stage, context)),
    ...measurementsOf('behind by the log', await measureLate(stage, context)),
  ],
});

function measurementsOf(replica: string, samples: readonly Sample[]): Measurement[] {
  const parameters = { replica };
  const of = (measure: string, unit: 'ratio' | 'MB/s' | 'ms', read: (sample: Sample) => number) =>
    measurementOf({ measure, unit, parameters }, samples.map(read));
  return [
    of('catching up to cp and sync', 'ratio', ({ rate, copyRate }) => rate / copyRate),
    of('catching up', 'MB/s', ({ rate }) => rate),
    of('cp and sync', 'MB/s', ({ copyRate }) => copyRate),
    of('CPU of the primary, each MB', 'ms', ({ primaryCpu }) => primaryCpu),
    of('CPU of the replica, each MB', 'ms', ({ replicaCpu }) => replicaCpu),
  ];
}

/** The replica has nothing; it is timed from when it answers until it says that it is ready. */
async function measureNew({ pair, rounds }: Stage, context: BenchContext): Promise<Sample[]> {
  const { primary, replica } = pair;
  await using nodes = new AsyncDisposableStack();
  const source = await startNode(context, nodes, primary);
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round += 1) {
    rmSync(replica.folder, { recursive: true });
    const copyRate = copySpeedOf(pair);
    await using node = TandemNode.start(context, replica);
    const caughtUp = await catchUp(source, node);
    const megabytes = statSync(pathOf(primary)).size / 1e6;
    check(pair);
    samples.push(noted(context, sampleOf(copyRate, megabytes, caughtUp)));
  }
  return samples;
}

/** The replica has missed half of the bytes, each in a transaction of its own, and gets the log. */
async function measureLate(
  { pair, rounds, bytes }: Stage,
  context: BenchContext,
): Promise<Sample[]> {
  const { primary, replica } = pair;
  await using nodes = new AsyncDisposableStack();
  const source = await startNode(context, nodes, primary);
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round += 1) {
    {
      await using before = TandemNode.start(context, replica);
      await before.untilReady();
      await untilSameItems(pathOf(primary), pathOf(replica));
    }
    const sizeBefore = statSync(pathOf(primary)).size;
    await fill(context, pair, bytes / 2);
    const copyRate = copySpeedOf(pair);
    await using node = TandemNode.start(context, replica);
    const caughtUp = await catchUp(source, node);
    await untilSameItems(pathOf(primary), pathOf(replica));
    const megabytes = (statSync(pathOf(primary)).size - sizeBefore) / 1e6;
    check(pair);
    samples.push(noted(context, sampleOf(copyRate, megabytes, caughtUp)));
  }
  return samples;
}

interface CaughtUp {
  readonly seconds: number;
  readonly primaryCpuMs: number;
  readonly replicaCpuMs: number;
}

/** From when the replica answers; `replication-open` says how long that takes. */
async function catchUp(primary: TandemNode, replica: TandemNode): Promise<CaughtUp> {
  const aliveMs = await replica.untilAlive();
  const [primaryMs, replicaMs] = [cpuMsOf(primary), cpuMsOf(replica)];
  const readyMs = await replica.untilReady(LOOK_MS);
  return {
    seconds: (readyMs - aliveMs) / 1000,
    primaryCpuMs: cpuMsOf(primary) - primaryMs,
    replicaCpuMs: cpuMsOf(replica) - replicaMs,
  };
}

function cpuMsOf(node: TandemNode): number {
  return node.cpuTimes()?.processMs ?? Number.NaN;
}

function sampleOf(copyRate: number, megabytes: number, caughtUp: CaughtUp): Sample {
  const { seconds, primaryCpuMs, replicaCpuMs } = caughtUp;
  return {
    copyRate,
    rate: megabytes / seconds,
    primaryCpu: primaryCpuMs / megabytes,
    replicaCpu: replicaCpuMs / megabytes,
  };
}

async function fill(context: BenchContext, pair: TandemPair, bytes: number): Promise<void> {
  const plan: FillPlan = {
    path: pathOf(pair.primary),
    bytes,
    transactionBytes: TRANSACTION_BYTES,
  };
  await runProgram(context, 'fill-program', plan);
}

function copySpeedOf({ primary }: TandemPair): number {
  return diskCopySpeed(pathOf(primary), `${primary.folder}/copy`);
}

function check({ primary, replica }: TandemPair): void {
  const [wanted, found] = [itemCount(pathOf(primary)), itemCount(pathOf(replica))];
  if (wanted !== found) throw new Error(`The replica has ${found} rows of ${wanted}.`);
}

function noted(context: BenchContext, sample: Sample): Sample {
  const { rate, copyRate } = sample;
  context.note(`${Math.round(rate)} MB/s, cp and sync ${Math.round(copyRate)} MB/s`);
  return sample;
}
