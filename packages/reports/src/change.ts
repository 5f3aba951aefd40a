import type { MetricName, MetricValue } from '@loggia/contract';

import { metricEntry } from './metrics.ts';

/**
 * How a metric moved from `before` to `now`: rates by points, where a rate of 0 before tells
 * nothing; all else by whole per cent, where anything after nothing is 100.
 */
export function changeOf(name: MetricName, before: MetricValue, now: MetricValue): number | null {
  const old = amountOf(before);
  const current = amountOf(now);
  if (old === null || current === null) return null;
  const { change, decimals } = metricEntry(name, false);
  if (change === 'points') {
    if (name === 'bounce_rate' && old === 0) return null;
    return roundAway((current - old) * 10 ** decimals) / 10 ** decimals;
  }
  if (old === 0) return current > 0 ? 100 : 0;
  return roundAway(((current - old) / old) * 100);
}

function amountOf(value: MetricValue): number | null {
  return typeof value === 'object' ? (value?.value ?? null) : value;
}

/** To the nearest whole number, halves away from zero, never minus zero. */
function roundAway(value: number): number {
  const rounded = Math.round(Math.abs(value));
  return rounded === 0 ? 0 : Math.sign(value) * rounded;
}
