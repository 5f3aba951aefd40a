import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEvent, type EventBody } from './event-body.ts';

const MINIMAL = { n: 'pageview', u: 'https://example.org/', d: 'example.org' };

function eventOf(fields: Record<string, unknown>): EventBody {
  const parsed = parseEvent({ ...MINIMAL, ...fields });
  if (!parsed.ok) throw new Error(parsed.errors.join(' '));
  return parsed.event;
}

function errorsOf(body: unknown): readonly string[] {
  const parsed = parseEvent(body);
  return parsed.ok ? [] : parsed.errors;
}

describe('parseEvent', () => {
  it('short and long names mean the same', () => {
    const short = parseEvent({
      n: 'Signup',
      u: 'https://www.example.org/a?b#c',
      d: 'example.org',
      r: 'https://other.example/',
      p: { plan: 'pro' },
      h: 1,
      $: { amount: '9.99', currency: 'EUR' },
      i: false,
      w: 1280,
    });
    const long = parseEvent({
      name: 'Signup',
      url: 'https://www.example.org/a?b#c',
      domain: 'example.org',
      referrer: 'https://other.example/',
      props: { plan: 'pro' },
      hashMode: true,
      revenue: { amount: 9.99, currency: 'eur' },
      interactive: false,
      screen_width: 1280,
    });
    expect(long).toEqual(short);
    expect(short).toEqual({
      ok: true,
      event: {
        name: 'Signup',
        address: { host: 'www.example.org', hostname: 'example.org', page: '/a#c', query: 'b' },
        domains: ['example.org'],
        referrer: 'https://other.example/',
        properties: { plan: 'pro' },
        revenue: { milli: 9990, currency: 'EUR' },
        interactive: false,
        scrollDepth: null,
        engagedMs: null,
        screenWidth: 1280,
        trackerVersion: null,
      },
    });
  });

  it('takes a body that is JSON text, and text or numbers where the other is usual', () => {
    const parsed = parseEvent(JSON.stringify({ ...MINIMAL, n: 404, v: '12', w: '800' }));
    expect(parsed).toMatchObject({
      ok: true,
      event: { name: '404', trackerVersion: 12, screenWidth: 800 },
    });
  });

  it('several sites come lower-cased, trimmed and once each', () => {
    expect(eventOf({ d: ' Example.org , www.other.org,,example.ORG ' }).domains).toEqual([
      'example.org',
      'www.other.org',
    ]);
  });

  it('the host of the URL stands in for a missing domain', () => {
    expect(eventOf({ d: undefined, u: 'https://WWW.example.org:8080/' }).domains).toEqual([
      'www.example.org',
    ]);
    expect(errorsOf({ n: 'pageview', u: '/path' })).toHaveLength(1);
  });

  it.each([
    ['no object', 'text', 1],
    ['a list', [], 1],
    ['nothing in it', {}, 2],
    ['no name', { ...MINIMAL, n: undefined }, 1],
    ['a blank name', { ...MINIMAL, n: '  ' }, 1],
    ['a name that is no string', { ...MINIMAL, n: true }, 1],
    ['a fraction for a name', { ...MINIMAL, n: 1.5 }, 1],
    ['no URL', { ...MINIMAL, u: undefined }, 1],
    ['a blank URL', { ...MINIMAL, u: '' }, 1],
    ['a URL that is no string', { ...MINIMAL, u: 12 }, 1],
    ['a data URL', { ...MINIMAL, u: 'data:text/html,hi' }, 1],
    ['a blank domain', { ...MINIMAL, d: '' }, 1],
    ['only commas for a domain', { ...MINIMAL, d: ' , ,' }, 1],
    ['a domain that is no string', { ...MINIMAL, d: ['example.org'] }, 1],
    ['a ping that says nothing', { ...MINIMAL, n: 'engagement' }, 1],
    ['a ping whose values are bad', { ...MINIMAL, n: 'engagement', sd: -1, e: 'x' }, 1],
  ])('%s is refused with a reason for each fault', (_, body, count) => {
    expect(errorsOf(body)).toHaveLength(count);
  });

  it('what is too long is cut', () => {
    const event = eventOf({
      n: 'n'.repeat(500),
      u: `https://example.org/${'p'.repeat(5000)}?utm_source=kept`,
      r: `https://other.example/${'r'.repeat(5000)}`,
    });
    expect(event.name).toHaveLength(120);
    expect(event.address.page).toHaveLength(2000);
    expect(event.address.query).toBe('utm_source=kept');
    expect(event.referrer).toHaveLength(2000);
  });

  it('an address of a megabyte is cut before it is decoded', () => {
    const { address } = eventOf({
      u: `https://example.org/${'%f0'.repeat(3e5)}?${'&'.repeat(1e6)}`,
    });
    expect(address.page).toBe(`/${'%f0'.repeat(667)}`.slice(0, 2000));
    expect(address.query).toHaveLength(20_000);
  });

  it('cutting splits no character', () => {
    expect(eventOf({ n: `${'n'.repeat(119)}😀` }).name).toBe('n'.repeat(119));
  });

  it('keeps thirty properties that say something, as text', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k${index}`, index]));
    const kept = eventOf({ p: { list: [1], object: {}, blank: ' ', none: null, ...many } });
    expect(Object.keys(kept.properties ?? {})).toHaveLength(30);
    expect(kept.properties).toMatchObject({ k0: '0', k29: '29' });
    expect(eventOf({ props: '{"a":true,"b":1.5}' }).properties).toEqual({ a: 'true', b: '1.5' });
    expect(eventOf({ meta: { a: 'x' } }).properties).toEqual({ a: 'x' });
    for (const nothing of [{}, [], '[1]', 'no json', 7, { a: '' }])
      expect(eventOf({ p: nothing }).properties).toBeNull();
  });

  it('cuts keys to 300 and values to 2,000', () => {
    const properties = eventOf({ p: { ['k'.repeat(400)]: 'v'.repeat(3000) } }).properties ?? {};
    expect(Object.entries(properties).map(([key, value]) => [key.length, value.length])).toEqual([
      [300, 2000],
    ]);
  });

  it('a property by the name of __proto__ is only a property', () => {
    const properties = eventOf({ p: '{"__proto__":"x"}' }).properties;
    expect(JSON.stringify(properties)).toBe('{"__proto__":"x"}');
  });

  it('bad revenue is ignored and the event kept', () => {
    for (const bad of [{ amount: 1 }, { amount: 'x', currency: 'EUR' }, 'EUR 5', 5, []])
      expect(eventOf({ $: bad }).revenue).toBeNull();
    expect(eventOf({ $: '{"amount":"5","currency":"USD"}' }).revenue).toEqual({
      milli: 5000,
      currency: 'USD',
    });
  });

  it.each([
    [{ sd: 50, e: 1200 }, 50, 1200],
    [{ sd: 255, e: 0 }, 100, 0],
    [{ scrollDepth: 12.6, engagedMs: 5.4 }, 13, 5],
    [{ scroll_depth: '40' }, 40, null],
    [{ sd: -3, engagement_time: 900 }, null, 900],
    [{ sd: 1, e: 30 * 24 * 3_600_000 }, 1, null],
    [{ sd: 1, e: -1 }, 1, null],
  ])('a ping with %o', (fields, scrollDepth, engagedMs) => {
    expect(eventOf({ n: 'engagement', ...fields })).toMatchObject({
      scrollDepth,
      engagedMs,
      interactive: false,
    });
  });

  it('depth and time belong to pings alone, and a page view is interactive whatever it says', () => {
    expect(eventOf({ sd: 50, e: 10, i: false })).toMatchObject({
      scrollDepth: null,
      engagedMs: null,
      interactive: true,
    });
    expect(eventOf({ n: 'Signup' }).interactive).toBe(true);
    expect(eventOf({ n: 'Signup', interactive: false }).interactive).toBe(false);
  });

  it('never throws, and what it accepts is within the limits', () => {
    const values = fc.oneof(fc.jsonValue(), fc.anything(), fc.constant('https://example.org/%f0'));
    const keys = ['n', 'u', 'd', 'r', 'p', 'h', '$', 'i', 'v', 'sd', 'e', 'w', 'name', 'url'];
    const bodies = fc.oneof(
      fc.anything(),
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom(...keys), values),
      fc.record({ n: values, u: fc.webUrl(), d: fc.domain(), p: values, $: values, sd: values }),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        const parsed = parseEvent(body);
        if (!parsed.ok) expect(parsed.errors.length).toBeGreaterThan(0);
        else {
          const { name, domains, address, properties } = parsed.event;
          expect(name.length > 0 && name.length <= 120).toBe(true);
          expect(domains.length).toBeGreaterThan(0);
          expect(address.page).toMatch(/^\//);
          expect(address.page.length).toBeLessThanOrEqual(2000);
          expect(Object.keys(properties ?? {}).length).toBeLessThanOrEqual(30);
        }
      }),
    );
  });
});
