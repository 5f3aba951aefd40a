import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { DEFAULT_SITE_SETTINGS, type Hit, type Site, type SiteSettings } from '@loggia/contract';
import { describe, expect, it } from 'vitest';
import { batchFacts, requestFacts, type RequestFacts } from './request-facts.ts';
import { DEFAULT_TRUST } from './client-address.ts';
import { Enricher, type Dropped } from './enricher.ts';
import { parseEvent } from './event-body.ts';
import { Hosting } from './hosting.ts';
import { SALT_AFTERLIFE_MS, saltExpiryMs, type SaltSource } from './salt-source.ts';
import { SiteDays } from './site-days.ts';
import { VisitorIds } from './visitor-id.ts';

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';
const HOUR_MS = 3_600_000;

/** Salts that tell by their bytes what they belong to. */
class NamedSalts implements SaltSource {
  readonly made = new Map<string, number>();

  ensure(siteId: number, date: string, expiresMs: number): Uint8Array {
    const key = `${siteId} ${date}`;
    if (!this.made.has(key)) this.made.set(key, expiresMs);
    return Buffer.from(key);
  }

  existing(siteId: number, date: string): Uint8Array | undefined {
    const key = `${siteId} ${date}`;
    return this.made.has(key) ? Buffer.from(key) : undefined;
  }
}

function siteWith(settings: Partial<SiteSettings> = {}, timezone = 'Europe/Berlin'): Site {
  return {
    id: 7,
    domain: 'example.org',
    timezone,
    createdMs: 0,
    zoneSinceMs: 0,
    scriptId: 'abcdefghijklmnop',
    settings: { ...DEFAULT_SITE_SETTINGS, ...settings },
  };
}

function factsWith(changes: Partial<RequestFacts> = {}): RequestFacts {
  const nowMs = Date.parse('2026-06-10T12:00:00Z');
  return {
    address: '193.0.6.139',
    userAgent: CHROME,
    language: 'de',
    headerPlace: null,
    hasOptedOut: false,
    timeMs: nowMs,
    nowMs,
    dedupeId: null,
    ...changes,
  };
}

interface Case {
  readonly body?: Record<string, unknown>;
  readonly site?: Site;
  readonly facts?: Partial<RequestFacts>;
  readonly enricher?: Enricher;
}

function enriched({ body = {}, site = siteWith(), facts = {}, enricher }: Case = {}):
  | Hit
  | Dropped {
  const parsed = parseEvent({
    n: 'pageview',
    u: 'https://example.org/a',
    d: 'example.org',
    ...body,
  });
  if (!parsed.ok) throw new Error(parsed.errors.join(' '));
  const usual = enricher ?? new Enricher({ salts: new NamedSalts() });
  return usual.enrich(parsed.event, site, factsWith(facts));
}

function hitOf(given: Case = {}): Hit {
  const result = enriched(given);
  if ('dropped' in result) throw new Error(result.dropped);
  return result;
}

describe('Enricher', () => {
  it('makes a whole hit of an event', () => {
    const body = {
      n: 'Purchase',
      u: 'https://www.example.org/shop/?utm_source=google&utm_medium=cpc&utm_campaign=c&gclid=1',
      r: 'https://www.google.com/search?q=secret',
      p: { plan: 'pro' },
      $: { amount: '10.50', currency: 'EUR' },
      w: 1280,
    };
    const hit = hitOf({ body, facts: { dedupeId: 'id-1' } });
    expect(hit).toEqual({
      siteId: 7,
      timeMs: Date.parse('2026-06-10T12:00:00Z'),
      visitor: expect.any(BigInt),
      visitorBefore: null,
      name: 'Purchase',
      hostname: 'example.org',
      page: '/shop/',
      properties: '{"plan":"pro"}',
      revenueMilli: 10_500,
      revenueCurrency: 'EUR',
      interactive: true,
      scrollDepth: null,
      engagedMs: null,
      attributes: {
        source: 'Google',
        referrer: 'google.com/search',
        channel: 'Paid Search',
        utm_medium: 'cpc',
        utm_source: 'google',
        utm_campaign: 'c',
        utm_content: null,
        utm_term: null,
        click_id: 'gclid',
        country: 'NL',
        region: null,
        region_name: null,
        city: null,
        city_name: null,
        browser: 'Chrome',
        browser_version: '126.0',
        os: 'Windows',
        os_version: '10',
        device: 'Desktop',
        screen: 'lg',
        language: 'de',
      },
      dedupeId: 'id-1',
    });
  });

  it('a hit holds neither address nor user agent', () => {
    const { visitor, ...rest } = hitOf();
    const text = JSON.stringify({ ...rest, visitor: String(visitor) });
    expect(text).not.toContain('193.0.6');
    expect(text).not.toContain('AppleWebKit');
  });

  it.each<readonly [string, Case, string]>([
    [
      'a crawler',
      { facts: { userAgent: 'Googlebot/2.1 (+http://www.google.com/bot.html)' } },
      'bot',
    ],
    ['a browser without a user agent', { facts: { userAgent: '' } }, 'bot'],
    ['a spammer', { body: { r: 'https://a.semalt.com/x' } }, 'spam_referrer'],
    ['another host', { site: siteWith({ allowedHosts: ['other.org'] }) }, 'host_not_allowed'],
    ['an excluded page', { site: siteWith({ excludedPages: ['/a*'] }) }, 'excluded_page'],
    [
      'an excluded address',
      { site: siteWith({ excludedAddresses: ['193.0.0.0/16'] }) },
      'excluded_address',
    ],
    [
      'an opt-out that is honoured',
      { site: siteWith({ honourOptOut: true }), facts: { hasOptedOut: true } },
      'opted_out',
    ],
    [
      'a datacentre that is left out',
      { site: siteWith({ dropDatacentre: true }), facts: { address: '5.9.1.1' } },
      'datacentre',
    ],
  ])('%s is dropped', (_, given, reason) => {
    expect(enriched(given)).toEqual({ dropped: reason });
  });

  it('datacentres and opt-outs count unless the site says otherwise', () => {
    expect(hitOf({ facts: { address: '5.9.1.1', hasOptedOut: true } }).name).toBe('pageview');
    expect(hitOf({ site: siteWith({ dropDatacentre: true }) }).name).toBe('pageview');
  });

  it('a server that passes on neither address nor user agent is no bot', () => {
    const { attributes } = hitOf({ facts: { address: null, userAgent: null } });
    expect(attributes).toMatchObject({ country: null, browser: null, device: null });
  });

  it("a delivery network's word counts, but a city of the same country is better", () => {
    const found = { country: 'NL', region: 'NL-NH', regionName: 'N', city: '1', cityName: 'A' };
    const enricher = new Enricher({
      salts: new NamedSalts(),
      places: { placeOf: () => found },
    });
    const at = (country: string, city: string | null): Hit =>
      hitOf({
        enricher,
        facts: {
          headerPlace: { country, region: null, regionName: null, city, cityName: city },
        },
      });
    expect(at('NL', null).attributes).toMatchObject({ country: 'NL', city: '1' });
    expect(at('NL', 'Delft').attributes.city).toBe('Delft');
    expect(at('DE', null).attributes).toMatchObject({ country: 'DE', city: null });
  });
});

describe('visitors', () => {
  it("are named by the salt of the site's own date", () => {
    const enricher = new Enricher({ salts: new NamedSalts() });
    const at = (time: string, timezone: string): bigint =>
      hitOf({
        enricher,
        site: siteWith({}, timezone),
        facts: { timeMs: Date.parse(time) },
      }).visitor;
    expect(at('2026-06-10T21:59:59Z', 'Europe/Berlin')).toBe(at('2026-06-10T00:00:00Z', 'UTC'));
    expect(at('2026-06-10T22:00:00Z', 'Europe/Berlin')).toBe(at('2026-06-11T00:00:00Z', 'UTC'));
  });

  it('carry the id of the day before as long as a visit may be under way, if its salt is there', () => {
    const enricher = new Enricher({ salts: new NamedSalts() });
    const at = (time: string): Hit => hitOf({ enricher, facts: { timeMs: Date.parse(time) } });
    expect(at('2026-06-09T22:10:00Z').visitorBefore).toBeNull();
    const before = at('2026-06-10T21:00:00Z');
    const after = at('2026-06-10T22:30:00Z');
    expect(after.visitorBefore).toBe(before.visitor);
    expect(after.visitor).not.toBe(before.visitor);
    expect(at('2026-06-10T22:30:00.001Z').visitorBefore).toBeNull();
  });

  it('are one over subdomains, and others for another address, user agent, site or domain', () => {
    const enricher = new Enricher({ salts: new NamedSalts() });
    const visitor = (given: Case = {}): bigint => hitOf({ enricher, ...given }).visitor;
    expect(visitor({ body: { u: 'https://shop.example.org/' } })).toBe(visitor());
    const others = [
      visitor(),
      visitor({ facts: { address: '193.0.6.140' } }),
      visitor({ facts: { userAgent: CHROME.replace('126', '127') } }),
      visitor({ site: { ...siteWith(), id: 8 } }),
      visitor({ body: { u: 'https://alice.github.io/' } }),
      visitor({ body: { u: 'https://bob.github.io/' } }),
    ];
    expect(new Set(others).size).toBe(others.length);
  });

  it('ids are the first 64 bits of HMAC-SHA-256', () => {
    const ids = new VisitorIds();
    const long = fc.nat(20_000).map((length) => 'ü'.repeat(length));
    const text = fc.oneof(fc.string({ unit: 'binary' }), long);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), text, (salt, text) => {
        const digest = createHmac('sha256', salt).update(text).digest();
        expect(ids.idOf(salt, text)).toBe(digest.readBigInt64BE(0));
      }),
    );
  });

  it('ids are the same when they are asked for again, also after very many others', () => {
    const ids = new VisitorIds();
    const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
    const asked = () => [one, two].map((salt) => ids.idOf(salt, 'somebody'));
    const first = asked();
    expect(asked()).toEqual(first);
    expect(new Set(first).size).toBe(2);
    for (let other = 0; other < 25_000; other += 1) ids.idOf(one, `other ${other}`);
    expect(asked()).toEqual(first);
  });

  it('different traits never make the same text', () => {
    const ids = new VisitorIds();
    const part = fc.string({ unit: fc.constantFrom('|', '1', 'a', '.'), maxLength: 4 });
    const traits = fc.record({
      siteId: fc.constantFrom(1, 11),
      hostname: part,
      address: part,
      userAgent: part,
    });
    fc.assert(
      fc.property(traits, traits, (left, right) => {
        const isSame = JSON.stringify(left) === JSON.stringify(right);
        fc.pre(!isSame && left.hostname === right.hostname);
        expect(ids.textOf(left)).not.toBe(ids.textOf(right));
      }),
    );
  });
});

describe('salts', () => {
  const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Pacific/Apia', 'UTC');
  const instant = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2035, 0, 1) });

  it('live 48 hours past their day, or past their making when the day is over', () => {
    const salts = new NamedSalts();
    const enricher = new Enricher({ salts });
    const nowMs = Date.parse('2026-06-10T12:00:00Z');
    hitOf({ enricher, facts: { nowMs, timeMs: nowMs } });
    hitOf({ enricher, facts: { nowMs, timeMs: Date.parse('2020-01-01T12:00:00Z') } });
    expect([...salts.made.values()]).toEqual([
      Date.parse('2026-06-12T22:00:00Z'),
      nowMs + 48 * HOUR_MS,
    ]);
  });

  it('live at least 48 hours from any moment of use within their day', () => {
    fc.assert(
      fc.property(zone, instant, instant, (timezone, timeMs, nowMs) => {
        const expiryMs = saltExpiryMs(new SiteDays().dayAt(timezone, timeMs), nowMs);
        expect(expiryMs).toBeGreaterThan(timeMs + SALT_AFTERLIFE_MS);
        expect(expiryMs).toBeGreaterThanOrEqual(nowMs + SALT_AFTERLIFE_MS);
      }),
    );
  });

  it('days hold the instants asked for, however the questions jump', () => {
    const days = new SiteDays();
    fc.assert(
      fc.property(zone, instant, (timezone, timeMs) => {
        const day = days.dayAt(timezone, timeMs);
        expect(day.startMs <= timeMs && timeMs < day.endMs).toBe(true);
        expect(day).toEqual(new SiteDays().dayAt(timezone, timeMs));
        expect(day.dateBefore < day.date).toBe(true);
      }),
    );
  });
});

describe('facts', () => {
  const headers = {
    'user-agent': CHROME,
    'accept-language': 'fr',
    'cf-ipcountry': 'FR',
    'sec-gpc': '1',
    'x-forwarded-for': '203.0.113.9',
  };

  it('of a request through a trusted proxy include what the proxy says', () => {
    expect(
      requestFacts({ socketAddress: '10.0.0.1', headers, trust: DEFAULT_TRUST, nowMs: 5 }),
    ).toMatchObject({
      address: '203.0.113.9',
      userAgent: CHROME,
      language: 'fr',
      headerPlace: { country: 'FR' },
      hasOptedOut: true,
      timeMs: 5,
      nowMs: 5,
    });
  });

  it('of a request from anybody else do not', () => {
    expect(
      requestFacts({ socketAddress: '198.51.100.1', headers, trust: DEFAULT_TRUST, nowMs: 5 }),
    ).toMatchObject({ address: '198.51.100.1', headerPlace: null });
    expect(
      requestFacts({ socketAddress: '10.0.0.1', headers: {}, trust: DEFAULT_TRUST, nowMs: 5 }),
    ).toMatchObject({ userAgent: '', language: null, hasOptedOut: false });
  });

  it('of a batch item are its own', () => {
    const item = { address: null, userAgent: 'x', timeMs: 3, id: 'i' };
    expect(batchFacts(item, 5)).toMatchObject({
      address: null,
      timeMs: 3,
      nowMs: 5,
      dedupeId: 'i',
    });
  });
});

describe('Hosting', () => {
  it('knows the big clouds, and leaves people alone', () => {
    const hosting = new Hosting();
    const rented = ['34.100.0.1', '20.50.0.1', '5.9.1.1', '2a01:4f8:1::1', '51.15.9.9'];
    expect(rented.filter((address) => !hosting.isHosting(address))).toEqual([]);
    const people = ['8.8.8.8', '1.1.1.1', '84.118.1.1', '193.0.6.139', '2003:e1::1', '10.0.0.1'];
    expect(people.filter((address) => hosting.isHosting(address))).toEqual([]);
  });

  it.each([
    [{ autonomous_system_number: 24_940, autonomous_system_organization: 'X' }, true],
    [{ asn: 'AS14061', name: 'X' }, true],
    [{ is_hosting_provider: true }, true],
    [{ as_type: 'hosting', as_name: 'X' }, true],
    [{ autonomous_system_number: 1, autonomous_system_organization: 'Foo Hosting GmbH' }, true],
    [{ autonomous_system_number: 1, autonomous_system_organization: 'Deutsche Telekom' }, false],
    [{ autonomous_system_number: 13_335, as_name: 'Cloudflare, Inc. hosting' }, false],
    [null, false],
    ['hosting', false],
  ])('a record %j', (record, isHosting) => {
    expect(new Hosting(() => record).isHosting('84.118.1.1')).toBe(isHosting);
  });
});

describe('what another program has found out', () => {
  const platform = {
    browser: 'Lynx',
    browserVersion: null,
    os: 'BeOS',
    osVersion: '5',
    device: null,
  };

  it('stands for the address and, where it names a platform, for the user agent', () => {
    const facts = { address: null, userAgent: null, known: { visitor: 'session 1', platform } };
    expect(enriched({ facts })).toMatchObject({
      attributes: { browser: 'Lynx', os: 'BeOS', os_version: '5', country: null },
    });
    const agent = { address: null, userAgent: CHROME, known: { visitor: 'session 1' } };
    expect(enriched({ facts: agent })).toMatchObject({ attributes: { browser: 'Chrome' } });
  });

  it('tells visitors apart', () => {
    const visitorOf = (visitor: string) =>
      enriched({ facts: { address: null, userAgent: null, known: { visitor, platform } } });
    expect(visitorOf('session 1')).toEqual(visitorOf('session 1'));
    expect(visitorOf('session 1')).not.toEqual(visitorOf('session 2'));
  });
});
