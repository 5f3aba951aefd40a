import { cleanText } from './clean-text.ts';
import { pageAddress, type PageAddress } from './page-address.ts';
import { parseEventProperties } from './event-properties.ts';
import { parseRevenue, type Revenue } from './revenue.ts';
import { normaliseDomain } from './site-domain.ts';
import { splitUrl, type UrlParts } from './url-parts.ts';

/** A well-formed event as a tracker sent it, for one or several sites. */
export interface EventBody {
  /** `pageview`, `engagement` or a custom event's name. */
  readonly name: string;
  readonly address: PageAddress;
  /** The sites as named by the sender, lower case; see `siteDomainCandidates` for looking up. */
  readonly domains: readonly string[];
  readonly referrer: string | null;
  readonly properties: Readonly<Record<string, string>> | null;
  readonly revenue: Revenue | null;
  readonly interactive: boolean;
  /** Per cent, 0 to 100; only on `engagement`. */
  readonly scrollDepth: number | null;
  /** Only on `engagement`. */
  readonly engagedMs: number | null;
  /** In CSS pixels. */
  readonly screenWidth: number | null;
  readonly trackerVersion: number | null;
}

/** An event, or one sentence for each thing that is wrong with it. */
export type ParsedEvent =
  | { readonly ok: true; readonly event: EventBody }
  | { readonly ok: false; readonly errors: readonly string[] };

/** An object as it came from outside, of which nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const EVENT_NAME_LENGTH_MAX = 120;
export const REFERRER_LENGTH_MAX = 2000;
/** Sites that one event may name; more are ignored. */
export const DOMAINS_MAX = 20;

const ENGAGED_MS_LIMIT = 30 * 24 * 3_600_000;
const SCREEN_WIDTH_MAX = 100_000;
/** Addresses that are no place on a site. */
const REFUSED_SCHEMES: ReadonlySet<string> = new Set(['data', 'blob', 'javascript']);

/**
 * Reads an event in Plausible's form: `n`/`name`, `u`/`url`, `d`/`domain`, `r`/`referrer`,
 * `p`/`props`/`m`/`meta`, `h`/`hashMode`, `$`/`revenue`, `i`/`interactive`, `v`,
 * `sd`/`scroll_depth`/`scrollDepth`, `e`/`engagement_time`/`engagedMs`, and
 * `w`/`screen_width`/`screenWidth`. The first of an entry's names that is present counts.
 *
 * What is too long is cut and what is optional and bad is ignored; only what makes the event
 * meaningless is an error. `body` may be any value, also JSON text; nothing is thrown.
 */
export function parseEvent(body: unknown): ParsedEvent {
  const fields = jsonObjectOf(body);
  return fields === null
    ? { ok: false, errors: ['The body is not a JSON object.'] }
    : parseEventFields(fields);
}

/** `parseEvent` of an object. */
export function parseEventFields(fields: JsonObject): ParsedEvent {
  const errors: string[] = [];
  const name = eventName(first(fields, 'n', 'name'), errors);
  const url = eventUrl(first(fields, 'u', 'url'), errors);
  const domains = eventDomains(first(fields, 'd', 'domain'), url, errors);
  const isEngagement = name === 'engagement';
  const scrollDepth = isEngagement ? eventScrollDepth(fields) : null;
  const engagedMs = isEngagement ? eventEngagedMs(fields) : null;
  if (isEngagement && scrollDepth === null && engagedMs === null) {
    errors.push('An engagement event needs a scroll depth (sd) or an engaged time (e).');
  }
  if (errors.length > 0 || url === null) return { ok: false, errors };
  const event: EventBody = {
    name,
    address: pageAddress(url, isYes(first(fields, 'h', 'hashMode'))),
    domains,
    referrer: eventReferrer(first(fields, 'r', 'referrer')),
    properties: parseEventProperties(first(fields, 'p', 'props', 'm', 'meta')),
    revenue: eventRevenue(first(fields, '$', 'revenue')),
    interactive: !isEngagement && (name === 'pageview' || isInteractive(fields)),
    scrollDepth,
    engagedMs,
    screenWidth: eventScreenWidth(fields),
    trackerVersion: wholeNumber(first(fields, 'v')),
  };
  return { ok: true, event };
}

/** `value` when it is a plain object or JSON text of one, else null. */
export function jsonObjectOf(value: unknown): JsonObject | null {
  let parsed = value;
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value);
    } catch {
      return null;
    }
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  return parsed as JsonObject;
}

/** The first of the entries `names` of `fields` that is neither absent nor null. */
export function first(fields: JsonObject, ...names: readonly string[]): unknown {
  for (const name of names) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

function eventName(value: unknown, errors: string[]): string {
  const isInteger = typeof value === 'number' && Number.isSafeInteger(value);
  if (typeof value !== 'string' && !isInteger) {
    errors.push(value === undefined ? 'The name (n) is missing.' : 'The name (n) is not a string.');
    return '';
  }
  const name = cleanText(String(value).trim(), EVENT_NAME_LENGTH_MAX);
  if (name === '') errors.push('The name (n) is blank.');
  return name;
}

function eventUrl(value: unknown, errors: string[]): UrlParts | null {
  if (typeof value !== 'string') {
    errors.push(value === undefined ? 'The URL (u) is missing.' : 'The URL (u) is not a string.');
    return null;
  }
  const text = value.trim();
  if (text === '') {
    errors.push('The URL (u) is blank.');
    return null;
  }
  const url = splitUrl(text);
  if (url.scheme !== null && REFUSED_SCHEMES.has(url.scheme)) {
    errors.push(`The URL (u) is no page: its scheme is ${url.scheme}.`);
    return null;
  }
  return url;
}

function eventDomains(value: unknown, url: UrlParts | null, errors: string[]): readonly string[] {
  if (value === undefined) {
    if (url === null) return [];
    if (url.host !== null) return [url.host];
    errors.push('The domain (d) is missing, and the URL (u) has no host to take its place.');
    return [];
  }
  if (typeof value !== 'string') {
    errors.push('The domain (d) is not a string.');
    return [];
  }
  const domains: string[] = [];
  for (const text of value.split(',', DOMAINS_MAX)) {
    const name = normaliseDomain(text);
    if (name !== '' && !domains.includes(name)) domains.push(name);
  }
  if (domains.length === 0) errors.push('The domain (d) is blank.');
  return domains;
}

function eventReferrer(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const referrer = cleanText(value.trim(), REFERRER_LENGTH_MAX);
  return referrer === '' ? null : referrer;
}

function eventRevenue(value: unknown): Revenue | null {
  const fields = jsonObjectOf(value);
  return fields === null ? null : parseRevenue(first(fields, 'amount'), first(fields, 'currency'));
}

function isInteractive(fields: JsonObject): boolean {
  const value = first(fields, 'i', 'interactive');
  return value !== false && value !== 'false' && value !== 0;
}

function isYes(value: unknown): boolean {
  return value === true || value === 1 || value === '1' || value === 'true';
}

function eventScrollDepth(fields: JsonObject): number | null {
  const depth = wholeNumber(first(fields, 'sd', 'scroll_depth', 'scrollDepth'));
  return depth === null || depth < 0 ? null : Math.min(depth, 100);
}

function eventEngagedMs(fields: JsonObject): number | null {
  const engagedMs = wholeNumber(first(fields, 'e', 'engagement_time', 'engagedMs'));
  return engagedMs === null || engagedMs < 0 || engagedMs >= ENGAGED_MS_LIMIT ? null : engagedMs;
}

function eventScreenWidth(fields: JsonObject): number | null {
  const width = wholeNumber(first(fields, 'w', 'screen_width', 'screenWidth'));
  return width === null || width < 1 || width > SCREEN_WIDTH_MAX ? null : width;
}

/** A number, or text of one, rounded; null for anything else. */
function wholeNumber(value: unknown): number | null {
  const isNumeric = typeof value === 'string' && /^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(value);
  const number = isNumeric ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return null;
  const rounded = Math.round(number);
  return Number.isSafeInteger(rounded) ? rounded + 0 : null;
}
