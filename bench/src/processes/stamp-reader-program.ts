/** A program that reads a replica: it looks for new rows and notes how old they are. */
import { DatabaseSync } from 'node:sqlite';
import { monotonicUs } from './monotonic-time.ts';
import { readPlan } from './program.ts';

export interface StampReaderPlan {
  readonly path: string;
  /** The last row that was there before. */
  readonly after: number;
  readonly commits: number;
  readonly timeoutMs: number;
}

export interface StampDelays {
  /** One for each row, in the order in which they were committed. */
  readonly delaysMs: readonly number[];
}

const LOOK_MS = 0.25;

const { path, after, commits, timeoutMs } = readPlan() as StampReaderPlan;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
using database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
const look = database.prepare('SELECT id, at FROM item WHERE id > ? ORDER BY id');
const delaysMs: number[] = [];
const endMs = performance.now() + timeoutMs;
let last = after;
while (delaysMs.length < commits && performance.now() < endMs) {
  const rows = look.all(last);
  const nowUs = monotonicUs();
  for (const { id, at } of rows) {
    last = Number(id);
    delaysMs.push((nowUs - Number(at)) / 1000);
  }
  if (rows.length === 0) Atomics.wait(sleeper, 0, 0, LOOK_MS);
}
process.stdout.write(JSON.stringify({ delaysMs } satisfies StampDelays));
