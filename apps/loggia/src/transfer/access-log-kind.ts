import type { Site } from '@loggia/contract';
import {
  DEFAULT_TRUST,
  clientAddress,
  parseEvent,
  preferredLanguage,
  readableHost,
} from '@loggia/ingest';
import { parseCombinedLine } from './combined-log.ts';
import { HitSink, checkedTime, type HitSinkOptions, type ParsedHit } from './hit-sink.ts';
import { BadRecord, type ImportKind, type RecordParser } from './import-kind.ts';
import { TextSource, type ImportRecord } from './import-source.ts';
import { parseJsonLine } from './json-log.ts';
import type { LogEntry } from './log-entry.ts';
import { reasonNoPageView } from './page-view-rule.ts';
import { siteHost } from './site-host.ts';

/** Servers write a request when it ends, so that a long one comes after those that began later. */
const DISORDER_MS = 5 * 60_000;

/** Access logs of web servers: lines in the combined format, or JSON objects. */
export function accessLogKind(
  options: Omit<HitSinkOptions, 'disorderMs'> & {
    /** Hosts that are the site's beside its domain and what is below that. */
    readonly hosts: readonly string[];
  },
): ImportKind<ParsedHit> {
  const isOwnHost = hostTest(options.site, options.hosts);
  return {
    open: (path) => new TextSource(path, { hasQuotes: false }),
    parserFor: () => new LogParser(options.site, isOwnHost),
    timeMs: timeOf,
    sink: (counts) => new HitSink({ ...options, disorderMs: DISORDER_MS }, counts),
  };
}

/** When a parsed record happened, also one that is no event. */
export function timeOf(parsed: ParsedHit): number | undefined {
  return 'skipped' in parsed ? parsed.timeMs : parsed.request.timeMs;
}

function hostTest(site: Site, hosts: readonly string[]): (host: string) => boolean {
  const domain = siteHost(site);
  const own = new Set([domain, ...hosts].map((host) => readableHost(host.toLowerCase())));
  return (host) => {
    const name = readableHost(host);
    return own.has(name) || own.has(name.replace(/^www\./, '')) || name.endsWith(`.${domain}`);
  };
}

class LogParser implements RecordParser<ParsedHit> {
  readonly hasHeading = false;
  readonly #site: Site;
  readonly #isOwnHost: (host: string) => boolean;

  constructor(site: Site, isOwnHost: (host: string) => boolean) {
    this.#site = site;
    this.#isOwnHost = isOwnHost;
  }

  parse(record: ImportRecord): ParsedHit {
    const line = String(record);
    const entry = line.startsWith('{') ? parseJsonLine(line) : parseCombinedLine(line);
    if (entry === null) return { skipped: 'other_line' };
    const timeMs = checkedTime(entry.timeMs);
    const reason = reasonNoPageView(entry, this.#isOwnHost);
    return reason === null ? this.#hitOf(entry) : { skipped: reason, timeMs };
  }

  #hitOf(entry: LogEntry): ParsedHit {
    const host = entry.host ?? siteHost(this.#site);
    const url = entry.target.startsWith('/') ? `https://${host}${entry.target}` : entry.target;
    const parsed = parseEvent({
      n: 'pageview',
      u: url,
      d: this.#site.domain,
      r: entry.referrer ?? undefined,
    });
    if (!parsed.ok) throw new BadRecord(parsed.errors.join(' '));
    return {
      event: parsed.event,
      request: {
        address: addressOf(entry),
        userAgent: entry.userAgent,
        language: preferredLanguage(entry.acceptLanguage),
        headerPlace: null,
        hasOptedOut: false,
        timeMs: entry.timeMs,
        dedupeId: null,
      },
    };
  }
}

/** A proxy of the private network passes on whose request it was. */
function addressOf({ address, forwardedFor }: LogEntry): string | null {
  const headers = forwardedFor === null ? {} : { 'x-forwarded-for': forwardedFor };
  return clientAddress({ socketAddress: address ?? undefined, headers, trust: DEFAULT_TRUST })
    .address;
}
