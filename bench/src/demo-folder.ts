import { once } from 'node:events';
import { Journal } from '@loggia/journal';
import type { ChildProcesses } from './processes/child-processes.ts';
import { LOGGIA_PROGRAM } from './processes/loggia-program.ts';
import { BENCH_DOMAIN } from './load/sample-events.ts';
import type { WorkFolder } from './work-folder.ts';

/** The last day of the demo data. It is fixed, so that every run counts the same. */
export const DEMO_LAST_DATE = '2025-12-31';
export const DEMO_FIRST_DATE = '2025-01-01';
const DAYS = 365;

/** A data folder with a year of one site, and a key that may read it. */
export interface Demo {
  readonly dataDir: string;
  readonly key: string;
  readonly events: number;
}

/** Makes the demo data when it is first asked for; workloads that only read share it. */
export class DemoFolder {
  readonly #parts: {
    readonly children: ChildProcesses;
    readonly work: WorkFolder;
    readonly events: number;
  };
  #made: Promise<Demo> | undefined;

  constructor(parts: {
    readonly children: ChildProcesses;
    readonly work: WorkFolder;
    readonly events: number;
  }) {
    this.#parts = parts;
  }

  get(): Promise<Demo> {
    this.#made ??= this.#make();
    return this.#made;
  }

  async #make(): Promise<Demo> {
    const { children, work, events } = this.#parts;
    const dataDir = work.make('demo');
    const flags = { domain: BENCH_DOMAIN, events, days: DAYS, until: DEMO_LAST_DATE };
    const child = children.startNode([
      LOGGIA_PROGRAM,
      'seed',
      `--data-dir=${dataDir}`,
      ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    ]);
    child.stdout.resume();
    child.stderr.resume();
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`Making the demo data ended with ${String(code)}.`);
    using journal = Journal.open({ folder: dataDir });
    const made = journal.keys.create({ name: 'bench', scopes: ['stats:read'], nowMs: Date.now() });
    return { dataDir, key: made.key, events: journal.tail.head().eventId };
  }
}
