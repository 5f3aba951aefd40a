/**
 * `part / whole * factor`, rounded to `digits` decimals, halves away from zero, exactly: the
 * decision falls on integers, so that no fraction of a fraction can tip it.
 */
export function quotient(part: number, whole: number, factor: number, digits: number): number {
  const scale = 10n ** BigInt(digits);
  const numerator = BigInt(part) * BigInt(factor) * scale;
  const denominator = BigInt(whole);
  const size = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * size + denominator) / (2n * denominator);
  const value = Number(rounded) / Number(scale);
  return numerator < 0n && value !== 0 ? -value : value;
}

/**
 * How a metric moved: rates by points, where a rate of 0 before tells nothing; all else by whole
 * per cent, where anything after nothing is 100.
 */
export function changeOf(metric: string, before: number | null, now: number | null): number | null {
  if (before === null || now === null) return null;
  if (metric === 'bounce_rate') return before === 0 ? null : now - before;
  if (before === 0) return now > 0 ? 100 : 0;
  const scaled = (value: number): number => Math.round(value * 1000);
  return quotient(scaled(now) - scaled(before), scaled(before), 100, 0);
}
