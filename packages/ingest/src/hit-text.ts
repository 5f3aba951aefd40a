import { assert } from '@tandem/base';
import type { Hit, VisitAttributes } from '@loggia/contract';

type HitField = Exclude<keyof Hit, 'attributes'>;

/** The fields in their order within a hit's array; the attributes follow in theirs. */
const FIELDS = [
  'siteId',
  'timeMs',
  'visitor',
  'visitorBefore',
  'name',
  'hostname',
  'page',
  'properties',
  'revenueMilli',
  'revenueCurrency',
  'interactive',
  'scrollDepth',
  'engagedMs',
  'dedupeId',
] as const satisfies readonly HitField[];
const ATTRIBUTES = [
  'source',
  'referrer',
  'channel',
  'utm_medium',
  'utm_source',
  'utm_campaign',
  'utm_content',
  'utm_term',
  'click_id',
  'country',
  'region',
  'region_name',
  'city',
  'city_name',
  'browser',
  'browser_version',
  'os',
  'os_version',
  'device',
  'screen',
  'language',
] as const satisfies readonly (keyof VisitAttributes)[];

/**
 * Hits as JSON text: an array of values per hit, without names, ids as decimal text. Writing and
 * reading it takes half the time that a structured clone of the same objects takes.
 */
export function encodeHits(hits: readonly Hit[]): string {
  return JSON.stringify(hits.map(valuesOf));
}

/** The hits in a text that `encodeHits` made. */
export function decodeHits(text: string): Hit[] {
  const rows = JSON.parse(text) as readonly (readonly unknown[])[];
  return rows.map(hitOf);
}

function valuesOf(hit: Hit): unknown[] {
  const values: unknown[] = [];
  for (const field of FIELDS) {
    const value = hit[field];
    values.push(typeof value === 'bigint' ? value.toString() : value);
  }
  for (const attribute of ATTRIBUTES) values.push(hit.attributes[attribute]);
  return values;
}

function hitOf(values: readonly unknown[]): Hit {
  assert(values.length === FIELDS.length + ATTRIBUTES.length, 'a hit has all its values');
  const hit: Record<string, unknown> = {};
  for (const [index, field] of FIELDS.entries()) hit[field] = values[index];
  const attributes: Record<string, unknown> = {};
  for (const [index, attribute] of ATTRIBUTES.entries()) {
    attributes[attribute] = values[FIELDS.length + index];
  }
  hit['attributes'] = attributes;
  hit['visitor'] = bigintOf(hit['visitor']);
  hit['visitorBefore'] = hit['visitorBefore'] === null ? null : bigintOf(hit['visitorBefore']);
  return hit as unknown as Hit;
}

function bigintOf(value: unknown): bigint {
  assert(typeof value === 'string', 'an id is text');
  return BigInt(value);
}
