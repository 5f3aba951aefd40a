import type { Site } from '@loggia/contract';
import type { FinishedVisits, Journal } from '@loggia/journal';
import { ZoneRules } from '@tandem/base';
import { dateOfDay, dayOfDate } from './site-day.ts';

/** The longest silence within a visit; `VISIT_GAP_MS` of the one that forms them. */
const VISIT_GAP_MS = 30 * 60_000;
/**
 * A site whose zone has just been changed is left alone for as long as anybody may still count its
 * days by the old one.
 */
const ZONE_SETTLES_MS = 10 * 60_000;

/** Beyond a visit's and a day's end, for events that come late. */
const GRACE_MS = 60 * 60_000;

/** A site that has finished visits. */
export interface FinishedSite {
  readonly site: Site;
  readonly visits: FinishedVisits;
  /** The day, on the site's calendar, on which the first of them began. */
  readonly day: number;
}

/** The sites that have something to be sealed, by id. */
export function finishedSites(
  journal: Journal,
  nowMs: number,
  graceMs = GRACE_MS,
): readonly FinishedSite[] {
  const sites = journal.sites.list().toSorted((left, right) => left.id - right.id);
  return sites.flatMap((site) => {
    const visits = finishedVisits(site, { nowMs, graceMs });
    const startMs = visits === undefined ? undefined : journal.archive.firstFinishedMs(visits);
    if (visits === undefined || startMs === undefined) return [];
    return [{ site, visits, day: dayOfDate(ZoneRules.of(site.timezone).dateAt(startMs)) }];
  });
}

/**
 * The site's visits that are over: its day has ended, and nothing has come for longer than a visit
 * can be silent, both at least `graceMs` ago. Undefined while the site's zone is too new.
 */
function finishedVisits(
  site: Site,
  { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
): FinishedVisits | undefined {
  if (nowMs - site.zoneSinceMs < ZONE_SETTLES_MS) return undefined;
  const zone = ZoneRules.of(site.timezone);
  const settledMs = nowMs - graceMs;
  return {
    siteId: site.id,
    fromMs: Number.MIN_SAFE_INTEGER,
    toMs: zone.startOfDate(zone.dateAt(settledMs)),
    idleMs: settledMs - VISIT_GAP_MS,
  };
}

/** Those of the visits that began on the site's day `day`. */
export function onDay(visits: FinishedVisits, site: Site, day: number): FinishedVisits {
  const zone = ZoneRules.of(site.timezone);
  const fromMs = zone.startOfDate(dateOfDay(day));
  const toMs = Math.min(visits.toMs, zone.startOfDate(dateOfDay(day + 1)));
  return { ...visits, fromMs, toMs };
}
