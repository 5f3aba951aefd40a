import type { Parsed, ParseText } from './parsed.ts';

const MS_OF_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bounds, both included. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/**
 * A length of time as Go writes it (`10s`, `1m30s`, `1.5h`, `300ms`, `0`), in whole milliseconds.
 * What is shorter than one but not nothing counts as one.
 */
export function duration(bounds: Bounds): ParseText<number> {
  return (text) => {
    const ms = goDurationMs(text);
    if (ms !== undefined) {
      const whole = ms > 0 ? Math.max(1, Math.round(ms)) : Math.round(ms);
      return within(whole, bounds, formatDuration);
    }
    if (/^-?\d+(?:\.\d+)?$/.test(text)) return { problem: 'has no unit (ms, s, m, h)' };
    return { problem: 'is not a length of time such as 10s or 1m30s' };
  };
}

/** Milliseconds, as duration() reads them back. */
export function formatDuration(ms: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ];
  const parts: string[] = [];
  let rest = Math.abs(Math.round(ms));
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * size;
  }
  if (parts.length === 0) return '0s';
  return `${ms < 0 ? '-' : ''}${parts.join('')}`;
}

/** A number of bytes such as `64MiB`, `1.5GB` or `65536`. */
export function byteCount(bounds: Bounds): ParseText<number> {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
    const unit = match?.[2]?.toLowerCase() ?? '';
    const factor = BYTES_OF_UNIT[unit === '' ? 'b' : unit];
    if (match === null || factor === undefined) {
      return { problem: 'is not a size such as 64MiB (KB, MB, GB, KiB, MiB, GiB)' };
    }
    return within(Math.round(Number(match[1]) * factor), bounds, (bytes) => `${bytes} bytes`);
  };
}

/** A whole number; `20_000` may be written so. */
export function wholeNumber(bounds: Bounds): ParseText<number> {
  return (text) => {
    if (!/^\d[\d_]*$/.test(text)) return { problem: 'is not a whole number' };
    return within(Number(text.replaceAll('_', '')), bounds, String);
  };
}

function goDurationMs(text: string): number | undefined {
  const match = /^(?<sign>[+-]?)(?<parts>(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+|0)$/.exec(text);
  if (match?.groups === undefined) return undefined;
  const { sign = '', parts = '' } = match.groups;
  let ms = 0;
  for (const [, count, unit] of parts.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    ms += Number(count) * (MS_OF_UNIT[unit ?? ''] ?? 0);
  }
  return sign === '-' ? -ms : ms;
}

function within(
  value: number,
  { min, max }: Bounds,
  format: (value: number) => string,
): Parsed<number> {
  if (value >= min && value <= max) return { value };
  return { problem: `is not between ${format(min)} and ${format(max)}` };
}
