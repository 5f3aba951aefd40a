import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LruCache } from '@tandem/base';
import { Reader, type Response } from 'mmdb-lib';
import type { MmdbFile } from './mmdb-file.ts';
import { placeOfRecord } from './place-record.ts';
import { NOWHERE, type Place } from './place.ts';

const COUNTRY_DATABASE = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';
const CACHED_MAX = 20_000;

/** Where addresses are. */
export interface PlaceSource {
  placeOf(address: string, nowMs: number): Place;
}

/**
 * Places from the operator's city database where it has one, else from the country database that
 * comes along (CC0, 8 MB, read at the first lookup and kept in memory). Answers for the last few
 * thousand addresses are remembered, in memory only.
 */
export class Places implements PlaceSource {
  readonly #cities: MmdbFile | null;
  readonly #known = new LruCache<string, Place>(CACHED_MAX);
  #knownGeneration = 0;
  #countries: Reader<Response> | undefined;

  constructor(cities: MmdbFile | null = null) {
    this.#cities = cities;
  }

  /** The place of `address`, which is in normal form. */
  placeOf(address: string, nowMs: number): Place {
    this.#forgetStale(nowMs);
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const city = this.#cities === null ? NOWHERE : placeOfRecord(this.#cities.get(address));
    const place = city.country === null ? this.#countryOf(address) : city;
    this.#known.set(address, place);
    return place;
  }

  #forgetStale(nowMs: number): void {
    if (this.#cities === null) return;
    this.#cities.checkAt(nowMs);
    if (this.#cities.generation === this.#knownGeneration) return;
    this.#knownGeneration = this.#cities.generation;
    this.#known.clear();
  }

  #countryOf(address: string): Place {
    this.#countries ??= new Reader<Response>(
      readFileSync(createRequire(import.meta.url).resolve(COUNTRY_DATABASE)),
    );
    return placeOfRecord(this.#countries.get(address));
  }
}
