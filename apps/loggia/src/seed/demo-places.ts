/** A city that visitors come from, with its GeoNames number. */
export interface DemoPlace {
  readonly country: string;
  readonly region: string | null;
  readonly regionName: string | null;
  readonly city: string;
  readonly cityName: string;
  readonly language: string;
  readonly weight: number;
}

type Row = readonly [
  country: string,
  region: string | null,
  regionName: string | null,
  city: string,
  cityName: string,
  language: string,
  weight: number,
];

const ROWS: readonly Row[] = [
  ['DE', 'DE-BE', 'Berlin', '2950159', 'Berlin', 'de', 12],
  ['DE', 'DE-HH', 'Hamburg', '2911298', 'Hamburg', 'de', 6],
  ['DE', 'DE-BY', 'Bavaria', '2867714', 'Munich', 'de', 7],
  ['DE', 'DE-NW', 'North Rhine-Westphalia', '2886242', 'Cologne', 'de', 5],
  ['US', 'US-NY', 'New York', '5128581', 'New York City', 'en', 8],
  ['US', 'US-CA', 'California', '5391959', 'San Francisco', 'en', 7],
  ['US', 'US-IL', 'Illinois', '4887398', 'Chicago', 'en', 4],
  ['US', 'US-WA', 'Washington', '5809844', 'Seattle', 'en', 4],
  ['US', 'US-TX', 'Texas', '4671654', 'Austin', 'en', 3],
  ['GB', 'GB-ENG', 'England', '2643743', 'London', 'en', 8],
  ['GB', 'GB-ENG', 'England', '2643123', 'Manchester', 'en', 2],
  ['GB', 'GB-SCT', 'Scotland', '2650225', 'Edinburgh', 'en', 1],
  ['FR', 'FR-IDF', 'Île-de-France', '2988507', 'Paris', 'fr', 6],
  ['FR', 'FR-ARA', 'Auvergne-Rhône-Alpes', '2996944', 'Lyon', 'fr', 2],
  ['NL', 'NL-NH', 'North Holland', '2759794', 'Amsterdam', 'nl', 4],
  ['NL', 'NL-UT', 'Utrecht', '2745912', 'Utrecht', 'nl', 1],
  ['AT', 'AT-9', 'Vienna', '2761369', 'Vienna', 'de', 3],
  ['CH', 'CH-ZH', 'Zurich', '2657896', 'Zürich', 'de', 3],
  ['PL', 'PL-14', 'Mazovia', '756135', 'Warsaw', 'pl', 2],
  ['PL', 'PL-12', 'Lesser Poland', '3094802', 'Kraków', 'pl', 1],
  ['ES', 'ES-MD', 'Madrid', '3117735', 'Madrid', 'es', 2],
  ['ES', 'ES-CT', 'Catalonia', '3128760', 'Barcelona', 'es', 2],
  ['IT', 'IT-62', 'Lazio', '3169070', 'Rome', 'it', 1.5],
  ['IT', 'IT-25', 'Lombardy', '3173435', 'Milan', 'it', 1.5],
  ['SE', 'SE-AB', 'Stockholm', '2673730', 'Stockholm', 'sv', 2],
  ['DK', 'DK-84', 'Capital Region', '2618425', 'Copenhagen', 'da', 1],
  ['NO', 'NO-03', 'Oslo', '3143244', 'Oslo', 'nb', 1],
  ['CA', 'CA-ON', 'Ontario', '6167865', 'Toronto', 'en', 3],
  ['CA', 'CA-QC', 'Quebec', '6077243', 'Montreal', 'fr', 1],
  ['BR', 'BR-SP', 'São Paulo', '3448439', 'São Paulo', 'pt', 2.5],
  ['IN', 'IN-KA', 'Karnataka', '1277333', 'Bengaluru', 'en', 3],
  ['IN', 'IN-MH', 'Maharashtra', '1275339', 'Mumbai', 'en', 2],
  ['JP', 'JP-13', 'Tokyo', '1850147', 'Tokyo', 'ja', 3],
  ['AU', 'AU-NSW', 'New South Wales', '2147714', 'Sydney', 'en', 2],
  ['SG', null, null, '1880252', 'Singapore', 'en', 1],
  ['KR', 'KR-11', 'Seoul', '1835848', 'Seoul', 'ko', 1],
];

export const DEMO_PLACES: readonly DemoPlace[] = ROWS.map(
  ([country, region, regionName, city, cityName, language, weight]) => ({
    country,
    region,
    regionName,
    city,
    cityName,
    language,
    weight,
  }),
);
