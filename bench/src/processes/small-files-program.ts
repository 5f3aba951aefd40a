/**
 * An application that embeds a node and captures after every commit, so that its log has one file
 * for each transaction. It opens the folders of a primary that is not running.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { embedNode } from './embedded-node.ts';
import { INSERT_ITEM, ITEM_TEXT, openItems } from './item-table.ts';
import { readPlan } from './program.ts';
import type { TandemNodePlan } from './tandem-node.ts';

export interface SmallFilesPlan {
  readonly node: TandemNodePlan;
  readonly database: string;
  readonly commits: number;
  readonly textBytes?: number;
}

/** Commits between two moments at which others of the process have their turn. */
const STEP = 100;

const { node: plan, database: name, commits } = readPlan() as SmallFilesPlan;
await using embedded = await embedNode(plan, { mode: 'none', sync: 'none' });
const database = openItems(join(plan.folder, 'databases', name));
const insert = database.prepare(INSERT_ITEM);
for (let index = 0; index < commits; index += 1) {
  insert.run(index, ITEM_TEXT + randomUUID());
  embedded.node.capture();
  if (index % STEP === 0) await embedded.breathe();
}
database.close();
process.stdout.write(JSON.stringify({ commits }));
