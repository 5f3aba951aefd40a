/** Where a visitor is, as far as known. The names are those of `VISIT_COLUMNS`. */
export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  /** ISO 3166-2 or, where the source has no code, the region's name. */
  readonly region: string | null;
  readonly regionName: string | null;
  /** GeoNames id or, where the source has none, the city's name. */
  readonly city: string | null;
  readonly cityName: string | null;
}

export const NOWHERE: Place = Object.freeze({
  country: null,
  region: null,
  regionName: null,
  city: null,
  cityName: null,
});

/** Codes that mean 'not known': user-assigned, Tor, anonymous proxies, satellites, continents. */
const NO_COUNTRY: ReadonlySet<string> = new Set(['XX', 'T1', 'A1', 'A2', 'O1', 'AP', 'EU', 'ZZ']);

/** `text` as a country's code in capitals, or null when it is none. */
export function countryCode(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  const code = text.trim().toUpperCase();
  return /^[A-Z]{2}$/.test(code) && !NO_COUNTRY.has(code) ? code : null;
}

/** ISO 3166-2 from a country and the code of a region, which may already be the full one. */
export function regionCode(country: string | null, code: unknown): string | null {
  if (country === null || typeof code !== 'string') return null;
  const region = code.trim().toUpperCase();
  if (new RegExp(`^${country}-[A-Z0-9]{1,3}$`).test(region)) return region;
  return /^[A-Z0-9]{1,3}$/.test(region) ? `${country}-${region}` : null;
}

/** A place of which nothing else is known is nowhere: a city without its country misleads. */
export function placeOf(parts: {
  readonly country: string | null;
  readonly region?: string | null;
  readonly regionName?: string | null;
  readonly city?: string | null;
  readonly cityName?: string | null;
}): Place {
  const { country, region = null, regionName = null, city = null, cityName = null } = parts;
  if (country === null) return NOWHERE;
  return {
    country,
    region: region ?? regionName,
    regionName,
    city: city ?? cityName,
    cityName,
  };
}
