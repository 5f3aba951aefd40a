import { parseAddressRanges } from './address-range.ts';
import { parseBaseUrl } from './base-url.ts';
import { parseListenAddress } from './listen-address.ts';
import {
  byteCount,
  duration,
  headerName,
  onOrOff,
  oneOf,
  path,
  unless,
  wholeNumber,
} from './parse-setting.ts';
import type { ParseContext, Parsed } from './parsed.ts';

/** One setting: how it is called, read and explained. */
export interface Setting<Value> {
  /** The key in the configuration file. The flag and the variable are made from it. */
  readonly name: string;
  readonly parse: (text: string, context: ParseContext) => Parsed<Value>;
  /** The default as text, which `parse` reads like any other. */
  readonly defaultText: string;
  /** What may be written, as the end of a sentence that begins with 'write'. */
  readonly expects: string;
  readonly example: string;
  /** One or two sentences for `--help` and the documentation. */
  readonly summary: string;
  /** Whether the configuration file may give a YAML list. */
  readonly isList?: boolean;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/**
 * All settings. The parsing, `doctor`, `--help` and `docs/reference/configuration.md` go by this
 * table. No name may end in port, host or addr: a Kubernetes Service of the product's name makes
 * variables that end so.
 */
export const SETTINGS = {
  listen: setting({
    name: 'listen',
    parse: parseListenAddress,
    defaultText: '127.0.0.1:8080',
    expects: 'address:port, :port for all addresses, port for this machine only, or unix:/path',
    example: ':8080',
    summary: 'Where the server listens. Port 0 lets the system choose one.',
  }),
  baseUrl: setting({
    name: 'base_url',
    parse: unless('auto', parseBaseUrl),
    defaultText: 'auto',
    expects: 'the address that browsers use, with https:// or http://',
    example: 'https://stats.example.org',
    summary:
      'The public address of the server, for snippets, links and cookies. It is never looked up. ' +
      '`auto` makes it from `listen`.',
  }),
  dataDir: setting({
    name: 'data_dir',
    parse: path,
    defaultText: './data',
    expects: 'the path of a folder',
    example: '/var/lib/loggia',
    summary:
      'The one folder that Loggia writes to. It is made when missing. A relative path begins at ' +
      'the current folder or, when it stands in the configuration file, at the folder of that file.',
  }),
  logLevel: setting({
    name: 'log_level',
    parse: oneOf(LOG_LEVELS),
    defaultText: 'info',
    expects: `one of ${LOG_LEVELS.join(', ')}`,
    example: 'debug',
    summary: 'The least important lines that the log still carries.',
  }),
  trustedProxies: setting({
    name: 'trusted_proxies',
    parse: parseAddressRanges,
    defaultText: 'private',
    expects: 'addresses or CIDR ranges parted by commas, or private, loopback or none',
    example: 'private, 203.0.113.0/24',
    summary:
      "Peers whose headers tell the client's address. `private` means loopback, link-local, private " +
      'and carrier-grade ranges of IPv4 and IPv6.',
    isList: true,
  }),
  clientIpHeader: setting({
    name: 'client_ip_header',
    parse: unless('none', headerName),
    defaultText: 'x-forwarded-for',
    expects: 'the name of a header, or none',
    example: 'cf-connecting-ip',
    summary:
      "The header in which trusted proxies put the client's address. `x-forwarded-for` and " +
      '`forwarded` are read from the right through all trusted hops. `none` uses the peer itself.',
  }),
  geoHeaders: setting({
    name: 'geo_headers',
    parse: onOrOff,
    defaultText: 'off',
    expects: 'on or off',
    example: 'on',
    summary: 'Take country, region and city from the headers that a trusted CDN adds.',
  }),
  cityDatabase: setting({
    name: 'city_database',
    parse: unless('none', path),
    defaultText: 'none',
    expects: 'the path of a file in MMDB form, or none',
    example: '/var/lib/geo/city.mmdb',
    summary: 'A database of regions and cities; it is read again when the file changes.',
  }),
  asnDatabase: setting({
    name: 'asn_database',
    parse: unless('none', path),
    defaultText: 'none',
    expects: 'the path of a file in MMDB form, or none',
    example: '/var/lib/geo/asn.mmdb',
    summary: 'A database of networks, by which traffic from datacentres is known.',
  }),
  rateLimits: setting({
    name: 'rate_limits',
    parse: onOrOff,
    defaultText: 'on',
    expects: 'on or off',
    example: 'off',
    summary: 'Whether the rate limits apply. Switch them off for tests and private networks only.',
  }),
  rateLimitClientPerMinute: setting({
    name: 'rate_limit_client_per_minute',
    parse: wholeNumber(1, 1e9),
    defaultText: '1200',
    expects: 'a whole number of events',
    example: '6000',
    summary: 'Events that one client address may send in a minute.',
  }),
  rateLimitSitePerMinute: setting({
    name: 'rate_limit_site_per_minute',
    parse: wholeNumber(1, 1e9),
    defaultText: '120000',
    expects: 'a whole number of events',
    example: '600000',
    summary: 'Events that one site may receive in a minute.',
  }),
  queueEventsMax: setting({
    name: 'queue_events_max',
    parse: wholeNumber(1, 1e7),
    defaultText: '20000',
    expects: 'a whole number of events',
    example: '50000',
    summary: 'Events that may wait to be written; past that the answer is 503 with Retry-After.',
  }),
  queryTimeoutMs: setting({
    name: 'query_timeout',
    parse: duration(10, 3.6e6),
    defaultText: '30s',
    expects: 'a time with a unit',
    example: '10s',
    summary: 'How long one query of the reports may take.',
  }),
  queryRowsMax: setting({
    name: 'query_rows_max',
    parse: wholeNumber(1, 1e7),
    defaultText: '100000',
    expects: 'a whole number of rows',
    example: '10000',
    summary: 'Rows that one answer may carry.',
  }),
  queriesConcurrentMax: setting({
    name: 'queries_concurrent_max',
    parse: wholeNumber(1, 1000),
    defaultText: '4',
    expects: 'a whole number of queries',
    example: '8',
    summary: 'Queries that run at the same time; others wait for their turn.',
  }),
  archive: setting({
    name: 'archive',
    parse: onOrOff,
    defaultText: 'on',
    expects: 'on or off',
    example: 'off',
    summary:
      'Whether finished visits are moved to the archive in the background. `off` pauses it; ' +
      'everything is answered from the tail meanwhile, which then grows.',
  }),
  duckdbMemoryBytes: setting({
    name: 'duckdb_memory',
    parse: unless('auto', byteCount(16 * 2 ** 20, 2 ** 50)),
    defaultText: 'auto',
    expects: 'a size with a unit, or auto',
    example: '512MiB',
    summary: 'Memory that queries may use. `auto` follows the limits of the container or machine.',
  }),
  duckdbThreads: setting({
    name: 'duckdb_threads',
    parse: unless('auto', wholeNumber(1, 1024)),
    defaultText: 'auto',
    expects: 'a whole number of threads, or auto',
    example: '2',
    summary: 'Threads that queries may use. `auto` follows the limits of the container or machine.',
  }),
} as const;

/** The property under which a setting's value is found in a configuration. */
export type SettingKey = keyof typeof SETTINGS;

type ValueOf<Entry> = Entry extends Setting<infer Value> ? Value : never;

/** The parsed value of each setting, before `base_url: auto` is worked out. */
export type SettingValues = {
  readonly [Key in SettingKey]: ValueOf<(typeof SETTINGS)[Key]>;
};

/** All settings with their keys, in the order of the table. */
export const SETTING_ENTRIES: readonly (readonly [SettingKey, Setting<unknown>])[] = Object.entries(
  SETTINGS,
).map(([key, entry]) => [key as SettingKey, entry] as const);

/** The flag of a setting without its dashes: `data_dir` becomes `data-dir`. */
export function flagOf(name: string): string {
  return name.replaceAll('_', '-');
}

/** The environment variable of a setting: `data_dir` becomes `LOGGIA_DATA_DIR`. */
export function variableOf(name: string): string {
  return `LOGGIA_${name.toUpperCase()}`;
}

function setting<Value>(entry: Setting<Value>): Setting<Value> {
  return entry;
}
