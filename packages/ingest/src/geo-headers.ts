import { cleanText } from './clean-text.ts';
import { decodePercent } from './percent-decoding.ts';
import { countryCode, placeOf, regionCode, type Place } from './place.ts';
import { headerText, type RequestHeaders } from './request-headers.ts';

const NAME_LENGTH_MAX = 200;

/** Names of headers with one part of a place each. */
interface PlainHeaders {
  readonly country: string;
  readonly region?: string;
  readonly regionName?: string;
  readonly city?: string;
}

type PlaceReader = (headers: RequestHeaders) => Place | null;

/** The delivery networks whose headers are known, in the order in which they are tried. */
export const GEO_HEADER_NETWORKS = [
  'cloudflare',
  'cloudfront',
  'vercel',
  'netlify',
  'akamai',
  'appengine',
  'bunny',
  'fastly',
] as const;

export type GeoHeaderNetwork = (typeof GEO_HEADER_NETWORKS)[number];

const READERS: Readonly<Record<GeoHeaderNetwork, PlaceReader>> = {
  cloudflare: plain({
    country: 'cf-ipcountry',
    region: 'cf-region-code',
    regionName: 'cf-region',
    city: 'cf-ipcity',
  }),
  cloudfront: plain({
    country: 'cloudfront-viewer-country',
    region: 'cloudfront-viewer-country-region',
    regionName: 'cloudfront-viewer-country-region-name',
    city: 'cloudfront-viewer-city',
  }),
  vercel: plain({
    country: 'x-vercel-ip-country',
    region: 'x-vercel-ip-country-region',
    city: 'x-vercel-ip-city',
  }),
  netlify: netlifyPlace,
  akamai: akamaiPlace,
  appengine: plain({
    country: 'x-appengine-country',
    region: 'x-appengine-region',
    city: 'x-appengine-city',
  }),
  bunny: plain({ country: 'cdn-requestcountrycode' }),
  // Fastly sets none by itself; its customers' configurations mostly use these names.
  fastly: plain({
    country: 'x-geo-country-code',
    region: 'x-geo-region',
    city: 'x-geo-city',
  }),
};

/**
 * The place that a delivery network in front of the server says the client is in, or null when none
 * of `networks` says so. Call it only for requests from a trusted proxy: anybody can send these.
 */
export function placeFromHeaders(
  headers: RequestHeaders,
  networks: readonly GeoHeaderNetwork[] = GEO_HEADER_NETWORKS,
): Place | null {
  for (const network of networks) {
    const place = READERS[network](headers);
    if (place !== null && place.country !== null) return place;
  }
  return null;
}

function plain(names: PlainHeaders): PlaceReader {
  return (headers) => {
    const countryText = headerText(headers, names.country);
    if (countryText === null) return null;
    const country = countryCode(countryText);
    return placeOf({
      country,
      region: regionCode(country, headerName(headers, names.region)),
      regionName: headerName(headers, names.regionName),
      cityName: headerName(headers, names.city),
    });
  };
}

function headerName(headers: RequestHeaders, name: string | undefined): string | null {
  const text = name === undefined ? null : headerText(headers, name);
  return text === null ? null : readableName(text);
}

/**
 * Networks send names beyond ASCII either percent-encoded or as plain UTF-8, which Node reads as
 * Latin-1. App Engine says `?` and Cloudflare an empty text for an unknown one.
 */
function readableName(text: string): string | null {
  const bytes = Buffer.from(text, 'latin1');
  const isLatin = /^[\0-\xff]*$/.test(text);
  const utf8 = isLatin ? tryDecodeUtf8(bytes) : null;
  const name = cleanText(decodePercent(utf8 ?? text).trim(), NAME_LENGTH_MAX);
  return name === '' || name === '?' ? null : name;
}

function tryDecodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Base64 of `{"city":…,"country":{"code":…},"subdivision":{"code":…,"name":…}}`. */
function netlifyPlace(headers: RequestHeaders): Place | null {
  const text = headerText(headers, 'x-nf-geo');
  const geo = text === null ? undefined : tryParseJson(Buffer.from(text, 'base64').toString());
  if (geo === undefined) return null;
  const country = countryCode(member(member(geo, 'country'), 'code'));
  return placeOf({
    country,
    region: regionCode(country, member(member(geo, 'subdivision'), 'code')),
    regionName: nameOf(member(member(geo, 'subdivision'), 'name')),
    cityName: nameOf(member(geo, 'city')),
  });
}

/** `georegion=263,country_code=US,region_code=MA,city=CAMBRIDGE,…` */
function akamaiPlace(headers: RequestHeaders): Place | null {
  const text = headerText(headers, 'x-akamai-edgescape');
  if (text === null) return null;
  const fields = new Map(
    text.split(',').map((field): [string, string] => {
      const equalsAt = field.indexOf('=');
      return [field.slice(0, Math.max(0, equalsAt)).trim(), field.slice(equalsAt + 1).trim()];
    }),
  );
  const country = countryCode(fields.get('country_code'));
  return placeOf({
    country,
    region: regionCode(country, fields.get('region_code')),
    cityName: nameOf(capitalised(fields.get('city') ?? '')),
  });
}

/** Akamai shouts; other sources do not, and one city should be one row. */
function capitalised(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|[\s-])\p{L}/gu, (start) => start.toUpperCase());
}

function nameOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const name = cleanText(value.trim(), NAME_LENGTH_MAX);
  return name === '' ? null : name;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
