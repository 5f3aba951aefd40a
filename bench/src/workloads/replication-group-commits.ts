import type { CommitPlan, CommitRate } from '../processes/commit-program.ts';
import type { GroupCommitPlan } from '../processes/group-commit-program.ts';
import { createItems, untilSameItems } from '../processes/item-table.ts';
import { runProgram } from '../processes/program.ts';
import type { TandemNodePlan } from '../processes/tandem-node.ts';
import { pathOf, planPair, startNode } from '../processes/tandem-pair.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

interface Stage {
  readonly plainPath: string;
  readonly primary: TandemNodePlan;
  readonly replicaPath: string;
  readonly rounds: number;
  readonly durationMs: number;
}

const CLIENTS = [64, 256];

/** A program with many clients that answers when a replica has their writes. */
export const replicationGroupCommits = defineWorkload({
  name: 'replication-group-commits',
  summary: 'commits confirmed by one replica, of a program with many clients, against plain SQLite',
  setUp: async (context, stack): Promise<Stage> => {
    const { work, quick } = context;
    const pair = await planPair(context);
    const plainPath = `${work.make('plain')}/item.db`;
    for (const path of [plainPath, pathOf(pair.primary)]) createItems(path);
    // The replica waits for a primary, which the program brings.
    {
      await using primary = new AsyncDisposableStack();
      await startNode(context, primary, pair.primary);
      await startNode(context, stack, pair.replica);
    }
    const size = quick ? { rounds: 2, durationMs: 500 } : { rounds: 6, durationMs: 3000 };
    return { plainPath, primary: pair.primary, replicaPath: pathOf(pair.replica), ...size };
  },
  measure: async (stage, context) => {
    const measurements: Measurement[] = [];
    for (const clients of CLIENTS) {
      measurements.push(
        ...(await measureClients(stage, context, { clients, synchronous: 'NORMAL' })),
      );
      measurements.push(
        ...(await measureClients(stage, context, { clients, synchronous: 'FULL' })),
      );
    }
    return measurements;
  },
});

async function measureClients(
  { plainPath, primary, replicaPath, rounds, durationMs }: Stage,
  context: BenchContext,
  variant: { readonly clients: number; readonly synchronous: CommitPlan['synchronous'] },
): Promise<Measurement[]> {
  const rateOn = async (path: string, node: TandemNodePlan | null): Promise<number> => {
    const plan: GroupCommitPlan = { path, node, durationMs, ...variant };
    const rate = await runProgram<CommitRate>(context, 'group-commit-program', plan);
    return (rate.commits * 1000) / rate.durationMs;
  };
  const plain: number[] = [];
  const confirmed: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) plain.push(await rateOn(plainPath, null));
    confirmed.push(await rateOn(pathOf(primary), primary));
    await untilSameItems(pathOf(primary), replicaPath);
    if (round % 2 === 1) plain.push(await rateOn(plainPath, null));
    const [before = 0, after = 0] = [plain.at(-1), confirmed.at(-1)];
    const { clients, synchronous } = variant;
    const name = `${clients} clients, ${synchronous}`;
    context.note(`${name}: ${Math.round(after)} of ${Math.round(before)} commits/s`);
  }
  const ratios = confirmed.map((rate, round) => rate / (plain[round] ?? Number.NaN));
  const { clients, synchronous } = variant;
  const parameters = { clients, synchronous, acknowledge: 'one' };
  return [
    measurementOf({ measure: 'commits to plain SQLite', unit: 'ratio', parameters }, ratios),
    measurementOf({ measure: 'commits, plain SQLite', unit: '1/s', parameters }, plain),
    measurementOf({ measure: 'commits, one replica', unit: '1/s', parameters }, confirmed),
  ];
}
