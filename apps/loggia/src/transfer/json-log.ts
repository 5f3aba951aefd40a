import { logTimeMs, splitRequest } from './combined-log.ts';
import { BadRecord } from './import-kind.ts';
import type { LogEntry } from './log-entry.ts';

type Json = Readonly<Record<string, unknown>>;

/** Names by which servers, and people who wrote their own format, call one thing. */
const NAMES = {
  time: ['ts', 'time_iso8601', 'msec', 'time', 'timestamp', '@timestamp', 'time_local', 'StartUTC'],
  address: ['client_ip', 'remote_addr', 'remote_ip', 'ClientHost', 'clientip', 'ip'],
  forwardedFor: ['http_x_forwarded_for', 'x_forwarded_for'],
  request: ['request', 'request_line'],
  method: ['method', 'request_method', 'RequestMethod', 'verb'],
  target: ['request_uri', 'uri', 'RequestPath', 'url', 'path'],
  host: ['host', 'http_host', 'RequestHost', 'vhost', 'server_name'],
  status: ['status', 'DownstreamStatus', 'OriginStatus', 'response'],
  referrer: ['http_referer', 'http_referrer', 'referer', 'referrer', 'request_Referer'],
  userAgent: ['http_user_agent', 'user_agent', 'request_User-Agent', 'userAgent', 'agent'],
  acceptLanguage: ['http_accept_language', 'request_Accept-Language'],
  contentType: ['sent_http_content_type', 'content_type', 'downstream_Content-Type'],
} as const;

/**
 * A line of a log of JSON objects: Caddy's, Traefik's, or one of nginx with its usual names. Null
 * for a line of Caddy's log that is about something else than a request.
 *
 * @throws BadRecord
 */
export function parseJsonLine(line: string): LogEntry | null {
  const fields = jsonObject(line);
  const request = fields['request'];
  if (isObject(request)) return caddyEntry(fields, request);
  if (typeof fields['logger'] === 'string' && fields['status'] === undefined) return null;
  const { method, target } = requestOf(fields);
  return {
    timeMs: timeMs(first(fields, NAMES.time)),
    address: textOf(first(fields, NAMES.address)),
    forwardedFor: textOf(first(fields, NAMES.forwardedFor)),
    method,
    target,
    host: hostOf(textOf(first(fields, NAMES.host))),
    status: statusOf(first(fields, NAMES.status)),
    referrer: textOf(first(fields, NAMES.referrer)),
    userAgent: userAgentOf(fields),
    acceptLanguage: textOf(first(fields, NAMES.acceptLanguage)),
    contentType: textOf(first(fields, NAMES.contentType)),
    isPrefetch: false,
    fetchDest: null,
  };
}

function caddyEntry(fields: Json, request: Json): LogEntry {
  const headers = isObject(request['headers']) ? request['headers'] : {};
  const answered = isObject(fields['resp_headers']) ? fields['resp_headers'] : {};
  const header = (name: string) => textOf(headerValue(headers, name));
  return {
    timeMs: timeMs(first(fields, NAMES.time)),
    address: textOf(first(request, NAMES.address)),
    forwardedFor: null,
    method: textOf(request['method']) ?? '',
    target: textOf(request['uri']) ?? '',
    host: hostOf(textOf(request['host'])),
    status: statusOf(fields['status']),
    referrer: header('Referer'),
    userAgent: header('User-Agent') ?? '',
    acceptLanguage: header('Accept-Language'),
    contentType: textOf(headerValue(answered, 'Content-Type')),
    isPrefetch: /prefetch|prerender/.test(header('Sec-Purpose') ?? header('Purpose') ?? ''),
    fetchDest: header('Sec-Fetch-Dest'),
  };
}

/** Caddy writes each header as a list of its values. */
function headerValue(headers: Json, name: string): unknown {
  const value = headers[name];
  return Array.isArray(value) ? (value as readonly unknown[])[0] : value;
}

function requestOf(fields: Json): { readonly method: string; readonly target: string } {
  const line = textOf(first(fields, NAMES.request));
  if (line !== null) return splitRequest(line);
  const method = textOf(first(fields, NAMES.method));
  const target = textOf(first(fields, NAMES.target));
  if (method !== null && target !== null) return { method: method.toUpperCase(), target };
  throw new BadRecord('the object names no request: neither request nor method and uri');
}

function userAgentOf(fields: Json): string {
  const value = first(fields, NAMES.userAgent);
  if (value === undefined) throw new BadRecord('the object has no user agent');
  return textOf(value) ?? '';
}

function statusOf(value: unknown): number {
  const status = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof status === 'number' && Number.isInteger(status)) return status;
  throw new BadRecord('the object has no status');
}

/** Seconds with a fraction, milliseconds, ISO 8601 or the form of the combined format. */
function timeMs(value: unknown): number {
  const number = typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) {
    return Math.round(number > MILLISECONDS_FROM ? number : number * 1000);
  }
  if (typeof value !== 'string') throw new BadRecord('the object has no time');
  if (/^\d{1,2}\//.test(value)) return logTimeMs(value);
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(value);
  const parsed = Date.parse(hasZone ? value : `${value.replace(' ', 'T').replaceAll('/', '-')}Z`);
  if (Number.isFinite(parsed)) return parsed;
  throw new BadRecord(`'${value}' is no time`);
}

/** As seconds, this would be in the year 5138. */
const MILLISECONDS_FROM = 1e11;

function hostOf(text: string | null): string | null {
  return text === null || text === '_' ? null : text.replace(/:\d+$/, '').toLowerCase();
}

/** The first that is there; the empty ones and `-` count only when there is no other. */
function first(fields: Json, names: readonly string[]): unknown {
  const present = names.map((name) => fields[name]).filter((value) => value !== undefined);
  return present.find((value) => value !== '' && value !== '-' && value !== null) ?? present[0];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value !== '-' ? value : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonObject(line: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadRecord('the line is no JSON');
  }
  if (isObject(value)) return value;
  throw new BadRecord('the line is no JSON object');
}
