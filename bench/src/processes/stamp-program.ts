/** An application that commits rows at a steady pace, each with the time at which it began. */
import { openItems, INSERT_ITEM, ITEM_TEXT } from './item-table.ts';
import { monotonicUs } from './monotonic-time.ts';
import { readPlan } from './program.ts';

export interface StampPlan {
  readonly path: string;
  readonly perSecond: number;
  readonly commits: number;
}

const { path, perSecond, commits } = readPlan() as StampPlan;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
using database = openItems(path);
const insert = database.prepare(INSERT_ITEM);
const startMs = performance.now();
for (let index = 0; index < commits; index += 1) {
  const dueMs = startMs + (index * 1000) / perSecond;
  const waitMs = dueMs - performance.now();
  if (waitMs > 0) Atomics.wait(sleeper, 0, 0, waitMs);
  insert.run(monotonicUs(), ITEM_TEXT);
}
process.stdout.write(JSON.stringify({ durationMs: performance.now() - startMs }));
