/**
 * The wall clock of a time zone, read from `Intl` instant by instant and searched by walking. It
 * knows nothing of offsets and spans, so that it can disagree with code that does.
 */

/** What a clock on the wall shows, to the second. */
export interface Wall {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const QUARTER_MS = 15 * 60_000;
const HOUR_MS = 60 * 60_000;

const formats = new Map<string, Intl.DateTimeFormat>();
const quarters = new Map<string, Wall>();

/** The wall clock of `zone` at the instant `timeMs`. */
export function wallAt(zone: string, timeMs: number): Wall {
  const quarterMs = Math.floor(timeMs / QUARTER_MS) * QUARTER_MS;
  const wall = wallAtQuarter(zone, quarterMs);
  const seconds = wall.minute * 60 + wall.second + Math.floor((timeMs - quarterMs) / 1000);
  return { ...wall, minute: Math.floor(seconds / 60), second: seconds % 60 };
}

/** No zone changes its clock within a quarter of an hour, and every offset since 1972 is whole ones. */
function wallAtQuarter(zone: string, quarterMs: number): Wall {
  const key = `${zone} ${quarterMs}`;
  const known = quarters.get(key);
  if (known !== undefined) return known;
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    formats.set(zone, format);
  }
  const text = format.format(quarterMs);
  const match = /^(\d{4}-\d\d-\d\d) (\d\d):(\d\d):(\d\d)$/.exec(text);
  if (match === null) throw new Error(`'${text}' is not a time`);
  const [, date = '', hour, minute, second] = match;
  const wall = { date, hour: Number(hour), minute: Number(minute), second: Number(second) };
  quarters.set(key, wall);
  return wall;
}

/** The calendar date of `zone` at the instant `timeMs`. */
export function dateAt(zone: string, timeMs: number): string {
  return wallAt(zone, timeMs).date;
}

/** The first instant of `date` in `zone`, or of the next date that the zone has. */
export function startOfDate(zone: string, date: string): number {
  let timeMs = Date.parse(`${date}T00:00:00Z`) - 16 * HOUR_MS;
  while (dateAt(zone, timeMs) < date) timeMs += QUARTER_MS;
  return timeMs;
}

/** The first instant at which the clock of `zone` shows `time` (`HH:MM[:SS[.mmm]]`) on `date`. */
export function instantAt(zone: string, date: string, time: string): number {
  const asUtcMs = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}Z`);
  const restMs = asUtcMs % QUARTER_MS;
  for (let timeMs = asUtcMs - restMs - 16 * HOUR_MS; ; timeMs += QUARTER_MS) {
    if (timeMs > asUtcMs + 16 * HOUR_MS) throw new Error(`${date} ${time} never was in ${zone}`);
    const wall = wallAt(zone, timeMs);
    const shownMs = Date.parse(`${wall.date}T00:00:00Z`) + wall.hour * HOUR_MS;
    if (shownMs + wall.minute * 60_000 === asUtcMs - restMs) return timeMs + restMs;
  }
}

/** `date` and `days` later. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 24 * HOUR_MS).toISOString().slice(0, 10);
}

/** How many days `to` is after `from`. */
export function daysBetween(from: string, to: string): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / (24 * HOUR_MS);
}

/** The first day of the month that is `months` after the month of `date`. */
export function firstOfMonth(date: string, months = 0): string {
  const index = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + months;
  const month = String((index % 12) + 1).padStart(2, '0');
  return `${String(Math.floor(index / 12)).padStart(4, '0')}-${month}-01`;
}

/** The Monday on or before `date`. */
export function mondayOf(date: string): string {
  let monday = date;
  while (new Date(`${monday}T00:00:00Z`).getUTCDay() !== 1) monday = addDays(monday, -1);
  return monday;
}
