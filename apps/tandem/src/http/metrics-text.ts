import { assert } from '@tandem/base';

/** One number of a metric. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with what it is for. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  /** One sentence; the documentation repeats it. */
  readonly help: string;
}

const NAME_FORM = /^[a-z][a-z0-9_]*$/;

/** The content type of Prometheus's text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The lines of a metric; none when it has no samples, so that nothing is claimed that is not known. */
export function metricText({ name, type, help }: Metric, samples: readonly Sample[]): string {
  assert(NAME_FORM.test(name), `'${name}' is a metric's name`);
  if (samples.length === 0) return '';
  const lines = samples.map(
    ({ labels, value }) => `${name}${labelText(labels)} ${numberText(value)}`,
  );
  const escapedHelp = help.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
  return [`# HELP ${name} ${escapedHelp}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function labelText(labels: Sample['labels'] = {}): string {
  const pairs = Object.entries(labels).map(([label, value]) => {
    assert(NAME_FORM.test(label), `'${label}' is a label's name`);
    return `${label}="${escapeLabel(value)}"`;
  });
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
