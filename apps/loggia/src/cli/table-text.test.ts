import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairsText, tableText } from './table-text.ts';
import { snippetOf } from './snippet.ts';
import { parseTimeZone } from './time-zone.ts';
import { DEFAULT_SITE_SETTINGS } from '@loggia/contract';

describe('tableText', () => {
  it('aligns texts to the left and numbers to the right', () => {
    const columns = [{ heading: 'Site' }, { heading: 'Events', isNumber: true }, { heading: 'X' }];
    expect(
      tableText(columns, [
        ['zürich.example', '7', ''],
        ['a', '123456789', 'b'],
      ]),
    ).toBe(
      'Site               Events  X\nzürich.example          7\na               123456789  b\n',
    );
  });

  it('lets no control character through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (cell) => {
        const text = tableText([{ heading: 'A' }], [[cell]]);
        expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
        expect(text.split('\n')).toHaveLength(3);
      }),
    );
  });

  it('puts values of pairs into one column', () => {
    expect(
      pairsText([
        ['a', 'x'],
        ['long', 'y'],
      ]),
    ).toBe('a     x\nlong  y\n');
    expect(pairsText([])).toBe('');
  });
});

describe('snippetOf', () => {
  const site = { domain: 'example.org/blog', scriptId: 'abc', settings: DEFAULT_SITE_SETTINGS };

  it('loads the common script, or the own one of a site with features', () => {
    expect(snippetOf(site, 'https://s.example')).toBe(
      '<script defer data-domain="example.org/blog" src="https://s.example/js/script.js"></script>',
    );
    const settings = { ...DEFAULT_SITE_SETTINGS, scriptFeatures: ['hash' as const] };
    expect(snippetOf({ ...site, settings }, 'https://s.example')).toContain('/js/pa-abc.js"');
  });

  it('keeps quotes and ampersands within its attributes', () => {
    expect(snippetOf({ ...site, domain: 'a"b&c<d' }, 'x')).toContain('"a&quot;b&amp;c&lt;d"');
  });
});

describe('parseTimeZone', () => {
  it('takes any IANA zone in any case', () => {
    expect(parseTimeZone('europe/berlin')).toBe('Europe/Berlin');
    expect(parseTimeZone('America/New York')).toBe('America/New_York');
    expect(parseTimeZone('UTC')).toBe('UTC');
  });

  it.each([
    ['Europe/Berln', 'Did you mean Europe/Berlin?'],
    ['berlin', 'Did you mean Europe/Berlin?'],
    ['new york', 'Did you mean America/New_York?'],
    ['nowhere at all', 'Write an IANA name such as Europe/Berlin or UTC.'],
    ['+02:00', 'Write an IANA name such as Europe/Berlin or UTC.'],
  ])('refuses %j with a hint', (text, hint) => {
    expect(() => parseTimeZone(text)).toThrow(expect.objectContaining({ code: 'bad_value', hint }));
  });
});
