import { createItems, itemCount, lastItem, untilSameItems } from '../processes/item-table.ts';
import { runProgram } from '../processes/program.ts';
import type { SmallFilesPlan } from '../processes/small-files-program.ts';
import { TandemNode } from '../processes/tandem-node.ts';
import {
  DATABASE,
  pathOf,
  planPair,
  startNode,
  type TandemPair,
} from '../processes/tandem-pair.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext } from '../workload.ts';

/** How fast a replica applies a log that has one file for each small transaction. */
export const replicationApply = defineWorkload({
  name: 'replication-apply',
  summary:
    'small transactions that a replica applies while it catches up, one file of the log each',
  setUp: async (context) => {
    const pair = await planPair(context);
    createItems(pathOf(pair.primary));
    await using nodes = new AsyncDisposableStack();
    await startNode(context, nodes, pair.primary);
    await startNode(context, nodes, pair.replica);
    return pair;
  },
  measure: async (pair, context) => {
    const rounds = context.quick ? 2 : 4;
    const commits = context.quick ? 2000 : 15_000;
    const rates: number[] = [];
    const cpuUs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const plan: SmallFilesPlan = { node: pair.primary, database: DATABASE, commits };
      await runProgram(context, 'small-files-program', plan);
      const { rate, cpuMs } = await catchUp(context, pair);
      rates.push(rate);
      cpuUs.push((cpuMs * 1000) / commits);
      context.note(`${Math.round(rate)} transactions/s`);
    }
    const parameters = { transactions: commits };
    return [
      measurementOf({ measure: 'transactions applied', unit: '1/s', parameters }, rates),
      measurementOf({ measure: 'CPU of the replica, each', unit: 'µs', parameters }, cpuUs),
    ];
  },
});

/** From the first transaction that is seen to arrive until the last one has. */
async function catchUp(
  context: BenchContext,
  { primary, replica }: TandemPair,
): Promise<{ readonly rate: number; readonly cpuMs: number }> {
  await using nodes = new AsyncDisposableStack();
  await startNode(context, nodes, primary);
  const before = lastItem(pathOf(replica));
  const node = nodes.use(TandemNode.start(context, replica));
  let first = before;
  while (first === before) first = lastItem(pathOf(replica));
  const [startMs, startCpuMs] = [performance.now(), node.cpuTimes()?.processMs ?? Number.NaN];
  await untilSameItems(pathOf(primary), pathOf(replica));
  const seconds = (performance.now() - startMs) / 1000;
  const cpuMs = (node.cpuTimes()?.processMs ?? Number.NaN) - startCpuMs;
  const last = lastItem(pathOf(primary));
  if (itemCount(pathOf(replica)) !== last) throw new Error('Rows are missing on the replica.');
  const share = (last - first) / (last - before);
  return { rate: (last - first) / seconds, cpuMs: cpuMs / share };
}
