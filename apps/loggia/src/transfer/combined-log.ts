import { normaliseAddress } from '@loggia/ingest';
import { BadRecord } from './import-kind.ts';
import type { LogEntry } from './log-entry.ts';

const LINE =
  /^(?<who>[^[]*)\[(?<time>[^\]]+)\] "(?<request>(?:[^"\\]|\\.)*)" (?<status>\d{3}) \S+(?: "(?<referrer>(?:[^"\\]|\\.)*)" "(?<agent>(?:[^"\\]|\\.)*)")?/;
const TIME = /^(\d{1,2})\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MINUTE_MS = 60_000;

/**
 * A line in the combined format of Apache and nginx, also with the virtual host before it.
 *
 * @throws BadRecord
 */
export function parseCombinedLine(line: string): LogEntry {
  const groups = LINE.exec(line)?.groups;
  if (groups === undefined) throw new BadRecord('the line is not in the combined format');
  const { who = '', time = '', request = '', status = '', referrer, agent } = groups;
  if (agent === undefined) {
    throw new BadRecord('the line has no user agent: the common format is not enough');
  }
  const { address, host } = clientOf(who);
  const { method, target } = splitRequest(unescaped(request));
  return {
    timeMs: logTimeMs(time),
    address,
    forwardedFor: null,
    method,
    target,
    host,
    status: Number(status),
    referrer: referrer === undefined || referrer === '-' ? null : unescaped(referrer),
    userAgent: agent === '-' ? '' : unescaped(agent),
    acceptLanguage: null,
    contentType: null,
    isPrefetch: false,
    fetchDest: null,
  };
}

/** `10/Oct/2000:13:55:36 -0700`. @throws BadRecord */
export function logTimeMs(text: string): number {
  const [, day, month = '', year, hour, minute, second, sign, zoneHour, zoneMinute] =
    TIME.exec(text) ?? [];
  const monthIndex = MONTHS.indexOf(month);
  if (monthIndex === -1)
    throw new BadRecord(`'${text}' is no time like 10/Oct/2000:13:55:36 -0700`);
  const localMs = Date.UTC(
    Number(year),
    monthIndex,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const offsetMinutes = Number(zoneHour) * 60 + Number(zoneMinute);
  return localMs - (sign === '-' ? -offsetMinutes : offsetMinutes) * MINUTE_MS;
}

/** Method and target of a request line. What is none, as robots send it, has an empty method. */
export function splitRequest(request: string): {
  readonly method: string;
  readonly target: string;
} {
  const match = /^([A-Z]+) (\S.*?)(?: HTTP\/[\d.]+)?$/.exec(request);
  return { method: match?.[1] ?? '', target: match?.[2] ?? '' };
}

/** Address, ident and user stand before the time; in some formats the virtual host before them. */
function clientOf(who: string): { readonly address: string | null; readonly host: string | null } {
  const [first = '', second = ''] = who.trim().split(' ');
  const address = normaliseAddress(first);
  if (address !== null) return { address, host: null };
  const next = normaliseAddress(second);
  // A server that looks names up logs them in the address's place, and they tell no place.
  return next === null
    ? { address: null, host: null }
    : { address: next, host: withoutPort(first) };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

/** Both servers write odd bytes as `\xHH`, and put a backslash before marks. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const plain = text.replaceAll(/\\x([0-9A-Fa-f]{2})|\\(.)/g, (_, hex?: string, mark?: string) =>
    hex === undefined ? (mark ?? '') : String.fromCodePoint(Number.parseInt(hex, 16)),
  );
  // Escaped bytes past ASCII are those of UTF-8.
  return /\\x[89A-Fa-f]/.test(text) ? Buffer.from(plain, 'latin1').toString('utf8') : plain;
}
