import { createItems, lastItem, untilSameItems } from '../processes/item-table.ts';
import { runProgram } from '../processes/program.ts';
import type { StampPlan } from '../processes/stamp-program.ts';
import type { StampDelays, StampReaderPlan } from '../processes/stamp-reader-program.ts';
import { pathOf, planPair, startNode } from '../processes/tandem-pair.ts';
import { measurementOf, percentileOf } from '../spread.ts';
import { defineWorkload, type Measurement } from '../workload.ts';

const COMMITS_PER_SECOND = 500;
/** Rows at the beginning that only warm up. */
const WARM_UP = 500;

/** How old a row is when a program that reads the replica first sees it. */
export const replicationDelay = defineWorkload({
  name: 'replication-delay',
  summary: `from before a commit until a reader of the replica sees it, ${COMMITS_PER_SECOND}/s`,
  setUp: async (context, stack) => {
    const pair = await planPair(context);
    const [primaryPath, replicaPath] = [pathOf(pair.primary), pathOf(pair.replica)];
    createItems(primaryPath);
    await startNode(context, stack, pair.primary);
    await startNode(context, stack, pair.replica);
    await untilSameItems(primaryPath, replicaPath);
    return { primaryPath, replicaPath };
  },
  measure: async ({ primaryPath, replicaPath }, context): Promise<Measurement[]> => {
    const { quick } = context;
    const rounds = quick ? 2 : 5;
    const commits = WARM_UP + (quick ? 500 : 4000);
    const p50: number[] = [];
    const p99: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const timeoutMs = 60_000 + (commits * 1000) / COMMITS_PER_SECOND;
      const readerPlan = { path: replicaPath, after: lastItem(replicaPath), commits, timeoutMs };
      const writerPlan = { path: primaryPath, perSecond: COMMITS_PER_SECOND, commits };
      const [{ delaysMs }] = await Promise.all([
        runProgram<StampDelays>(
          context,
          'stamp-reader-program',
          readerPlan satisfies StampReaderPlan,
        ),
        runProgram(context, 'stamp-program', writerPlan satisfies StampPlan),
      ]);
      if (delaysMs.length !== commits) throw new Error('Rows are missing on the replica.');
      const counted = delaysMs.slice(WARM_UP);
      p50.push(percentileOf(counted, 0.5));
      p99.push(percentileOf(counted, 0.99));
      context.note(`p50 ${p50.at(-1)?.toFixed(1)} ms, p99 ${p99.at(-1)?.toFixed(1)} ms`);
    }
    const parameters = { commits_per_second: COMMITS_PER_SECOND };
    return [
      measurementOf({ measure: 'delay, p50', unit: 'ms', parameters }, p50),
      measurementOf({ measure: 'delay, p99', unit: 'ms', parameters }, p99),
    ];
  },
});
