import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acquisitionOf, type Acquisition } from './acquisition.ts';
import { CHANNELS } from './channel.ts';
import { KNOWN_SOURCES } from './source-catalogue.ts';
import { SourceNames } from './source-names.ts';

const NAMES = new SourceNames();

function acquired(referrer: string | null, query = ''): Acquisition {
  const origin = { referrer, query, siteHost: 'example.org', pageHost: 'shop.example.net' };
  return acquisitionOf(origin, NAMES);
}

describe('the source of a referrer', () => {
  it.each([
    ['https://www.google.com/', 'Google', 'Organic Search'],
    ['https://www.google.co.uk/search?q=x', 'Google', 'Organic Search'],
    ['https://google.de', 'Google', 'Organic Search'],
    ['android-app://com.google.android.googlequicksearchbox/', 'Google', 'Organic Search'],
    ['https://docs.google.com/document/1', 'docs.google.com', 'Referral'],
    ['https://mail.google.com/mail', 'Gmail', 'Email'],
    ['https://news.google.com/x', 'Google News', 'Referral'],
    ['https://gemini.google.com/app', 'Gemini', 'AI Assistants'],
    ['https://chatgpt.com/', 'ChatGPT', 'AI Assistants'],
    ['https://chat.openai.com/c/1', 'ChatGPT', 'AI Assistants'],
    ['https://www.perplexity.ai/search', 'Perplexity', 'AI Assistants'],
    ['https://claude.ai/', 'Claude', 'AI Assistants'],
    ['https://duckduckgo.com/', 'DuckDuckGo', 'Organic Search'],
    ['https://html.duckduckgo.com/html', 'DuckDuckGo', 'Organic Search'],
    ['https://de.search.yahoo.com/', 'Yahoo!', 'Organic Search'],
    ['https://r.search.yahoo.com/', 'Yahoo!', 'Organic Search'],
    ['https://mail.yahoo.co.jp/', 'Yahoo! Mail', 'Email'],
    ['https://yandex.ru/search', 'Yandex', 'Organic Search'],
    ['https://search.brave.com/', 'Brave Search', 'Organic Search'],
    ['https://l.facebook.com/l.php?u=x', 'Facebook', 'Organic Social'],
    ['https://m.facebook.com/', 'Facebook', 'Organic Social'],
    ['https://t.co/abc', 'Twitter', 'Organic Social'],
    ['https://x.com/', 'Twitter', 'Organic Social'],
    ['android-app://com.linkedin.android', 'LinkedIn', 'Organic Social'],
    ['https://out.reddit.com/t3', 'Reddit', 'Organic Social'],
    ['https://news.ycombinator.com/item?id=1', 'Hacker News', 'Organic Social'],
    ['https://github.com/a/b', 'GitHub', 'Organic Social'],
    ['https://web.telegram.org/', 'Telegram', 'Organic Social'],
    ['https://www.youtube.com/watch', 'YouTube', 'Organic Video'],
    ['https://www.amazon.co.uk/', 'Amazon', 'Organic Shopping'],
    ['https://shopping.google.com/', 'Google Shopping', 'Organic Shopping'],
    ['https://www.Blog.Example.COM:8080/post/', 'blog.example.com', 'Referral'],
    ['https://bücher.example/', 'xn--bcher-kva.example', 'Referral'],
  ])('%s is %s by %s', (referrer, source, channel) => {
    expect(acquired(referrer)).toMatchObject({ source, channel });
  });

  it.each([
    [null],
    [''],
    ['not a url'],
    ['about:blank'],
    ['file:///etc/passwd'],
    ['https://example.org/page'],
    ['https://www.example.org/'],
    ['https://blog.example.org/'],
    ['https://shop.example.net/'],
    ['http://localhost:3000/'],
    ['http://127.0.0.1/'],
    ['http://[::1]:8080/'],
  ])('%s is nobody else', (referrer) => {
    expect(acquired(referrer)).toMatchObject({ source: null, referrer: null, channel: 'Direct' });
  });

  it('a name that only ends like the site is another site', () => {
    expect(acquired('https://notexample.org/').source).toBe('notexample.org');
    expect(acquired('https://example.net/').source).toBe('example.net');
  });

  it.each([
    ['https://www.google.com/', 'google.com'],
    ['https://www.other.example/a/b/?q=1#f', 'other.example/a/b'],
    ['android-app://com.reddit.frontpage/', 'android-app://com.reddit.frontpage'],
  ])('%s is kept as %s', (referrer, text) => {
    expect(acquired(referrer).referrer).toBe(text);
  });
});

describe('the source of tags', () => {
  it.each([
    ['utm_source=GOOGLE', 'Google', 'GOOGLE'],
    ['utm_source=fb', 'Facebook', 'fb'],
    ['utm_source=chatgpt.com', 'ChatGPT', 'chatgpt.com'],
    ['utm_source=https://www.google.de/x', 'Google', 'https://www.google.de/x'],
    ['utm_source=Spring+Mail', 'Spring Mail', 'Spring Mail'],
    ['utm_source=a%20b', 'a b', 'a b'],
    ['source=producthunt', 'Product Hunt', null],
    ['ref=hn', 'Hacker News', null],
    ['ref=somebody', 'somebody', null],
    ['utm_source=&source=bing', 'Bing', null],
    ['utm_source=%20&ref=x', 'Twitter', null],
    ['ref=a&source=b&utm_source=c', 'c', 'c'],
  ])('%s is %s', (query, source, utmSource) => {
    const { tags, ...rest } = acquired('https://other.example/', query);
    expect(rest).toMatchObject({ source, referrer: 'other.example' });
    expect(tags.utmSource).toBe(utmSource);
  });

  it('the first of several tags of one name that is not blank counts', () => {
    const { tags } = acquired(null, 'utm_medium=&utm_medium=one&utm_medium=two&utm_term');
    expect(tags).toMatchObject({ utmMedium: 'one', utmTerm: null });
  });

  it('keeps the name of a click id and never its value', () => {
    const secret = 'EAIaIQobChMI';
    const found = acquired('https://www.google.com/', `gclid=${secret}`);
    expect(found).toMatchObject({ channel: 'Paid Search', tags: { clickId: 'gclid' } });
    expect(JSON.stringify(found)).not.toContain(secret);
    expect(acquired(null, 'gclid=').tags.clickId).toBeNull();
  });

  it.each([
    ['gclid=1', 'Google', 'Paid Search'],
    ['wbraid=1', 'Google', 'Paid Search'],
    ['msclkid=1', 'Bing', 'Paid Search'],
    ['fbclid=1', 'Facebook', 'Organic Social'],
    ['ttclid=1', 'TikTok', 'Organic Social'],
    ['li_fat_id=1', 'LinkedIn', 'Organic Social'],
    ['gclid=1&utm_source=letter', 'letter', 'Referral'],
  ])('without a referrer %s means %s by %s', (query, source, channel) => {
    expect(acquired(null, query)).toMatchObject({ source, channel });
  });
});

describe('channelOf', () => {
  it.each([
    ['utm_campaign=my-Cross-Network-1&utm_medium=cpc&utm_source=google', 'Cross-network'],
    ['utm_source=google&utm_medium=cpc&utm_campaign=shopping', 'Paid Shopping'],
    ['utm_source=amazon&utm_medium=ppc', 'Paid Shopping'],
    ['utm_source=google&utm_medium=CPC', 'Paid Search'],
    ['utm_source=adwords', 'Paid Search'],
    ['utm_source=bing&utm_medium=paidsearch', 'Paid Search'],
    ['utm_source=facebook&utm_medium=paid_social', 'Paid Social'],
    ['utm_source=facebook-ads', 'Paid Social'],
    ['utm_source=youtube&utm_medium=cpv', 'Paid Video'],
    ['utm_source=youtube&utm_medium=retargeting', 'Paid Video'],
    ['utm_source=partner&utm_medium=banner', 'Display'],
    ['utm_source=partner&utm_medium=cpm', 'Display'],
    ['utm_source=partner&utm_medium=cpc', 'Paid Other'],
    ['utm_source=partner&utm_campaign=e-shop', 'Organic Shopping'],
    ['utm_source=partner&utm_campaign=workshop', 'Referral'],
    ['utm_source=threads', 'Organic Social'],
    ['utm_source=partner&utm_medium=social-media', 'Organic Social'],
    ['utm_source=partner&utm_medium=video', 'Organic Video'],
    ['utm_source=google&utm_medium=organic', 'Organic Search'],
    ['utm_medium=email', 'Email'],
    ['utm_source=newsletter', 'Email'],
    ['utm_source=letter&utm_medium=e-mail', 'Email'],
    ['utm_source=partner&utm_medium=affiliate', 'Affiliates'],
    ['utm_source=podcast&utm_medium=audio', 'Audio'],
    ['utm_source=sms', 'SMS'],
    ['utm_medium=web-push', 'Mobile Push Notifications'],
    ['utm_medium=mobile_banner', 'Mobile Push Notifications'],
    ['utm_source=chatgpt.com', 'AI Assistants'],
    ['utm_source=chatgpt.com&utm_medium=cpc', 'Paid Other'],
    ['utm_source=partner', 'Referral'],
    ['utm_medium=referral', 'Referral'],
    ['utm_medium=whatever', 'Direct'],
    ['', 'Direct'],
  ])('%s is %s', (query, channel) => {
    expect(acquired(null, query).channel).toBe(channel);
  });

  it('a DCLID alone makes no search paid', () => {
    expect(acquired('https://www.google.com/', 'dclid=1').channel).toBe('Organic Search');
  });
});

describe('any origin', () => {
  it('has a channel of the list, and a source that is not blank', () => {
    const text = fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true }));
    fc.assert(
      fc.property(text, text, (referrer, query) => {
        const { channel, source } = acquired(referrer, query);
        expect(CHANNELS).toContain(channel);
        expect(source === null || source.trim() !== '').toBe(true);
      }),
    );
  });
});

describe('the catalogue', () => {
  const hosts = KNOWN_SOURCES.flatMap(({ hosts }) => hosts.split(' '));

  it('knows more than 250 hosts, each of one source, and each name once', () => {
    expect(hosts.length).toBeGreaterThan(250);
    expect(hosts.filter((host, index) => hosts.indexOf(host) !== index)).toEqual([]);
    const names = KNOWN_SOURCES.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('every host and every name leads to its source', () => {
    for (const { name, hosts: text } of KNOWN_SOURCES) {
      expect(NAMES.ofTag(name.toUpperCase()).name).toBe(name);
      for (const host of text.split(' ')) {
        if (host.includes('*')) expect(NAMES.ofHost(host.replace('*', 'co.uk')).name).toBe(name);
        else expect([NAMES.ofHost(host).name, NAMES.ofApp(host).name]).toEqual([name, name]);
      }
    }
  });

  it('a look-alike under a suffix that anybody can have is not taken in', () => {
    expect(NAMES.ofHost('google.xyz').name).toBe('google.xyz');
    expect(NAMES.ofHost('notgoogle.com').name).toBe('notgoogle.com');
  });
});
