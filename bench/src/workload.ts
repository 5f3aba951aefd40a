import type { ChildProcesses } from './processes/child-processes.ts';
import type { DemoFolder } from './demo-folder.ts';
import type { WorkFolder } from './work-folder.ts';

/** What a workload counts in, beside the units of time and memory. */
export type Unit =
  | 's'
  | 'ms'
  | 'µs'
  | 'MiB'
  | 'MB/s'
  | 'bytes'
  | '1/s'
  | 'ratio'
  | 'per cent'
  | 'requests';

/** One result. With several samples, `value` is their median. */
export interface Measurement {
  /** What was measured, unique within the workload together with the parameters. */
  readonly measure: string;
  readonly value: number;
  readonly unit: Unit;
  readonly min?: number;
  readonly max?: number;
  readonly samples?: number;
  readonly parameters?: Readonly<Record<string, number | string>>;
}

/** What a workload is given. */
export interface BenchContext {
  /** Small sizes, to see that everything works; the figures mean little. */
  readonly quick: boolean;
  /** Events of the sealed year; undefined: as many as are soon made. */
  readonly archiveEvents: number | undefined;
  readonly children: ChildProcesses;
  /** Where data folders are made; what is in it is removed at the end. */
  readonly work: WorkFolder;
  /** A year of demo data, made when first asked for. */
  readonly demo: DemoFolder;
  /** Where the server's threads leave CPU profiles; undefined: nowhere. */
  readonly profileDir: string | undefined;
  /** Tells the person at the terminal what is going on. */
  readonly note: (text: string) => void;
}

/** A named workload. It measures and returns; printing and keeping results is the caller's. */
export interface Workload {
  readonly name: string;
  readonly summary: string;
  readonly run: (context: BenchContext) => Promise<readonly Measurement[]>;
}

/**
 * Puts a workload together. `setUp` makes what is measured and hands what must be ended to the
 * stack, which ends it whatever happens; `measure` does nothing but measure.
 */
export function defineWorkload<Stage>(parts: {
  readonly name: string;
  readonly summary: string;
  readonly setUp: (context: BenchContext, stack: AsyncDisposableStack) => Promise<Stage> | Stage;
  readonly measure: (
    stage: Stage,
    context: BenchContext,
  ) => Promise<readonly Measurement[]> | readonly Measurement[];
}): Workload {
  const { name, summary, setUp, measure } = parts;
  return {
    name,
    summary,
    run: async (context) => {
      await using stack = new AsyncDisposableStack();
      const stage = await setUp(context, stack);
      return await measure(stage, context);
    },
  };
}
