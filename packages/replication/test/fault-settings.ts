import { randomInt } from 'node:crypto';

/** Seconds of trouble in one simulation; a longer run is made of several. */
const SECONDS_EACH = 10;

export interface FaultPlan {
  readonly seeds: readonly number[];
  readonly durationMs: number;
}

/**
 * What to simulate: `TANDEM_FAULT_SECONDS` of trouble, from `TANDEM_FAULT_SEED` on, which is another
 * one for each run unless it is given.
 */
export function faultPlan(usualSeconds: number): FaultPlan {
  const seconds = Number(process.env['TANDEM_FAULT_SECONDS'] ?? usualSeconds);
  const given = process.env['TANDEM_FAULT_SEED'];
  const seed = given === undefined ? randomInt(1_000_000) : Number(given);
  const rounds = Math.max(1, Math.round(seconds / SECONDS_EACH));
  return {
    seeds: Array.from({ length: rounds }, (_, round) => seed + round),
    durationMs: (1000 * seconds) / rounds,
  };
}
