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
