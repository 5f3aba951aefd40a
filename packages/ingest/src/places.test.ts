import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MmdbFile, checkedReader, type MmdbNotice } from './mmdb-file.ts';
import { Places } from './places.ts';

type Value = string | number | readonly Value[] | { readonly [key: string]: Value };

/** Type and length in one control byte, as MaxMind DB's format has it for what is short. */
function encoded(value: Value): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([(2 << 5) | bytes.length]), bytes]);
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([Buffer.from([(6 << 5) | 4]), bytes]);
  }
  if (Array.isArray(value)) {
    return Buffer.concat([Buffer.from([value.length, 11 - 7]), ...value.map(encoded)]);
  }
  const entries = Object.entries(value);
  const parts = entries.flatMap(([key, entry]) => [encoded(key), encoded(entry)]);
  return Buffer.concat([Buffer.from([(7 << 5) | entries.length]), ...parts]);
}

/** A database of one node: `record` for addresses below 128.0.0.0, nothing above. */
function databaseOf(record: Value): Buffer {
  const tree = Buffer.from([0, 0, 1 + 16, 0, 0, 1]);
  const metadata = {
    node_count: 1,
    record_size: 24,
    ip_version: 4,
    database_type: 'Test-City',
    languages: ['en'],
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_780_000_000,
    description: { en: 'Test' },
  };
  const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com')]);
  return Buffer.concat([tree, Buffer.alloc(16), encoded(record), marker, encoded(metadata)]);
}

function cityDatabase(name: string): Buffer {
  return databaseOf({
    country: { iso_code: 'DE' },
    subdivisions: [{ iso_code: 'BE', names: { en: 'Land Berlin' } }],
    city: { geoname_id: 2_950_159, names: { en: name } },
  });
}

describe('Places', () => {
  let folder = '';
  let path = '';
  let notices: MmdbNotice[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loggia-places-'));
    path = join(folder, 'city.mmdb');
    notices = [];
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const openFile = (): MmdbFile =>
    new MmdbFile({ path, onNotice: (notice) => notices.push(notice) });

  async function replace(bytes: Buffer): Promise<void> {
    await writeFile(`${path}.new`, bytes);
    await rename(`${path}.new`, path);
  }

  it('the country database that comes along knows both families', () => {
    const places = new Places();
    expect(places.placeOf('8.8.8.8', 0).country).toBe('US');
    expect(places.placeOf('193.0.6.139', 0).country).toBe('NL');
    expect(places.placeOf('2001:4860:4860::8888', 0).country).toBe('US');
    expect(places.placeOf('10.0.0.1', 0).country).toBeNull();
    expect(places.placeOf('8.8.8.8', 0)).toBe(places.placeOf('8.8.8.8', 0));
  });

  it('a city database comes first, and the country database for what it lacks', async () => {
    await replace(cityDatabase('Berlin'));
    const cities = openFile();
    await cities.refresh();
    const places = new Places(cities);
    expect(places.placeOf('8.8.8.8', 0)).toMatchObject({ region: 'DE-BE', cityName: 'Berlin' });
    expect(places.placeOf('193.0.6.139', 0)).toMatchObject({ country: 'NL', city: null });
    expect(notices.map(({ kind }) => kind)).toEqual(['loaded']);
  });

  it('a file that is replaced is read again, and what was remembered is forgotten', async () => {
    await replace(cityDatabase('Berlin'));
    const cities = openFile();
    await cities.refresh();
    const places = new Places(cities);
    expect(places.placeOf('8.8.8.8', 0).cityName).toBe('Berlin');
    await replace(cityDatabase('Potsdam'));
    expect(places.placeOf('8.8.8.8', 9999).cityName).toBe('Berlin');
    await cities.refresh();
    expect(places.placeOf('8.8.8.8', 10_000).cityName).toBe('Potsdam');
    await cities.refresh();
    expect(notices).toHaveLength(2);
  });

  it('a broken file leaves the one before in use and is told of once', async () => {
    await replace(cityDatabase('Berlin'));
    const cities = openFile();
    await cities.refresh();
    const places = new Places(cities);
    for (const bytes of [Buffer.from('rubbish'), cityDatabase('Bonn').subarray(0, 60)]) {
      await replace(bytes);
      await cities.refresh();
      await cities.refresh();
      expect(places.placeOf('8.8.8.8', 0).cityName).toBe('Berlin');
    }
    const failures = notices.filter(({ kind }) => kind === 'failed');
    expect(failures.length).toBeGreaterThanOrEqual(1);
    expect(failures.length).toBeLessThanOrEqual(2);
    expect(failures[0]?.message).toContain('stays in use');
    await replace(cityDatabase('Bonn'));
    await cities.refresh();
    expect(places.placeOf('8.8.8.8', 0).cityName).toBe('Bonn');
  });

  it('a file that is not there is a notice, and is read once it is', async () => {
    const cities = openFile();
    await cities.refresh();
    await cities.refresh();
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({ kind: 'failed', path });
    const places = new Places(cities);
    expect(places.placeOf('193.0.6.139', 0).country).toBe('NL');
    await replace(cityDatabase('Berlin'));
    await cities.refresh();
    expect(places.placeOf('8.8.8.8', 0).cityName).toBe('Berlin');
  });
});

describe('checkedReader', () => {
  it('a cut database is refused or answers like the whole one', () => {
    const whole = cityDatabase('Berlin');
    const answer = checkedReader(whole).get('1.2.3.4');
    expect(answer).toMatchObject({ country: { iso_code: 'DE' } });
    let refusedCount = 0;
    for (let length = 0; length < whole.length; length += 1) {
      try {
        expect(checkedReader(whole.subarray(0, length)).get('1.2.3.4')).toEqual(answer);
      } catch (error) {
        expect(error).not.toHaveProperty('matcherResult');
        refusedCount += 1;
      }
    }
    // Only the description at the very end may be cut short unnoticed.
    expect(refusedCount).toBeGreaterThan(whole.length - 10);
  });
});
