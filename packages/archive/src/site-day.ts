import type { LocalDate } from '@tandem/base';

const DAY_MS = 86_400_000;

/** Days since the epoch on a calendar. */
export function dayOfDate(date: LocalDate): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

export function dateOfDay(day: number): LocalDate {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
