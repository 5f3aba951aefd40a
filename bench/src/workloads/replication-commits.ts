import type { CommitPlan, CommitRate } from '../processes/commit-program.ts';
import { createItems, untilSameItems } from '../processes/item-table.ts';
import { runProgram } from '../processes/program.ts';
import { pathOf, planPair, startNode } from '../processes/tandem-pair.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement, type Unit } from '../workload.ts';

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
  const runOn = async (path: string): Promise<CommitRate> => {
    const plan: CommitPlan = { path, synchronous, durationMs };
    return await runProgram<CommitRate>(context, 'commit-program', plan);
  };
  const plain: CommitRate[] = [];
  const replicated: CommitRate[] = [];
  const behindMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) plain.push(await runOn(plainPath));
    replicated.push(await runOn(primaryPath));
    behindMs.push(await untilSameItems(primaryPath, replicaPath));
    if (round % 2 === 1) plain.push(await runOn(plainPath));
    const [before = 0, after = 0] = [plain, replicated].map((each) => each.map(perSecond).at(-1));
    context.note(`${synchronous}: ${Math.round(after)} of ${Math.round(before)} commits/s`);
  }
  const of = (measure: string, unit: Unit, samples: readonly number[]): Measurement =>
    measurementOf({ measure, unit, parameters: { synchronous, acknowledge: 'none' } }, samples);
  return [
    of('commits to plain SQLite', 'ratio', ratiosOf(replicated, plain, perSecond)),
    of('CPU of a commit to plain SQLite', 'ratio', ratiosOf(replicated, plain, cpuUs)),
    of('commits, plain SQLite', '1/s', plain.map(perSecond)),
    of('commits, one replica', '1/s', replicated.map(perSecond)),
    of('replica behind at the end', 'ms', behindMs),
  ];
}

function perSecond({ commits, durationMs }: CommitRate): number {
  return (commits * 1000) / durationMs;
}

function cpuUs({ commits, cpuMs }: CommitRate): number {
  return (cpuMs * 1000) / commits;
}

function ratiosOf(
  some: readonly CommitRate[],
  others: readonly CommitRate[],
  read: (rate: CommitRate) => number,
): number[] {
  return some.map((rate, round) => {
    const other = others[round];
    return read(rate) / (other === undefined ? Number.NaN : read(other));
  });
}
