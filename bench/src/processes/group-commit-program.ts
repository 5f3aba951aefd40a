/**
 * An application that writes for many clients at once: each client's row is a transaction of its
 * own, and the client is answered when its row is where it is wanted. With a node it embeds the
 * library and waits for replicas; without, it is the same program on plain SQLite.
 */
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { embedNode } from './embedded-node.ts';
import { INSERT_ITEM, ITEM_TEXT, openItems } from './item-table.ts';
import { readPlan } from './program.ts';
import type { CommitRate } from './commit-program.ts';
import type { TandemNodePlan } from './tandem-node.ts';

export interface GroupCommitPlan {
  readonly path: string;
  readonly synchronous: 'NORMAL' | 'FULL';
  readonly durationMs: number;
  readonly clients: number;
  /** The primary to embed; null: none. */
  readonly node: TandemNodePlan | null;
}

const WARM_UP_MS = 1000;

const plan = readPlan() as GroupCommitPlan;
await using embedded =
  plan.node === null ? null : await embedNode(plan.node, { mode: 'one', sync: 'full' });
const database = openItems(plan.path, plan.synchronous);
const insert = database.prepare(INSERT_ITEM);
const over = new AbortController();
/** The group that gathers at the moment: all who write in one turn of the event loop. */
let group: Promise<void> | undefined;
let commits = 0;

const clients = Promise.all(Array.from({ length: plan.clients }, serveClient));
await pause(WARM_UP_MS);
const [before, startMs, startCpu] = [commits, performance.now(), process.cpuUsage()];
await pause(plan.durationMs);
const { user, system } = process.cpuUsage(startCpu);
const rate: CommitRate = {
  commits: commits - before,
  durationMs: performance.now() - startMs,
  cpuMs: (user + system) / 1000,
};
over.abort();
await clients;
database.close();
process.stdout.write(JSON.stringify(rate));

async function serveClient(): Promise<void> {
  while (!over.signal.aborted) {
    insert.run(commits, ITEM_TEXT);
    group ??= confirmGroup();
    await group;
    commits += 1;
  }
}

/** Groups do not wait for one another: the next writes while the one before is under way. */
async function confirmGroup(): Promise<void> {
  await setImmediate();
  group = undefined;
  await embedded?.node.confirm();
}
