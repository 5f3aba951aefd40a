import fc from 'fast-check';
import { DEFAULT_SITE_SETTINGS, type SiteSettings } from '@loggia/contract';
import { describe, expect, it } from 'vitest';
import { Exclusions } from './exclusions.ts';
import { preferredLanguage } from './language.ts';
import { hasOptedOut } from './opt-out.ts';
import { pageAddressOf } from './page-address.ts';
import { matchesPage } from './page-pattern.ts';
import { REFERRER_SPAM_HOSTS } from './referrer-spam-hosts.ts';
import { ReferrerSpam } from './referrer-spam.ts';
import { screenClass } from './screen-class.ts';

describe('matchesPage', () => {
  it.each([
    ['/a', '/a', true],
    ['/a', '/a/', true],
    ['/a', '/ab', false],
    ['/a/', '/a', false],
    ['/a/*', '/a/b', true],
    ['/a/*', '/a/b/c', false],
    ['/a/*/c', '/a/b/c', true],
    ['/a*', '/abc', true],
    ['/a/**', '/a/b/c', true],
    ['/a**', '/a', true],
    ['**/c', '/a/b/c', true],
    ['/**/c/*', '/a/b/c/c/d', true],
    ['/**/*.html', '/a/b.html', true],
    ['/*.html', '/a/b.html', false],
    ['/a.b', '/axb', false],
    ['/(x)+', '/(x)+', true],
    ['*', '/a', false],
    ['**', '/a/b', true],
  ])('%s on %s: %s', (pattern, page, isMatch) => {
    expect(matchesPage(pattern, page)).toBe(isMatch);
  });

  it('agrees with a regular expression', () => {
    const piece = fc.constantFrom('/', 'a', 'b', '*', '**');
    const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const page = fc.string({ unit: fc.constantFrom('/', 'a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(pattern, page, (pattern, page) => {
        const source = pattern.replaceAll(/\*+/g, (stars) => (stars.length > 1 ? '[^]*' : '[^/]*'));
        expect(matchesPage(pattern, page)).toBe(new RegExp(`^${source}/?$`).test(page));
      }),
      { numRuns: 2000 },
    );
  });

  it('a pattern of many stars ends', () => {
    expect(matchesPage(`${'*a'.repeat(200)}b`, `/${'a'.repeat(2000)}`)).toBe(false);
    expect(matchesPage(`${'**/a*'.repeat(80)}b`, '/a'.repeat(1000))).toBe(false);
  });
});

function reasonAgainst(settings: Partial<SiteSettings>, url: string, address = '203.0.113.9') {
  const exclusions = Exclusions.of({ ...DEFAULT_SITE_SETTINGS, ...settings });
  return exclusions.reasonAgainst({ page: pageAddressOf(url), address, hasOptedOut: false });
}

describe('Exclusions', () => {
  it('no list of hosts allows all, none included', () => {
    expect(reasonAgainst({}, 'https://anything.example/')).toBeNull();
    expect(reasonAgainst({}, '/path')).toBeNull();
  });

  it.each([
    ['example.org', 'https://example.org/', true],
    ['example.org', 'https://www.example.org/', true],
    ['www.Example.org', 'https://example.org/', true],
    ['example.org', 'https://a.example.org/', false],
    ['*.example.org', 'https://a.b.example.org/', true],
    ['*.example.org', 'https://www.example.org/', true],
    ['*.example.org', 'https://example.org/', false],
    ['*.example.org', 'https://notexample.org/', false],
    ['example.org', '/path', false],
  ])('allowing %s for %s: %s', (allowed, url, isAllowed) => {
    const reason = reasonAgainst({ allowedHosts: [allowed] }, url);
    expect(reason).toBe(isAllowed ? null : 'host_not_allowed');
  });

  it('pages and addresses are left out, malformed ranges passed over', () => {
    const settings = { excludedPages: ['/admin/**'], excludedAddresses: ['x', '203.0.113.0/24'] };
    expect(reasonAgainst(settings, 'https://a.org/admin/x/y', '9.9.9.9')).toBe('excluded_page');
    expect(reasonAgainst(settings, 'https://a.org/')).toBe('excluded_address');
    expect(reasonAgainst(settings, 'https://a.org/', '2001:db8::1')).toBeNull();
  });

  it('are compiled once per settings', () => {
    expect(Exclusions.of(DEFAULT_SITE_SETTINGS)).toBe(Exclusions.of(DEFAULT_SITE_SETTINGS));
    expect(Exclusions.of({ ...DEFAULT_SITE_SETTINGS })).not.toBe(
      Exclusions.of(DEFAULT_SITE_SETTINGS),
    );
  });
});

describe('ReferrerSpam', () => {
  const spam = new ReferrerSpam();

  it('knows more than 150 domains, each by itself registrable', () => {
    expect(REFERRER_SPAM_HOSTS.length).toBeGreaterThan(150);
    const unknown = REFERRER_SPAM_HOSTS.filter((host) => !spam.isSpam(`https://x.${host}/`));
    expect(unknown).toEqual([]);
  });

  it('takes nobody else for one', () => {
    const honest = ['https://google.com/', 'https://notsemalt.com/', 'semalt.com', '', 'https://'];
    expect([...honest, null].filter((referrer) => spam.isSpam(referrer))).toEqual([]);
  });
});

describe('preferredLanguage', () => {
  it.each([
    ['de-AT,de;q=0.9,en;q=0.5', 'de'],
    ['en;q=0.5, fr', 'fr'],
    ['*', null],
    ['*, es;q=0.1', 'es'],
    ['zh-Hant-TW', 'zh'],
    ['PT_br', 'pt'],
    ['en;q=0', null],
    ['rubbish-', null],
    ['', null],
  ])('%s is %s', (header, language) => {
    expect(preferredLanguage(header)).toBe(language);
  });

  it('no header is no language', () => {
    expect(preferredLanguage(null)).toBeNull();
  });
});

describe('screenClass', () => {
  it('changes at 576, 768, 992 and 1440', () => {
    const widths = [1, 575, 576, 767, 768, 991, 992, 1439, 1440, 7680];
    expect(widths.map(screenClass).join(' ')).toBe('xs xs sm sm md md lg lg xl xl');
    expect(screenClass(null)).toBeNull();
  });
});

describe('hasOptedOut', () => {
  it('means 1 in Sec-GPC or DNT', () => {
    expect(hasOptedOut({ 'sec-gpc': '1' })).toBe(true);
    expect(hasOptedOut({ dnt: ' 1 ' })).toBe(true);
    expect(hasOptedOut({ dnt: '0', 'sec-gpc': '?1' })).toBe(false);
    expect(hasOptedOut({})).toBe(false);
  });
});
