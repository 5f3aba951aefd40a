import { assert } from '@tandem/base';
import type { Hit, VisitAttributes } from '@loggia/contract';

type HitValues = ReturnType<typeof valuesOf>;
type AttributeValues = ReturnType<typeof attributeValuesOf>;

const HIT_VALUES: HitValues['length'] = 15;
const ATTRIBUTE_VALUES: AttributeValues['length'] = 21;

/**
 * Hits as JSON text: an array of values per hit, without names, ids as decimal text. Writing and
 * reading it takes half the time that a structured clone of the same objects takes.
 */
export function encodeHits(hits: readonly Hit[]): string {
  return JSON.stringify(hits.map(valuesOf));
}

/** The hits in a text that `encodeHits` made. */
export function decodeHits(text: string): Hit[] {
  const rows = JSON.parse(text) as readonly HitValues[];
  return rows.map(hitOf);
}

// The names are written out, since a loop over them takes several times as long.

function valuesOf(hit: Hit) {
  return [
    hit.siteId,
    hit.timeMs,
    hit.visitor.toString(),
    hit.visitorBefore === null ? null : hit.visitorBefore.toString(),
    hit.name,
    hit.hostname,
    hit.page,
    hit.properties,
    hit.revenueMilli,
    hit.revenueCurrency,
    hit.interactive,
    hit.scrollDepth,
    hit.engagedMs,
    hit.dedupeId,
    attributeValuesOf(hit.attributes),
  ] as const;
}

function hitOf(values: HitValues): Hit {
  assert(values.length === HIT_VALUES, 'a hit has all its values');
  const [
    siteId,
    timeMs,
    visitor,
    visitorBefore,
    name,
    hostname,
    page,
    properties,
    revenueMilli,
    revenueCurrency,
    interactive,
    scrollDepth,
    engagedMs,
    dedupeId,
    attributes,
  ] = values;
  return {
    siteId,
    timeMs,
    visitor: BigInt(visitor),
    visitorBefore: visitorBefore === null ? null : BigInt(visitorBefore),
    name,
    hostname,
    page,
    properties,
    revenueMilli,
    revenueCurrency,
    interactive,
    scrollDepth,
    engagedMs,
    dedupeId,
    attributes: attributesOf(attributes),
  };
}

function attributeValuesOf(attributes: VisitAttributes) {
  return [
    attributes.source,
    attributes.referrer,
    attributes.channel,
    attributes.utm_medium,
    attributes.utm_source,
    attributes.utm_campaign,
    attributes.utm_content,
    attributes.utm_term,
    attributes.click_id,
    attributes.country,
    attributes.region,
    attributes.region_name,
    attributes.city,
    attributes.city_name,
    attributes.browser,
    attributes.browser_version,
    attributes.os,
    attributes.os_version,
    attributes.device,
    attributes.screen,
    attributes.language,
  ] as const;
}

function attributesOf(values: AttributeValues): VisitAttributes {
  assert(values.length === ATTRIBUTE_VALUES, 'a hit has all its attributes');
  const [
    source,
    referrer,
    channel,
    utm_medium,
    utm_source,
    utm_campaign,
    utm_content,
    utm_term,
    click_id,
    country,
    region,
    region_name,
    city,
    city_name,
    browser,
    browser_version,
    os,
    os_version,
    device,
    screen,
    language,
  ] = values;
  return {
    source,
    referrer,
    channel,
    utm_medium,
    utm_source,
    utm_campaign,
    utm_content,
    utm_term,
    click_id,
    country,
    region,
    region_name,
    city,
    city_name,
    browser,
    browser_version,
    os,
    os_version,
    device,
    screen,
    language,
  };
}
