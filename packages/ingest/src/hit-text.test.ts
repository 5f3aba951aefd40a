import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Hit } from '@loggia/contract';
import { decodeHits, encodeHits } from './hit-text.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const id = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const attribute = orNull(text);

const hit: fc.Arbitrary<Hit> = fc.record({
  siteId: fc.nat(),
  timeMs: fc.integer({ min: 0, max: 8.64e15 }),
  visitor: id,
  visitorBefore: orNull(id),
  name: text,
  hostname: text,
  page: text,
  properties: attribute,
  revenueMilli: orNull(fc.maxSafeInteger()),
  revenueCurrency: attribute,
  interactive: fc.boolean(),
  scrollDepth: orNull(fc.nat(100)),
  engagedMs: orNull(fc.nat()),
  dedupeId: attribute,
  attributes: fc.record({
    source: attribute,
    referrer: attribute,
    channel: text,
    utm_medium: attribute,
    utm_source: attribute,
    utm_campaign: attribute,
    utm_content: attribute,
    utm_term: attribute,
    click_id: attribute,
    country: attribute,
    region: attribute,
    region_name: attribute,
    city: attribute,
    city_name: attribute,
    browser: attribute,
    browser_version: attribute,
    os: attribute,
    os_version: attribute,
    device: attribute,
    screen: attribute,
    language: attribute,
  }),
});

it('hits read from their text are the hits that were written', () => {
  fc.assert(
    fc.property(fc.array(hit, { maxLength: 5 }), (hits) => {
      expect(decodeHits(encodeHits(hits))).toEqual(hits.map((each) => ({ ...each })));
    }),
  );
});
