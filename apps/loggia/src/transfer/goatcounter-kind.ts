import type { Site } from '@loggia/contract';
import { placeOf, type Platform } from '@loggia/ingest';
import { timeOf } from './access-log-kind.ts';
import { parsedHit, utcTimeMs, widthOf } from './csv-hit.ts';
import { CsvTable, type CsvRow } from './csv-table.ts';
import { HitSink, checkedTime, type HitSinkOptions, type ParsedHit } from './hit-sink.ts';
import type { ImportKind, RecordParser } from './import-kind.ts';
import { TextSource, type ImportRecord } from './import-source.ts';
import { siteHost } from './site-host.ts';

const DISORDER_MS = 2 * 3_600_000;
/** The first heading begins with the version of the format. */
const PATH = '2Path';
const REQUIRED = [
  PATH,
  'Event',
  'Session',
  'Bot',
  'Referrer',
  'Referrer scheme',
  'Location',
  'Date',
];

/** The names of systems that differ from ours. */
const SYSTEMS: Readonly<Record<string, string>> = { macOS: 'Mac', Linux: 'GNU/Linux' };
const BROWSERS: Readonly<Record<string, string>> = { Edge: 'Microsoft Edge' };

/** GoatCounter's export as CSV, version 2. */
export function goatcounterKind(
  options: Omit<HitSinkOptions, 'disorderMs'>,
): ImportKind<ParsedHit> {
  return {
    open: (path) => new TextSource(path, { hasQuotes: true }),
    parserFor: (path, first) => new GoatcounterParser(path, first, options.site),
    timeMs: timeOf,
    sink: (counts) => new HitSink({ ...options, disorderMs: DISORDER_MS }, counts),
  };
}

class GoatcounterParser implements RecordParser<ParsedHit> {
  readonly hasHeading = true;
  readonly #table: CsvTable;
  readonly #site: Site;

  constructor(path: string, heading: ImportRecord, site: Site) {
    this.#table = new CsvTable(heading, { path, program: 'GoatCounter', required: REQUIRED });
    this.#site = site;
  }

  parse(record: ImportRecord): ParsedHit {
    const row = this.#table.read(record);
    const timeMs = checkedTime(utcTimeMs(row.need('Date')));
    if ((row.get('Bot') ?? '0') !== '0') return { skipped: 'bot', timeMs };
    const isEvent = isYes(row.get('Event'));
    const path = row.need(PATH);
    const { referrer, query } = originOf(row);
    const page = isEvent ? '/' : path;
    return parsedHit({
      timeMs,
      name: isEvent ? path : 'pageview',
      url: withQuery(
        `https://${siteHost(this.#site)}${page.startsWith('/') ? '' : '/'}${page}`,
        query,
      ),
      domain: this.#site.domain,
      referrer,
      screenWidth: widthOf(row.get('Screen size')),
      // Where sessions were switched off, nothing tells visitors apart.
      visitor: `goatcounter ${row.get('Session') ?? `${timeMs} ${path}`}`,
      userAgent: row.get('UserAgent') ?? row.get('User-Agent'),
      platform: platformOf(row),
      language: null,
      place: placeFrom(row.get('Location')),
    });
  }
}

function isYes(text: string | null): boolean {
  return text === 'true' || text === '1';
}

/** What it has made a name of, or found in a campaign's tag, goes in as a tag. */
function originOf(row: CsvRow): { readonly referrer: string | null; readonly query: string } {
  const text = row.get('Referrer');
  const scheme = row.get('Referrer scheme');
  if (text === null) return { referrer: null, query: '' };
  if (scheme === 'h') return { referrer: `https://${text.replace(/^https?:\/\//, '')}`, query: '' };
  if (text.includes('://')) return { referrer: text, query: '' };
  return { referrer: null, query: `source=${encodeURIComponent(text)}` };
}

function withQuery(url: string, query: string): string {
  if (query === '') return url;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

function platformOf(row: CsvRow): Platform {
  const [browser, browserVersion] = nameAndVersion(row.get('Browser'));
  const [os, osVersion] = nameAndVersion(row.get('System'));
  return {
    browser: browser === null ? null : (BROWSERS[browser] ?? browser),
    browserVersion,
    os: os === null ? null : (SYSTEMS[os] ?? os),
    osVersion,
    device: null,
  };
}

/** `Firefox 120` in two. */
function nameAndVersion(text: string | null): readonly [string | null, string | null] {
  if (text === null) return [null, null];
  const match = /^(.*?) (\d[\w.]*)$/.exec(text);
  return match === null ? [text, null] : [match[1] ?? null, match[2] ?? null];
}

/** `NL` or `NL-NB`. */
function placeFrom(location: string | null) {
  const country = location?.slice(0, 2) ?? null;
  return placeOf({ country, region: location !== null && location.length > 2 ? location : null });
}
