import { assert } from '@tandem/base';
import type { Measurement } from './workload.ts';

/** The middle of `samples`, the mean of both middle ones when their number is even. */
export function medianOf(samples: readonly number[]): number {
  assert(samples.length > 0, 'there is a sample');
  const sorted = ascending(samples);
  const middle = sorted.length / 2;
  const lower = sorted[Math.ceil(middle) - 1] ?? 0;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return (lower + upper) / 2;
}

/** The smallest sample that `share` (0 to 1) of all samples do not exceed. */
export function percentileOf(samples: readonly number[], share: number): number {
  assert(samples.length > 0, 'there is a sample');
  const sorted = ascending(samples);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** A measurement of several samples: their median, and how far they lie apart. */
export function measurementOf(
  what: Omit<Measurement, 'value' | 'min' | 'max' | 'samples'>,
  samples: readonly number[],
): Measurement {
  return {
    ...what,
    value: medianOf(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    samples: samples.length,
  };
}

function ascending(samples: readonly number[]): Float64Array {
  return Float64Array.from(samples).sort();
}
