import { describe, expect, it } from 'vitest';
import type { Hit, VisitAttributes } from '@loggia/contract';
import { VISIT_GAP_MS, beginVisit, extendVisit, findVisit } from './visit.ts';

const MINUTE_MS = 60_000;
const NOON_MS = Date.UTC(2026, 4, 4, 12);

function attributes(source: string | null): VisitAttributes {
  return {
    source,
    referrer: null,
    channel: source === null ? 'Direct' : 'Organic Search',
    utm_medium: null,
    utm_source: null,
    utm_campaign: null,
    utm_content: null,
    utm_term: null,
    click_id: null,
    country: 'DE',
    region: null,
    region_name: null,
    city: null,
    city_name: null,
    browser: 'Firefox',
    browser_version: '140',
    os: 'GNU/Linux',
    os_version: null,
    device: 'Desktop',
    screen: null,
    language: 'de',
  };
}

function hit(minute: number, page: string, more: Partial<Hit> = {}): Hit {
  return {
    siteId: 1,
    timeMs: NOON_MS + minute * MINUTE_MS,
    visitor: 7n,
    visitorBefore: null,
    name: 'pageview',
    hostname: 'example.org',
    page,
    properties: null,
    revenueMilli: null,
    revenueCurrency: null,
    interactive: true,
    scrollDepth: null,
    engagedMs: null,
    attributes: attributes(null),
    dedupeId: null,
    ...more,
  };
}

function visitOf(hits: readonly Hit[]) {
  const [first, ...rest] = hits;
  if (first === undefined) throw new Error('a visit has a first hit');
  return rest.reduce(extendVisit, beginVisit(first));
}

describe('a visit', () => {
  it('with one page view is a bounce', () => {
    expect(visitOf([hit(0, '/')])).toMatchObject({ pageviews: 1, events: 1, bounce: 1 });
  });

  it('with a second page view is none', () => {
    const visit = visitOf([hit(0, '/'), hit(5, '/b')]);
    expect(visit).toMatchObject({ pageviews: 2, bounce: 0, entry_page: '/', exit_page: '/b' });
    expect(visit.last_ms - visit.start_ms).toBe(5 * MINUTE_MS);
  });

  it('with an interactive custom event is none, whichever came first', () => {
    const signup = hit(1, '/', { name: 'Signup' });
    expect(visitOf([hit(0, '/'), signup]).bounce).toBe(0);
    expect(visitOf([signup, hit(2, '/')]).bounce).toBe(0);
  });

  it('with a custom event that is not interactive stays a bounce', () => {
    const seen = { name: 'Seen', interactive: false };
    expect(visitOf([hit(0, '/'), hit(1, '/', seen)]).bounce).toBe(1);
    expect(visitOf([hit(0, '/', seen), hit(1, '/')]).bounce).toBe(1);
  });

  it('is kept alive by a ping, which is not counted', () => {
    const ping = hit(9, '/', { name: 'engagement', interactive: false });
    const visit = visitOf([hit(0, '/'), ping]);
    expect(visit).toMatchObject({ pageviews: 1, events: 1, bounce: 1, exit_page: '/' });
    expect(visit.last_ms).toBe(ping.timeMs);
  });

  it('enters on its first page view though a custom event came before', () => {
    const visit = visitOf([hit(0, '/x', { name: 'Seen' }), hit(1, '/a'), hit(2, '/b')]);
    expect(visit).toMatchObject({ entry_page: '/a', exit_page: '/b', pageviews: 2, events: 3 });
  });

  it('takes source and place from its earliest event, also when that comes late', () => {
    const late = hit(-10, '/landing', { attributes: attributes('Google') });
    const visit = visitOf([hit(0, '/a'), hit(3, '/b'), late]);
    expect(visit).toMatchObject({ source: 'Google', entry_page: '/landing', exit_page: '/b' });
    expect(visit.start_ms).toBe(late.timeMs);
  });

  it('orders page views of the same instant by arrival', () => {
    const visit = visitOf([hit(0, '/a'), hit(0, '/b'), hit(0, '/c')]);
    expect(visit).toMatchObject({ entry_page: '/a', exit_page: '/c' });
  });
});

describe('an event belongs to', () => {
  const early = visitOf([hit(0, '/'), hit(10, '/')]);
  const late = visitOf([hit(60, '/'), hit(70, '/')]);
  const at = (minute: number, isPing = false) =>
    findVisit([late, early], NOON_MS + minute * MINUTE_MS, isPing);

  it('the visit it falls into', () => {
    expect(at(5)).toBe(early);
    expect(at(60)).toBe(late);
  });

  it('the visit whose last event is at most thirty minutes before', () => {
    expect(at(100)).toBe(late);
    expect(findVisit([late], late.last_ms + VISIT_GAP_MS + 1, false)).toBeUndefined();
  });

  it('the visit that begins at most thirty minutes after', () => {
    expect(at(-30)).toBe(early);
    expect(at(-31)).toBeUndefined();
  });

  it('the earlier of two visits that it would bridge', () => {
    expect(at(35)).toBe(early);
    expect(at(40)).toBe(early);
    expect(at(41)).toBe(late);
  });

  it('no visit before its beginning when it is a ping', () => {
    expect(at(-5, true)).toBeUndefined();
    expect(at(41, true)).toBeUndefined();
    expect(at(12, true)).toBe(early);
  });
});
