import type { Measurement } from '../workload.ts';
import type { Machine } from './machine.ts';

/** What the results of one workload have in common. */
export interface ResultOrigin {
  /** When the workload began, ISO 8601. */
  readonly time: string;
  readonly workload: string;
  readonly quick: boolean;
  readonly profiled: boolean;
  /** Mean number of runnable processes over the last minute, before and after. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly machine: Machine;
}

/** One JSON object per result, each on a line and complete in itself. */
export function resultLines(origin: ResultOrigin, measurements: readonly Measurement[]): string {
  return measurements
    .map((measurement) => {
      const { measure, value, unit, min, max, samples, parameters } = measurement;
      return JSON.stringify({
        time: origin.time,
        workload: origin.workload,
        measure,
        value,
        unit,
        min,
        max,
        samples,
        parameters: parameters ?? {},
        quick: origin.quick,
        profiled: origin.profiled,
        load_before: origin.loadBefore,
        load_after: origin.loadAfter,
        machine: origin.machine,
      });
    })
    .map((line) => `${line}\n`)
    .join('');
}
