import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readableHost } from './hostname.ts';
import { pageAddressOf } from './page-address.ts';
import { decodePercent } from './percent-decoding.ts';
import { normaliseDomain, siteDomainCandidates, siteHost } from './site-domain.ts';

describe('pageAddressOf', () => {
  it.each([
    ['https://example.org', '/'],
    ['https://example.org/', '/'],
    ['https://example.org?a=b', '/'],
    ['https://example.org/a/?q=1#f', '/a/'],
    ['https://example.org/a%20b%C3%A9', '/a bé'],
    ['https://example.org/%2525', '/%25'],
    ['https://example.org/a%zz%f0%28', '/a%zz%f0('],
    ['https://example.org/100%', '/100%'],
    ['https://example.org/a+b', '/a+b'],
    ['https://example.org/a%20%20', '/a'],
    ['https://example.org/%20', '/'],
    ['https://example.org/a//b', '/a//b'],
    ['/only/path', '/only/path'],
    ['only/path', '/only/path'],
  ])('the page of %s is %s', (url, page) => {
    expect(pageAddressOf(url).page).toBe(page);
  });

  it('hash mode adds the fragment, decoded', () => {
    expect(pageAddressOf('https://example.org/app#/caf%C3%A9', true).page).toBe('/app#/café');
    expect(pageAddressOf('https://example.org/app', true).page).toBe('/app');
    expect(pageAddressOf('https://example.org/app#x', false).page).toBe('/app');
  });

  it.each([
    ['https://WWW.Example.ORG:8443/x', 'example.org'],
    ['https://user:pass@example.org/', 'example.org'],
    ['https://example.org./', 'example.org'],
    ['https://www.com/', 'www.com'],
    ['https://www.bücher.example/', 'xn--bcher-kva.example'],
    ['http://[2001:DB8::1]:80/', '2001:db8::1'],
    ['//example.org/x', 'example.org'],
    ['/x', '(none)'],
    ['https:///x', '(none)'],
    ['about:blank', '(none)'],
  ])('the hostname of %s is %s', (url, hostname) => {
    expect(pageAddressOf(url).hostname).toBe(hostname);
  });

  it('an international name reads as it was meant', () => {
    expect(readableHost('xn--bcher-kva.example')).toBe('bücher.example');
    expect(readableHost('example.org')).toBe('example.org');
  });

  it('any text has a page that can be stored', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl()),
        fc.boolean(),
        (url, hash) => {
          const { page, hostname } = pageAddressOf(url, hash);
          expect(page).toMatch(/^\//);
          expect((page + hostname).isWellFormed()).toBe(true);
          expect(page + hostname).not.toContain('\0');
        },
      ),
    );
  });
});

describe('decodePercent', () => {
  it('undoes encodeURIComponent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodePercent(encodeURIComponent(text))).toBe(text);
      }),
    );
  });

  it('agrees with the standard decoder about every run of escapes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 6 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }).map((text) => Buffer.from(text)),
    );
    const standard = (run: string): string | null => {
      try {
        return decodeURIComponent(run);
      } catch {
        return null;
      }
    };
    fc.assert(
      fc.property(bytes, (bytes) => {
        const run = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        const expected = standard(run);
        expect(decodePercent(`${run}%zz`) === `${expected ?? ''}%zz`).toBe(expected !== null);
      }),
      { numRuns: 1000 },
    );
  });

  it('decodes what it can beside what it cannot', () => {
    expect(decodePercent('%C3%A9%C3%28%ff%E2%82%AC')).toBe('é%C3(%ff€');
  });
});

describe('siteDomainCandidates', () => {
  it.each([
    ['example.org', ['example.org', 'www.example.org']],
    [' WWW.Example.org ', ['www.example.org', 'example.org']],
    ['https://example.org/', ['example.org', 'www.example.org']],
    ['example.org/blog', ['example.org/blog', 'www.example.org/blog']],
    ['', []],
    ['/', []],
  ])('%s may be registered as %j', (domain, candidates) => {
    expect(siteDomainCandidates(domain)).toEqual(candidates);
  });

  it('an international name is looked for in both spellings', () => {
    const both = ['bücher.example', 'xn--bcher-kva.example'];
    for (const spelling of both) {
      expect(siteDomainCandidates(spelling)).toEqual(expect.arrayContaining(both));
      expect(siteDomainCandidates(spelling)[0]).toBe(spelling);
    }
  });

  it('the first candidate is the name itself', () => {
    fc.assert(
      fc.property(fc.domain(), (domain) => {
        expect(siteDomainCandidates(domain)[0]).toBe(normaliseDomain(domain));
      }),
    );
  });
});

describe('siteHost', () => {
  it('has neither path nor www.', () => {
    expect(siteHost('www.example.org/blog')).toBe('example.org');
    expect(siteHost('bücher.example')).toBe('xn--bcher-kva.example');
  });
});
