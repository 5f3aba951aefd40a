import type { Hit, VisitAttributes } from '@loggia/contract';

/** A visit of the model: nothing but its events, in the order of their own times. */
export interface ModelVisit {
  readonly visitor: bigint;
  /** Every id under which the visit is found again. */
  readonly ids: ReadonlySet<bigint>;
  /** Page views, custom events and pings; of equal times the one that arrived first comes first. */
  readonly hits: readonly Hit[];
}

/** What became of the hits of a site. */
export interface FormedVisits {
  readonly visits: readonly ModelVisit[];
  /** Engagement pings that came without a visit. */
  readonly dropped: readonly Hit[];
}

/** 'The visitor's events with gaps of at most 30 minutes.' */
const GAP_MAX_MS = 30 * 60_000;

/** Forms visits from the hits of one site, in the order in which they arrived. */
export function formVisits(hits: readonly Hit[]): FormedVisits {
  const visits: ModelVisit[] = [];
  const dropped: Hit[] = [];
  for (const hit of hits) {
    const visit = visitOf(visits, hit);
    if (visit !== undefined) visits[visits.indexOf(visit)] = withHit(visit, hit);
    else if (isPing(hit)) dropped.push(hit);
    else visits.push(newVisit(hit));
  }
  return { visits, dropped };
}

/** Whether a hit is an engagement ping, which is 'neither counted nor matched by a filter'. */
export function isPing(hit: Hit): boolean {
  return hit.name === 'engagement';
}

/** 'Events are page views and custom events.' */
export function eventsOf(visit: ModelVisit): Hit[] {
  return visit.hits.filter((hit) => !isPing(hit));
}

export function pageviewsOf(visit: ModelVisit): Hit[] {
  return visit.hits.filter((hit) => hit.name === 'pageview');
}

export function startMs(visit: ModelVisit): number {
  return first(visit.hits).timeMs;
}

/** 'Engagement pings keep it alive.' */
export function lastMs(visit: ModelVisit): number {
  return last(visit.hits).timeMs;
}

/** 'The first event decides source, campaign, place and device.' */
export function attributesOf(visit: ModelVisit): VisitAttributes {
  return first(visit.hits).attributes;
}

/** 'Visits with fewer than two pageviews and no interactive custom event.' */
export function isBounce(visit: ModelVisit): boolean {
  const customEvents = eventsOf(visit).filter((hit) => hit.name !== 'pageview');
  return pageviewsOf(visit).length < 2 && !customEvents.some((hit) => hit.interactive);
}

/** 'Distinct visitors with an event in the last five minutes.' */
export function currentVisitorsOf(visits: readonly ModelVisit[], nowMs: number): number {
  const fromMs = nowMs - 5 * 60_000;
  const current = visits.filter((visit) =>
    eventsOf(visit).some((hit) => fromMs <= hit.timeMs && hit.timeMs <= nowMs),
  );
  return new Set(current.map((visit) => visit.visitor)).size;
}

/** 'The entry page [is] the first [page viewed], even when a custom event came before it.' */
export function entryOf(visit: ModelVisit): Hit | undefined {
  return pageviewsOf(visit)[0];
}

/** 'The exit page is the last page viewed.' */
export function exitOf(visit: ModelVisit): Hit | undefined {
  return pageviewsOf(visit).at(-1);
}

/**
 * 'An event that arrives late joins the visit it falls into or adjoins (two visits that it would
 * bridge stay two), else begins one': the one it falls into, else the one it continues, else the
 * one that it comes before; of several the nearest in time.
 */
function visitOf(visits: readonly ModelVisit[], hit: Hit): ModelVisit | undefined {
  const own = visits.filter((visit) => isOf(visit, hit)).sort((a, b) => startMs(a) - startMs(b));
  const t = hit.timeMs;
  const into = own.find((visit) => startMs(visit) <= t && t <= lastMs(visit));
  const after = own.findLast((visit) => lastMs(visit) < t && t - lastMs(visit) <= GAP_MAX_MS);
  const before = own.find((visit) => t < startMs(visit) && startMs(visit) - t <= GAP_MAX_MS);
  return into ?? after ?? (isPing(hit) ? undefined : before);
}

/** 'A visit under way is found again under the previous salt.' */
function isOf(visit: ModelVisit, hit: Hit): boolean {
  return (
    visit.ids.has(hit.visitor) || (hit.visitorBefore !== null && visit.ids.has(hit.visitorBefore))
  );
}

/** '… and keeps its visitor', 'over any number of midnights'. */
function withHit(visit: ModelVisit, hit: Hit): ModelVisit {
  const hits = [...visit.hits, hit].sort((a, b) => a.timeMs - b.timeMs);
  return { visitor: visit.visitor, ids: new Set([...visit.ids, hit.visitor]), hits };
}

function newVisit(hit: Hit): ModelVisit {
  return { visitor: hit.visitor, ids: new Set([hit.visitor]), hits: [hit] };
}

function first(hits: readonly Hit[]): Hit {
  const hit = hits[0];
  if (hit === undefined) throw new Error('a visit has events');
  return hit;
}

function last(hits: readonly Hit[]): Hit {
  const hit = hits.at(-1);
  if (hit === undefined) throw new Error('a visit has events');
  return hit;
}
