import type { Site } from '@loggia/contract';
import { placeOf, preferredLanguage, type Platform } from '@loggia/ingest';
import { timeOf } from './access-log-kind.ts';
import { parsedHit, utcTimeMs, widthOf } from './csv-hit.ts';
import { CsvTable, type CsvRow } from './csv-table.ts';
import { HitSink, checkedTime, type HitSinkOptions, type ParsedHit } from './hit-sink.ts';
import { ImportError } from './import-error.ts';
import type { ImportKind, RecordParser } from './import-kind.ts';
import { TextSource, type ImportRecord } from './import-source.ts';
import { siteHost } from './site-host.ts';

/** ClickHouse gives the rows hour by hour, within an hour by session. */
const DISORDER_MS = 2 * 3_600_000;
const REQUIRED = ['website_id', 'session_id', 'url_path', 'event_type', 'created_at'];
const PAGE_VIEW = '1';
const CUSTOM_EVENT = '2';
/** Columns whose values stand in the address as well, unless the export left its query out. */
const TAGS = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term'];
const CLICK_IDS = ['gclid', 'fbclid', 'msclkid', 'ttclid', 'li_fat_id', 'twclid'];

/** The names that Umami gives to browsers, and ours. */
const BROWSERS: Readonly<Record<string, string>> = {
  chrome: 'Chrome',
  crios: 'Chrome',
  firefox: 'Firefox',
  fxios: 'Firefox',
  safari: 'Safari',
  ios: 'Safari',
  edge: 'Microsoft Edge',
  'edge-chromium': 'Microsoft Edge',
  'edge-ios': 'Microsoft Edge',
  opera: 'Opera',
  'opera-mini': 'Opera',
  samsung: 'Samsung Browser',
  yandexbrowser: 'Yandex Browser',
  brave: 'Brave',
  ie: 'Internet Explorer',
  silk: 'Silk',
  android: 'Android Browser',
  miui: 'MIUI Browser',
  facebook: 'Mobile App',
  instagram: 'Mobile App',
  'chromium-webview': 'Mobile App',
  'ios-webview': 'Mobile App',
};
const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^Windows Mobile/i, 'Windows Phone'],
  [/^Windows/i, 'Windows'],
  [/^Mac/i, 'Mac'],
  [/^iOS/i, 'iOS'],
  [/^Android/i, 'Android'],
  [/^Chrome OS/i, 'Chrome OS'],
  [/^Linux/i, 'GNU/Linux'],
];
const DEVICES: Readonly<Record<string, Platform['device']>> = {
  desktop: 'Desktop',
  laptop: 'Desktop',
  mobile: 'Mobile',
  tablet: 'Tablet',
};

/** The rows of Umami's table `website_event` as CSV. */
export function umamiKind(
  options: Omit<HitSinkOptions, 'disorderMs'> & {
    /** The id of a website there; needed when the file has several. */
    readonly website: string | undefined;
  },
): ImportKind<ParsedHit> {
  const { site, website } = options;
  return {
    open: (path) => new TextSource(path, { hasQuotes: true }),
    parserFor: (path, first) => new UmamiParser(path, first, { site, website }),
    timeMs: timeOf,
    sink: (counts) => new HitSink({ ...options, disorderMs: DISORDER_MS }, counts),
  };
}

class UmamiParser implements RecordParser<ParsedHit> {
  readonly hasHeading = true;
  readonly #path: string;
  readonly #table: CsvTable;
  readonly #site: Site;
  readonly #wanted: string | undefined;
  #met: string | undefined;

  constructor(
    path: string,
    heading: ImportRecord,
    { site, website }: { readonly site: Site; readonly website: string | undefined },
  ) {
    this.#path = path;
    this.#table = new CsvTable(heading, { path, program: 'Umami', required: REQUIRED });
    this.#site = site;
    this.#wanted = website?.toLowerCase();
  }

  parse(record: ImportRecord): ParsedHit {
    const row = this.#table.read(record);
    if (this.#isOtherWebsite(row.need('website_id').toLowerCase())) {
      return { skipped: 'other_website' };
    }
    const timeMs = checkedTime(utcTimeMs(row.need('created_at')));
    const type = row.need('event_type');
    if (type !== PAGE_VIEW && type !== CUSTOM_EVENT) return { skipped: 'other_kind', timeMs };
    return parsedHit({
      timeMs,
      name: type === PAGE_VIEW ? 'pageview' : row.need('event_name'),
      url: this.#urlOf(row),
      domain: this.#site.domain,
      referrer: referrerOf(row),
      screenWidth: widthOf(row.get('screen')),
      visitor: `umami ${row.need('session_id')}`,
      userAgent: null,
      platform: platformOf(row),
      language: preferredLanguage(row.get('language')),
      place: placeFrom(row),
    });
  }

  #isOtherWebsite(id: string): boolean {
    if (this.#wanted !== undefined) return id !== this.#wanted;
    this.#met ??= id;
    if (id === this.#met) return false;
    throw new ImportError('import_bad_file', `${this.#path} holds more than one website`, {
      hint: `Name one with --website, such as ${this.#met}.`,
    });
  }

  #urlOf(row: CsvRow): string {
    const host = row.get('hostname') ?? siteHost(this.#site);
    const path = row.need('url_path');
    const query = row.get('url_query') ?? queryOf(row);
    const mark = query === '' ? '' : '?';
    return `https://${host}${path.startsWith('/') ? '' : '/'}${path}${mark}${query.replace(/^\?/, '')}`;
  }
}

function queryOf(row: CsvRow): string {
  const parts = [...TAGS, ...CLICK_IDS].flatMap((name) => {
    const value = row.get(name);
    return value === null ? [] : [`${name}=${encodeURIComponent(value)}`];
  });
  return parts.join('&');
}

function referrerOf(row: CsvRow): string | null {
  const domain = row.get('referrer_domain');
  return domain === null ? null : `https://${domain}${row.get('referrer_path') ?? ''}`;
}

function platformOf(row: CsvRow): Platform {
  const browser = row.get('browser');
  const os = row.get('os');
  const system = SYSTEMS.find(([pattern]) => pattern.test(os ?? ''));
  return {
    browser: browser === null ? null : (BROWSERS[browser.toLowerCase()] ?? browser),
    browserVersion: null,
    os: system?.[1] ?? os,
    osVersion: /\b(\d[\d.]*|XP|Vista)$/.exec(os ?? '')?.[1] ?? null,
    device: DEVICES[row.get('device')?.toLowerCase() ?? ''] ?? null,
  };
}

function placeFrom(row: CsvRow) {
  const country = row.get('country')?.toUpperCase() ?? null;
  const code = row.get('region') ?? row.get('subdivision1');
  const region =
    code === null || country === null || code.includes('-') ? code : `${country}-${code}`;
  return placeOf({ country, region, cityName: row.get('city') });
}
