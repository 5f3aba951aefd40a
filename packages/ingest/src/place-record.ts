import { NOWHERE, countryCode, placeOf, regionCode, type Place } from './place.ts';

/**
 * The place in a record of a country or city database. Three layouts are in use: MaxMind's (codes
 * and GeoNames ids), DB-IP's (MaxMind's, but mostly names alone) and the flat one of
 * ip-location-db. Names are English. `record` may be anything.
 */
export function placeOfRecord(record: unknown): Place {
  if (!isObject(record)) return NOWHERE;
  if (typeof record['country_code'] === 'string') return flatPlace(record);
  const country = countryCode(
    member(record['country'], 'iso_code') ?? member(record['registered_country'], 'iso_code'),
  );
  const [division]: readonly unknown[] = Array.isArray(record['subdivisions'])
    ? record['subdivisions']
    : [];
  const cityId = member(record['city'], 'geoname_id');
  return placeOf({
    country,
    region: regionCode(country, member(division, 'iso_code')),
    regionName: englishName(division),
    city: typeof cityId === 'number' && cityId > 0 ? String(cityId) : null,
    cityName: englishName(record['city']),
  });
}

function flatPlace(record: Readonly<Record<string, unknown>>): Place {
  return placeOf({
    country: countryCode(record['country_code']),
    regionName: textOf(record['state1']),
    cityName: textOf(record['city']),
  });
}

function englishName(named: unknown): string | null {
  const names = member(named, 'names');
  if (!isObject(names)) return null;
  return textOf(names['en']) ?? textOf(Object.values(names)[0]);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

function member(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
