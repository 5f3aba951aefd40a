/** One metric of an answer in the text format of Prometheus. */
export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  /** The value of each sample by its name and labels, as they are written. */
  readonly samples: Map<string, number>;
}

const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"`;
const SAMPLE = new RegExp(
  String.raw`^([a-zA-Z_:][\w:]*)(\{(?:${LABEL}(?:,${LABEL})*,?)?\})? (\S+)$`,
);
const SUFFIXES: Readonly<Record<string, RegExp>> = {
  histogram: /_(?:bucket|sum|count)$/,
  summary: /_(?:sum|count)$/,
};

/**
 * Reads the text format strictly: each metric is announced once, with help before type, its samples
 * follow it, none is given twice, and histograms add up.
 */
export function parsePrometheusText(text: string): ReadonlyMap<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, MetricFamily>();
  let current: { name: string; family: MetricFamily } | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (help?.[1] !== undefined) {
      if (families.has(help[1])) throw new Error(`${help[1]} comes twice`);
      const family = { type: '', help: help[2] ?? '', samples: new Map<string, number>() };
      current = { name: help[1], family };
    } else if (type?.[1] !== undefined) {
      if (current?.name !== type[1]) throw new Error(`no help before: ${line}`);
      current = { name: type[1], family: { ...current.family, type: type[2] ?? '' } };
      families.set(type[1], current.family);
    } else {
      if (current === undefined) throw new Error(`a sample of nothing: ${line}`);
      addSample(current, line);
    }
  }
  for (const [name, family] of families) checkHistogram(name, family);
  return families;
}

function addSample({ name, family }: { name: string; family: MetricFamily }, line: string): void {
  const match = SAMPLE.exec(line);
  if (match?.[1] === undefined) throw new Error(`not a sample: ${line}`);
  if (match[1].replace(SUFFIXES[family.type] ?? /$^/, '') !== name) {
    throw new Error(`${line} stands under ${name}`);
  }
  const series = match[1] + (match[2] ?? '');
  if (family.samples.has(series)) throw new Error(`${series} comes twice`);
  const value = match[3] === '+Inf' ? Infinity : Number(match[3]);
  // Prometheus reads this word in any case.
  if (Number.isNaN(value) && !/^nan$/i.test(match[3] ?? '')) throw new Error(`no number: ${line}`);
  if (family.type === 'counter' && !(value >= 0)) throw new Error(`below zero: ${line}`);
  family.samples.set(series, value);
}

/** In each of its series, buckets grow and the last one is the count. */
function checkHistogram(name: string, { type, samples }: MetricFamily): void {
  if (type !== 'histogram') return;
  let last = 0;
  for (const [series, value] of samples) {
    if (!series.startsWith(`${name}_bucket`)) continue;
    if (value < last) throw new Error(`${series} is less than the bucket before`);
    last = series.includes('le="+Inf"') ? 0 : value;
    if (!series.includes('le="+Inf"')) continue;
    const labels = series.slice(`${name}_bucket`.length).replace(/,?le="\+Inf",?/, '');
    const count = samples.get(`${name}_count${labels === '{}' ? '' : labels}`);
    if (count !== value) throw new Error(`${series} is ${value}, and the count ${count}`);
  }
}
