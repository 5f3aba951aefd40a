/** An application that knows nothing of replication: it commits small rows, one after the other. */
import { INSERT_ITEM, ITEM_TEXT, openItems } from './item-table.ts';
import { readPlan } from './program.ts';

export interface CommitPlan {
  readonly path: string;
  readonly synchronous: 'NORMAL' | 'FULL';
  readonly durationMs: number;
}

export interface CommitRate {
  readonly commits: number;
  readonly durationMs: number;
  /** Processor time that the process took meanwhile. */
  readonly cpuMs: number;
}

const WARM_UP_MS = 300;
/** Commits between two looks at the clock. */
const STEP = 8;

const { path, synchronous, durationMs } = readPlan() as CommitPlan;
using database = openItems(path, synchronous);
const insert = database.prepare(INSERT_ITEM);
commitFor(WARM_UP_MS);
process.stdout.write(JSON.stringify(commitFor(durationMs)));

function commitFor(wantedMs: number): CommitRate {
  const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
  let commits = 0;
  while (performance.now() - startMs < wantedMs) {
    for (let step = 0; step < STEP; step += 1) insert.run(commits, ITEM_TEXT);
    commits += STEP;
  }
  const { user, system } = process.cpuUsage(startCpu);
  return { commits, durationMs: performance.now() - startMs, cpuMs: (user + system) / 1000 };
}
