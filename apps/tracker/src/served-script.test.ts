import { readFile } from 'node:fs/promises';
import { Script as Program } from 'node:vm';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { SCRIPT_FEATURES } from '@loggia/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { scriptIdOf, scriptNamed, scriptWith } from './index.ts';

/** The promise of the default script: less than this, compressed with gzip at level 9. */
const DEFAULT_GZIP_BYTES_MAX = 1024;
const FULL_GZIP_BYTES_MAX = 2700;

const features = fc.subarray([...SCRIPT_FEATURES]);

describe('size', () => {
  test('the default script is below 1,024 bytes', () => {
    const { body, gzip, brotli } = scriptWith([]);
    console.log(
      `default script: ${body.length} bytes, gzip ${gzip.length}, brotli ${brotli.length}`,
    );
    expect(gzip.length).toBeLessThan(DEFAULT_GZIP_BYTES_MAX);
  });

  test('the script with every feature there is stays below 2,700 bytes', () => {
    for (const feature of SCRIPT_FEATURES) {
      const { gzip } = scriptWith([feature]);
      console.log(`with ${feature}: gzip ${gzip.length}`);
    }
    const all = scriptWith([...SCRIPT_FEATURES], { domain: 'example.org' });
    const own = scriptWith([], { domain: 'example.org' });
    console.log(`own script: gzip ${own.gzip.length}, with every feature ${all.gzip.length}`);
    expect(all.gzip.length).toBeLessThan(FULL_GZIP_BYTES_MAX);
  });
});

test('the guide tells the size of the script with each feature', async () => {
  const guide = await readFile(new URL('../../../docs/guides/tracker.md', import.meta.url), 'utf8');
  const rows = [...guide.matchAll(/^\| (?:`([\w-]+)`|\(none\)) \|.*\| (\d+) \|$/gm)];
  expect(rows.map(([, extension = '', bytes]) => [extension, Number(bytes)])).toEqual(
    expect.arrayContaining([
      ['', scriptWith([]).gzip.length],
      ...SCRIPT_FEATURES.map((feature) => [feature, scriptWith([feature]).gzip.length]),
    ]),
  );
  expect(rows).toHaveLength(SCRIPT_FEATURES.length + 1);
  const domain = 'example.org';
  expect(guide).toContain(`own script takes ${scriptWith([], { domain }).gzip.length} bytes`);
  const full = scriptWith([...SCRIPT_FEATURES], { domain }).gzip.length;
  expect(guide).toContain(`and ${full} with every feature`);
});

describe('names', () => {
  test('script.js and plausible.js are the default script', () => {
    expect(scriptNamed('script.js')).toBe(scriptWith([]));
    expect(scriptNamed('plausible.js')).toBe(scriptWith([]));
  });

  test("every one of Plausible's extensions is known, alone and together", () => {
    const names =
      'hash manual outbound-links file-downloads tagged-events revenue pageview-props exclusions local compat'.split(
        ' ',
      );
    for (const name of names) expect(scriptNamed(`script.${name}.js`)).toBeDefined();
    expect(scriptNamed(`plausible.${names.join('.')}.js`)).toBeDefined();
  });

  test('the order and the repetition of extensions do not matter', () => {
    fc.assert(
      fc.property(
        features.chain((set) =>
          fc.tuple(
            fc.constant(set),
            fc.shuffledSubarray([...set, ...set], { minLength: set.length * 2 }),
          ),
        ),
        ([set, shuffled]) => {
          expect(scriptNamed(['script', ...shuffled, 'js'].join('.'))).toBe(scriptWith(set));
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each([
    '',
    'js',
    'script',
    'script.',
    'script.hsah.js',
    'script..js',
    'other.js',
    'Script.js',
  ])('%j is no script', (name) => {
    expect(scriptNamed(name)).toBeUndefined();
  });

  test.each(['script.js.map', 'script.hash.js/..', 'pa-0123456789abcdef.js', 'script.toString.js'])(
    '%j is no named script either',
    (name) => {
      expect(scriptNamed(name)).toBeUndefined();
    },
  );

  test('a site script is named by sixteen letters and digits', () => {
    expect(scriptIdOf('pa-0123456789abcDEF.js')).toBe('0123456789abcDEF');
    for (const name of [
      'pa-short.js',
      'pa-0123456789abcDEF',
      'xpa-0123456789abcDEF.js',
      'pa-0123456789abcDE-.js',
    ]) {
      expect(scriptIdOf(name)).toBeUndefined();
    }
  });
});

describe('contents', () => {
  test('every combination is a program, in all its encodings', () => {
    fc.assert(
      fc.property(features, fc.boolean(), (set, own) => {
        const script = scriptWith(set, own ? { domain: 'example.org' } : {});
        expect(() => new Program(script.body)).not.toThrow();
        expect(gunzipSync(script.gzip).toString()).toBe(script.body);
        expect(brotliDecompressSync(script.brotli).toString()).toBe(script.body);
      }),
      { numRuns: 50 },
    );
  });

  test('a feature that the default script has anyway adds nothing', () => {
    expect(scriptWith(['revenue']).body).toBe(scriptWith([]).body);
  });

  test('the tag names the contents', () => {
    const tags = [[], ['hash'], ['local']].map(
      (set) => scriptWith(SCRIPT_FEATURES.filter((feature) => set.includes(feature))).etag,
    );
    expect(new Set(tags).size).toBe(3);
    for (const tag of tags) expect(tag).toMatch(/^W\/"[\w-]{22}"$/);
    expect(scriptWith(['revenue']).etag).toBe(scriptWith([]).etag);
  });

  test('a domain is written so that it cannot end the script or the page around it', () => {
    const { body } = scriptWith([], { domain: '"}</script>\u2028' });
    expect(body).not.toMatch(/<\/script|\u2028/);
    expect(() => new Program(body)).not.toThrow();
    expect(body).toContain(String.raw`{"domain":"\"}\u003c/script>\u2028"}`);
  });

  test('no script evaluates text or writes markup, so that a strict content policy lets it be', () => {
    const { body } = scriptWith([...SCRIPT_FEATURES], { domain: 'example.org' });
    expect(body).not.toMatch(/\beval\b|\bFunction\(|innerHTML|document\.write|createElement/);
  });

  test('the cache is bounded, and what fell out is made again the same', () => {
    const first = scriptWith(['hash'], { domain: 'first.example' });
    for (let index = 0; index < 256; index += 1) {
      scriptWith([], { domain: `${index}.example` });
    }
    const again = scriptWith(['hash'], { domain: 'first.example' });
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });
});
