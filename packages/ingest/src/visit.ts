import { assert } from '@tandem/base';
import type { Hit } from '@loggia/contract';
import type { VisitRow } from '@loggia/journal';

/** The longest time without any event that a visit survives, inclusive. */
export const VISIT_GAP_MS = 30 * 60_000;

/** A visit that has no row yet. */
export type NewVisit = Omit<VisitRow, 'id'>;

/**
 * Of a visitor's visits, the one that an event at `timeMs` belongs to, or undefined when it begins
 * a visit of its own.
 *
 * That is the visit it falls into, else the one it continues (the last event is at most
 * `VISIT_GAP_MS` before), else the one it precedes by as much. An event that could join two visits
 * continues the earlier one, as it would have done had it come in time; the two stay two. A ping
 * never precedes a visit: whoever had not begun to visit had no page to be engaged with.
 */
export function findVisit<Visit extends NewVisit>(
  visits: readonly Visit[],
  timeMs: number,
  isPing: boolean,
): Visit | undefined {
  let continued: Visit | undefined;
  let preceded: Visit | undefined;
  for (const visit of visits) {
    if (timeMs >= visit.start_ms && timeMs <= visit.last_ms) return visit;
    if (timeMs > visit.last_ms) {
      if (timeMs - visit.last_ms > VISIT_GAP_MS) continue;
      if (continued === undefined || visit.last_ms > continued.last_ms) continued = visit;
    } else if (!isPing && visit.start_ms - timeMs <= VISIT_GAP_MS) {
      if (preceded === undefined || visit.start_ms < preceded.start_ms) preceded = visit;
    }
  }
  return continued ?? preceded;
}

/** The visit that `hit` begins. A ping begins none. */
export function beginVisit(hit: Hit): NewVisit {
  assert(hit.name !== 'engagement', 'a ping does not begin a visit');
  const isPageview = hit.name === 'pageview';
  return {
    ...hit.attributes,
    site_id: hit.siteId,
    visitor: hit.visitor,
    start_ms: hit.timeMs,
    last_ms: hit.timeMs,
    pageviews: isPageview ? 1 : 0,
    events: 1,
    bounce: isPageview || !hit.interactive ? 1 : 0,
    entry_hostname: isPageview ? hit.hostname : null,
    entry_page: isPageview ? hit.page : null,
    entry_ms: isPageview ? hit.timeMs : null,
    exit_hostname: isPageview ? hit.hostname : null,
    exit_page: isPageview ? hit.page : null,
    exit_ms: isPageview ? hit.timeMs : null,
  };
}

/**
 * `visit` with `hit` in it; hits come in the order of arrival and their times may go back. Of two
 * events at the same instant the one that arrived first is the earlier one.
 */
export function extendVisit<Visit extends NewVisit>(visit: Visit, hit: Hit): Visit {
  return { ...visit, ...changesOf(visit, hit) };
}

type Changes = { -readonly [Column in keyof NewVisit]?: NewVisit[Column] };

function changesOf(visit: NewVisit, hit: Hit): Changes {
  const changes: Changes = {};
  if (hit.timeMs < visit.start_ms) {
    assert(hit.name !== 'engagement', 'a ping does not begin a visit');
    Object.assign(changes, hit.attributes);
    changes.start_ms = hit.timeMs;
  }
  if (hit.timeMs > visit.last_ms) changes.last_ms = hit.timeMs;
  if (hit.name === 'engagement') return changes;
  changes.events = visit.events + 1;
  if (hit.name !== 'pageview') {
    if (hit.interactive) changes.bounce = 0;
    return changes;
  }
  changes.pageviews = visit.pageviews + 1;
  if (visit.pageviews > 0) changes.bounce = 0;
  if (visit.entry_ms === null || hit.timeMs < visit.entry_ms) {
    changes.entry_hostname = hit.hostname;
    changes.entry_page = hit.page;
    changes.entry_ms = hit.timeMs;
  }
  if (visit.exit_ms === null || hit.timeMs >= visit.exit_ms) {
    changes.exit_hostname = hit.hostname;
    changes.exit_page = hit.page;
    changes.exit_ms = hit.timeMs;
  }
  return changes;
}
