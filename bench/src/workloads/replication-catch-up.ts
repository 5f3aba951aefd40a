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
}

const TRANSACTION_BYTES = 1 << 20;
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
  const of = (measure: string, unit: 'ratio' | 'MB/s', read: (sample: Sample) => number) =>
    measurementOf({ measure, unit, parameters }, samples.map(read));
  return [
    of('catching up to cp and sync', 'ratio', ({ rate, copyRate }) => rate / copyRate),
    of('catching up', 'MB/s', ({ rate }) => rate),
    of('cp and sync', 'MB/s', ({ copyRate }) => copyRate),
  ];
}

/** The replica has nothing; it is timed from when it answers until it says that it is ready. */
async function measureNew({ pair, rounds }: Stage, context: BenchContext): Promise<Sample[]> {
  const { primary, replica } = pair;
  await using nodes = new AsyncDisposableStack();
  await startNode(context, nodes, primary);
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round += 1) {
    rmSync(replica.folder, { recursive: true });
    const copyRate = copySpeedOf(pair);
    await using node = TandemNode.start(context, replica);
    const seconds = await secondsUntilReady(node);
    const rate = statSync(pathOf(primary)).size / 1e6 / seconds;
    check(pair);
    samples.push(noted(context, { rate, copyRate }));
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
  await startNode(context, nodes, primary);
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
    const seconds = await secondsUntilReady(node);
    await untilSameItems(pathOf(primary), pathOf(replica));
    const rate = (statSync(pathOf(primary)).size - sizeBefore) / 1e6 / seconds;
    check(pair);
    samples.push(noted(context, { rate, copyRate }));
  }
  return samples;
}

/** The process has begun by then; `replication-open` says how long that takes. */
async function secondsUntilReady(node: TandemNode): Promise<number> {
  const aliveMs = await node.untilAlive();
  return ((await node.untilReady()) - aliveMs) / 1000;
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
