import { createHash } from 'node:crypto';
import type { Hit, VisitAttributes } from '@loggia/contract';
import { addDays, dateAt, instantAt } from './local-time.ts';

/** What a row of a table of events may say besides who, when, what and where. */
export interface Details extends Partial<VisitAttributes> {
  readonly host?: string;
  readonly props?: Readonly<Record<string, string>>;
  /** In whole units of the currency, e.g. `[9.99, 'EUR']`. */
  readonly revenue?: readonly [number, string];
  readonly interactive?: boolean;
}

/** What an engagement ping may say. */
export interface Engagement {
  readonly scroll?: number;
  readonly engagedMs?: number;
  readonly host?: string;
}

/**
 * A way of writing tables of events for one site.
 *
 * Times are the site's wall clock: `10:00` on the table's own date, `2026-03-29 01:59:59.999`, or an
 * instant with a `Z` where the wall clock is ambiguous. A person has another id on every date, as
 * the salts of the ingest have it.
 */
export interface EventTable {
  view(person: string, time: string, page: string, details?: Details): Hit;
  /** A custom event. */
  event(person: string, time: string, name: string, details?: Details & { page?: string }): Hit;
  ping(person: string, time: string, page: string, engagement: Engagement): Hit;
  /** The instant that a time of the table means. */
  at(time: string): number;
}

const NOTHING_KNOWN: VisitAttributes = {
  source: null,
  referrer: null,
  channel: 'Direct',
  utm_medium: null,
  utm_source: null,
  utm_campaign: null,
  utm_content: null,
  utm_term: null,
  click_id: null,
  country: null,
  region: null,
  region_name: null,
  city: null,
  city_name: null,
  browser: null,
  browser_version: null,
  os: null,
  os_version: null,
  device: null,
  screen: null,
  language: null,
};

/** A table of events of the site `siteId` in `zone` on `date`. */
export function eventTable(siteId: number, zone: string, date: string): EventTable {
  const at = (time: string): number => {
    if (time.endsWith('Z')) return Date.parse(time);
    const [day, clock] = time.includes(' ') ? time.split(' ') : [date, time];
    return instantAt(zone, day ?? '', clock ?? '');
  };
  const hit = (person: string, timeMs: number, details: Details): Hit =>
    plainHit({ siteId, zone, person, timeMs }, details);
  return {
    at,
    view: (person, time, page, details = {}) => ({
      ...hit(person, at(time), details),
      name: 'pageview',
      page,
    }),
    event: (person, time, name, details = {}) => ({
      ...hit(person, at(time), details),
      name,
      page: details.page ?? '/',
    }),
    ping: (person, time, page, engagement) => ({
      ...hit(person, at(time), engagement.host === undefined ? {} : { host: engagement.host }),
      name: 'engagement',
      page,
      interactive: false,
      scrollDepth: engagement.scroll ?? null,
      engagedMs: engagement.engagedMs ?? null,
    }),
  };
}

interface Who {
  readonly siteId: number;
  readonly zone: string;
  readonly person: string;
  readonly timeMs: number;
}

function plainHit(who: Who, details: Details): Hit {
  const { host, props, revenue, interactive, ...known } = details;
  const date = dateAt(who.zone, who.timeMs);
  return {
    siteId: who.siteId,
    timeMs: who.timeMs,
    visitor: personId(who, date),
    visitorBefore: personId(who, addDays(date, -1)),
    name: 'pageview',
    hostname: host ?? 'example.org',
    page: '/',
    properties: props === undefined ? null : JSON.stringify(props),
    revenueMilli: revenue === undefined ? null : Math.round(revenue[0] * 1000),
    revenueCurrency: revenue?.[1] ?? null,
    interactive: interactive ?? true,
    scrollDepth: null,
    engagedMs: null,
    attributes: attributesOf(known),
    dedupeId: null,
  };
}

function attributesOf(known: Partial<VisitAttributes> & { page?: string }): VisitAttributes {
  const { page: _page, ...attributes } = known;
  return { ...NOTHING_KNOWN, ...attributes };
}

/** The id of a person on a date: any function that spreads well and never repeats will do. */
function personId(who: Who, date: string): bigint {
  const text = `${who.siteId} ${who.person} ${date}`;
  return createHash('sha256').update(text).digest().readBigInt64BE(0);
}
