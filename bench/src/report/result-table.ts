import type { Measurement } from '../workload.ts';
import { textTable } from './text-table.ts';

const HEADINGS = ['measure', 'value', 'unit', 'min … max', 'n', 'of'];

/** Measurements for a person to read. */
export function resultTable(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ measure, value, unit, min, max, samples, parameters }) => [
    measure,
    numberText(value),
    unit,
    min === undefined || max === undefined ? '' : `${numberText(min)} … ${numberText(max)}`,
    samples === undefined ? '' : String(samples),
    Object.entries(parameters ?? {})
      .map(([name, parameter]) => `${name.replaceAll('_', ' ')}: ${parameter}`)
      .join(', '),
  ]);
  return textTable([HEADINGS, ...rows], ['left', 'right', 'left', 'right', 'right', 'left']);
}

/** Three significant digits or all before the point, and never more than two after it. */
export function numberText(value: number): string {
  const digitsBefore = Math.max(1, Math.floor(Math.log10(Math.abs(value) || 1)) + 1);
  const decimals = Math.max(0, 3 - digitsBefore);
  return value.toLocaleString('en-GB', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}
