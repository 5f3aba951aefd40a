/**
 * An application that writes for many clients at once: each client's row is a transaction of its
 * own, and the client is answered when its row is where it is wanted. With a node it embeds the
 * library and waits for replicas; without, it is the same program on plain SQLite.
 */
import { setImmediate } from 'node:timers/promises';
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

const plan = readPlan<GroupCommitPlan>();
await using embedded = plan.node === null ? null : await embedNode(plan.node, { mode: 'one' });
const database = openItems(plan.path, plan.synchronous);
const insert = database.prepare(INSERT_ITEM);
/** The confirmation that has begun, and the one that is next; who has just written joins the next. */
let next: Promise<unknown> | undefined;
let current: Promise<unknown> = Promise.resolve();
let isOver = false;
let commits = 0;

const clients = Promise.all(Array.from({ length: plan.clients }, serveClient));
await pauseFor(WARM_UP_MS);
const [before, startMs] = [commits, performance.now()];
await pauseFor(plan.durationMs);
const rate: CommitRate = { commits: commits - before, durationMs: performance.now() - startMs };
isOver = true;
await clients;
database.close();
process.stdout.write(JSON.stringify(rate));

async function serveClient(): Promise<void> {
  while (!isOver) {
    insert.run(commits, ITEM_TEXT);
    await confirmed();
    commits += 1;
  }
}

/** All who wrote before a confirmation begins share it. */
function confirmed(): Promise<unknown> {
  next ??= current.then(async () => {
    await setImmediate();
    current = next ?? current;
    next = undefined;
    await embedded?.node.confirm();
  });
  return next;
}

async function pauseFor(durationMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, durationMs);
  await promise;
}
