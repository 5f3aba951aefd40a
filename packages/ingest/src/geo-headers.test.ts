import { describe, expect, it } from 'vitest';
import { placeFromHeaders } from './geo-headers.ts';
import { placeOfRecord } from './place-record.ts';
import { NOWHERE, countryCode, regionCode } from './place.ts';

/** What Node makes of a header that was sent as UTF-8. */
const asLatin1 = (text: string): string => Buffer.from(text).toString('latin1');

describe('placeFromHeaders', () => {
  it('reads Cloudflare', () => {
    const headers = {
      'cf-ipcountry': 'BR',
      'cf-region': asLatin1('São Paulo'),
      'cf-region-code': 'SP',
      'cf-ipcity': asLatin1('São Paulo'),
    };
    expect(placeFromHeaders(headers)).toEqual({
      country: 'BR',
      region: 'BR-SP',
      regionName: 'São Paulo',
      city: 'São Paulo',
      cityName: 'São Paulo',
    });
  });

  it('reads CloudFront, Vercel, App Engine, Akamai, Netlify, Bunny and Fastly', () => {
    const netlify = {
      city: 'Boston',
      country: { code: 'US' },
      subdivision: { code: 'MA', name: 'M' },
    };
    const places = [
      {
        'cloudfront-viewer-country': 'US',
        'cloudfront-viewer-country-region': 'MA',
        'cloudfront-viewer-city': 'Boston',
      },
      {
        'x-vercel-ip-country': 'US',
        'x-vercel-ip-country-region': 'MA',
        'x-vercel-ip-city': '%42oston',
      },
      { 'x-appengine-country': 'US', 'x-appengine-region': 'ma', 'x-appengine-city': 'Boston' },
      { 'x-akamai-edgescape': 'georegion=1,country_code=US,region_code=MA,city=BOSTON,dma=506' },
      { 'x-nf-geo': Buffer.from(JSON.stringify(netlify)).toString('base64') },
      { 'x-geo-country-code': 'US', 'x-geo-region': 'MA', 'x-geo-city': 'Boston' },
    ].map((headers) => placeFromHeaders(headers));
    for (const place of places)
      expect(place).toMatchObject({ country: 'US', region: 'US-MA', cityName: 'Boston' });
    expect(placeFromHeaders({ 'cdn-requestcountrycode': 'de' })?.country).toBe('DE');
  });

  it('what means nothing gives nothing', () => {
    for (const country of ['XX', 'T1', '', ' ', 'Germany', '??'])
      expect(placeFromHeaders({ 'cf-ipcountry': country })).toBeNull();
    expect(placeFromHeaders({})).toBeNull();
    expect(placeFromHeaders({ 'x-nf-geo': 'no base64 of JSON' })).toBeNull();
    expect(placeFromHeaders({ 'x-akamai-edgescape': 'rubbish' })).toBeNull();
    expect(
      placeFromHeaders({ 'x-appengine-country': 'US', 'x-appengine-city': '?' })?.city,
    ).toBeNull();
  });

  it('asks only the networks it is told to', () => {
    expect(placeFromHeaders({ 'cf-ipcountry': 'DE' }, ['vercel'])).toBeNull();
  });
});

describe('placeOfRecord', () => {
  it("reads MaxMind's layout", () => {
    const record = {
      country: { iso_code: 'DE', names: { en: 'Germany' } },
      subdivisions: [{ iso_code: 'BE', names: { de: 'Berlin', en: 'Land Berlin' } }],
      city: { geoname_id: 2_950_159, names: { en: 'Berlin' } },
    };
    expect(placeOfRecord(record)).toEqual({
      country: 'DE',
      region: 'DE-BE',
      regionName: 'Land Berlin',
      city: '2950159',
      cityName: 'Berlin',
    });
  });

  it("reads DB-IP's, which has names alone", () => {
    const record = {
      country: { iso_code: 'US' },
      subdivisions: [{ names: { en: 'California' } }],
      city: { names: { en: 'Mountain View' } },
    };
    expect(placeOfRecord(record)).toMatchObject({
      country: 'US',
      region: 'California',
      city: 'Mountain View',
    });
  });

  it('reads the flat one', () => {
    expect(placeOfRecord({ country_code: 'JP', state1: 'Tokyo', city: 'Shibuya' })).toMatchObject({
      country: 'JP',
      region: 'Tokyo',
      cityName: 'Shibuya',
    });
    expect(placeOfRecord({ country_code: 'JP' })).toEqual({ ...NOWHERE, country: 'JP' });
  });

  it('takes the country of registration when there is no other', () => {
    expect(placeOfRecord({ registered_country: { iso_code: 'FR' } }).country).toBe('FR');
  });

  it.each([[null], ['DE'], [[]], [{}], [{ country: 'DE' }], [{ city: { names: { en: 'Rome' } } }]])(
    '%j is nowhere',
    (record) => {
      expect(placeOfRecord(record)).toEqual(NOWHERE);
    },
  );
});

describe('codes', () => {
  it('are those of ISO 3166', () => {
    expect(['de', ' US ', 'A1', 'EU', 'DEU', 7].map(countryCode)).toEqual([
      'DE',
      'US',
      null,
      null,
      null,
      null,
    ]);
    expect(regionCode('GB', 'eng')).toBe('GB-ENG');
    expect(regionCode('GB', 'GB-ENG')).toBe('GB-ENG');
    expect(regionCode('GB', 'England')).toBeNull();
    expect(regionCode(null, 'ENG')).toBeNull();
  });
});
