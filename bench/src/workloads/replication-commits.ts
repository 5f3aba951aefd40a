import type { CommitPlan, CommitRate } from '../processes/commit-program.ts';
import { createItems, untilSameItems } from '../processes/item-table.ts';
import { runProgram } from '../processes/program.ts';
import { pathOf, planPair, startNode } from '../processes/tandem-pair.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

interface Stage {
  readonly plainPath: string;
  readonly primaryPath: string;
  readonly replicaPath: string;
  readonly rounds: number;
  readonly durationMs: number;
}

/** A program's commits with a daemon beside it and one replica, against the same program without. */
export const replicationCommits = defineWorkload({
  name: 'replication-commits',
  summary: 'commits of a program with one replica attached, against plain SQLite',
  setUp: async (context, stack): Promise<Stage> => {
    const { work, quick } = context;
    const pair = await planPair(context);
    const [primaryPath, replicaPath] = [pathOf(pair.primary), pathOf(pair.replica)];
    const plainPath = `${work.make('plain')}/item.db`;
    for (const path of [plainPath, primaryPath]) createItems(path);
    await startNode(context, stack, pair.primary);
    await startNode(context, stack, pair.replica);
    await untilSameItems(primaryPath, replicaPath);
    const size = quick ? { rounds: 2, durationMs: 500 } : { rounds: 8, durationMs: 3000 };
    return { plainPath, primaryPath, replicaPath, ...size };
  },
  measure: async (stage, context) => [
    ...(await measureCommits(stage, context, 'NORMAL')),
    ...(await measureCommits(stage, context, 'FULL')),
  ],
});

/** Both programs in turn, so that a busy moment of the machine meets both. */
async function measureCommits(
  stage: Stage,
  context: BenchContext,
  synchronous: CommitPlan['synchronous'],
): Promise<Measurement[]> {
  const { plainPath, primaryPath, replicaPath, rounds, durationMs } = stage;
  const rateOn = async (path: string): Promise<number> => {
    const plan: CommitPlan = { path, synchronous, durationMs };
    const rate = await runProgram<CommitRate>(context, 'commit-program', plan);
    return (rate.commits * 1000) / rate.durationMs;
  };
  const plain: number[] = [];
  const replicated: number[] = [];
  const behindMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) plain.push(await rateOn(plainPath));
    replicated.push(await rateOn(primaryPath));
    behindMs.push(await untilSameItems(primaryPath, replicaPath));
    if (round % 2 === 1) plain.push(await rateOn(plainPath));
    const [before = 0, after = 0] = [plain.at(-1), replicated.at(-1)];
    context.note(`${synchronous}: ${Math.round(after)} of ${Math.round(before)} commits/s`);
  }
  const ratios = replicated.map((rate, round) => rate / (plain[round] ?? Number.NaN));
  const parameters = { synchronous, acknowledge: 'none' };
  return [
    measurementOf({ measure: 'commits to plain SQLite', unit: 'ratio', parameters }, ratios),
    measurementOf({ measure: 'commits, plain SQLite', unit: '1/s', parameters }, plain),
    measurementOf({ measure: 'commits, one replica', unit: '1/s', parameters }, replicated),
    measurementOf({ measure: 'replica behind at the end', unit: 'ms', parameters }, behindMs),
  ];
}
