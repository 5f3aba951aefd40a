import { once } from 'node:events';
import { ftruncateSync, openSync, closeSync, readSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { CommitPlan } from '../processes/commit-program.ts';
import { createItems } from '../processes/item-table.ts';
import { startProgram } from '../processes/program.ts';
import { TandemNode, type TandemNodePlan } from '../processes/tandem-node.ts';
import { pathOf, planPair } from '../processes/tandem-pair.ts';
import { measurementOf } from '../spread.ts';
import { defineWorkload, type BenchContext, type Measurement } from '../workload.ts';

const PAGE_BYTES = 4096;
const WRITING_MS = 1500;
/** Where the header of a database has its number of pages. */
const PAGE_COUNT_OFFSET = 28;

/** How long a node takes to open a large database, from the start of its process. */
export const replicationOpen = defineWorkload({
  name: 'replication-open',
  summary: 'from starting the daemon until it is ready, with a small and a large database',
  setUp: async (context) => {
    const small = (await planPair(context)).primary;
    const large = (await planPair(context)).primary;
    const bytes = (context.quick ? 1 : 10) * 2 ** 30;
    for (const plan of [small, large]) createItems(pathOf(plan));
    enlarge(pathOf(large), bytes);
    for (const plan of [small, large]) {
      context.note('the first start reads every page');
      await using node = TandemNode.start(context, plan);
      await node.untilReady();
    }
    return { small, large, bytes };
  },
  measure: async ({ small, large, bytes }, context) => {
    const rounds = context.quick ? 2 : 5;
    const gib = bytes / 2 ** 30;
    return [
      ...(await measureStarts(small, context, { rounds, gib: 0 })),
      ...(await measureStarts(large, context, { rounds, gib })),
    ];
  },
});

/**
 * Gives a database free pages at its end, which the file system keeps as holes. For a node they are
 * pages like any other: each has its entry in the table of pages, and a first look reads them all.
 */
function enlarge(path: string, bytes: number): void {
  const descriptor = openSync(path, 'r+');
  try {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(bytes / PAGE_BYTES);
    writeSync(descriptor, count, 0, 4, PAGE_COUNT_OFFSET);
    // The count is believed while the counter of changes is that of the last who wrote it.
    const counter = Buffer.alloc(4);
    readSync(descriptor, counter, 0, 4, 24);
    writeSync(descriptor, counter, 0, 4, 92);
    ftruncateSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

async function measureStarts(
  plan: TandemNodePlan,
  context: BenchContext,
  { rounds, gib }: { readonly rounds: number; readonly gib: number },
): Promise<Measurement[]> {
  const clean: number[] = [];
  const killed: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    {
      await using node = TandemNode.start(context, plan);
      clean.push(await node.untilReady());
      await killWhileWriting(node, plan, context);
    }
    await using node = TandemNode.start(context, plan);
    killed.push(await node.untilReady());
    const [before = 0, after = 0] = [clean.at(-1), killed.at(-1)];
    context.note(`${gib} GiB: ${Math.round(before)} ms, after SIGKILL ${Math.round(after)} ms`);
  }
  const of = (after: string, samples: readonly number[]): Measurement =>
    measurementOf(
      { measure: 'until it is ready', unit: 'ms', parameters: { gib, after } },
      samples,
    );
  return [of('a clean end', clean), of('SIGKILL under writes', killed)];
}

/**
 * The program and the node die in the same moment, as they do with their container. A program that
 * ends in an orderly way without its node copies SQLite's log into the database and deletes it; what it
 * has written is then unknown, and every page has to be read.
 */
async function killWhileWriting(
  node: TandemNode,
  plan: TandemNodePlan,
  context: BenchContext,
): Promise<void> {
  const commits: CommitPlan = { path: pathOf(plan), synchronous: 'NORMAL', durationMs: 60_000 };
  const program = startProgram(context, 'commit-program', commits);
  await pause(WRITING_MS);
  const ended = once(program, 'exit');
  program.kill('SIGKILL');
  await node.kill();
  await ended;
}
