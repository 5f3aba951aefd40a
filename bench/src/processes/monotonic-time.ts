/** Microseconds of a clock that all processes of the machine share and nobody sets. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
