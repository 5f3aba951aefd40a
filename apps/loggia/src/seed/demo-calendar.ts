import { addToDate, type LocalDate } from '@tandem/base';
import type { Prng } from './prng.ts';

/** How busy one day of a demo site is. */
export interface DemoDay {
  readonly date: LocalDate;
  readonly visitCount: number;
  /** The share of its visits that one popular link brings. */
  readonly spikeShare: number;
}

const WEEKDAYS = [0.62, 1.08, 1.14, 1.12, 1.06, 0.94, 0.58];
const HOURS = [
  0.35, 0.22, 0.16, 0.13, 0.14, 0.22, 0.45, 0.85, 1.35, 1.65, 1.75, 1.7, 1.5, 1.6, 1.7, 1.65, 1.5,
  1.35, 1.2, 1.25, 1.3, 1.15, 0.85, 0.55,
];
const HOURS_TOTAL = HOURS.reduce((sum, weight) => sum + weight, 0);
const SPIKE_PROBABILITY = 0.015;

/**
 * Spreads `visitsTotal` over `days` days from `firstDate` on: growth over the whole time, quiet
 * weekends and holidays, a little noise, and a day now and then on which everybody comes.
 */
export function demoCalendar(
  range: { readonly firstDate: LocalDate; readonly days: number },
  visitsTotal: number,
  prng: Prng,
): readonly DemoDay[] {
  const dates = Array.from({ length: range.days }, (_, days) =>
    addToDate(range.firstDate, { days }),
  );
  const weights = dates.map((date, index) => {
    const growth = 0.65 + (0.7 * index) / range.days;
    const isSpike = prng.chance(SPIKE_PROBABILITY);
    const usual = growth * weekdayFactor(date) * seasonFactor(date) * Math.exp(0.1 * prng.normal());
    return { usual, spike: isSpike ? usual * (1 + 2 * prng.float()) : 0 };
  });
  const sum = weights.reduce((total, { usual, spike }) => total + usual + spike, 0);
  return dates.map((date, index) => {
    const { usual, spike } = weights[index] ?? { usual: 0, spike: 0 };
    const wanted = (visitsTotal * (usual + spike)) / sum;
    const visitCount = Math.floor(wanted) + (prng.chance(wanted % 1) ? 1 : 0);
    return { date, visitCount, spikeShare: spike / (usual + spike) };
  });
}

/** A moment of a day as milliseconds after its beginning, by the rhythm of office hours. */
export function momentOfDay(prng: Prng): number {
  let wanted = prng.float() * HOURS_TOTAL;
  const hour = HOURS.findIndex((weight) => (wanted -= weight) < 0);
  return (Math.max(0, hour) + prng.float()) * 3_600_000;
}

function weekdayFactor(date: LocalDate): number {
  return WEEKDAYS[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? 1;
}

function seasonFactor(date: LocalDate): number {
  const monthAndDay = date.slice(5);
  if (monthAndDay >= '12-22' || monthAndDay <= '01-02') return 0.55;
  return monthAndDay.startsWith('08') ? 0.84 : 1;
}
