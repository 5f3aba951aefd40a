import { normaliseAddress } from './address.ts';
import { cleanText } from './clean-text.ts';
import {
  first,
  jsonObjectOf,
  parseEventFields,
  type EventBody,
  type JsonObject,
} from './event-body.ts';

/** One event of a batch: the sender says when it was and whose. */
export interface BatchItem {
  readonly event: EventBody;
  readonly timeMs: number;
  /** The visitor's address in normal form; null when the sender did not say. */
  readonly address: string | null;
  /** Null when the sender did not say. */
  readonly userAgent: string | null;
  /** The sender's id; the same id is stored once per site. */
  readonly id: string | null;
}

/** An item of a batch, or one sentence for each thing that is wrong with it. */
export type ParsedBatchItem =
  | { readonly ok: true; readonly item: BatchItem }
  | { readonly ok: false; readonly errors: readonly string[] };

export const BATCH_ID_LENGTH_MAX = 200;
/** How far ahead of the server's clock a timestamp may be. */
export const TIMESTAMP_AHEAD_MAX_MS = 5 * 60_000;
/** Timestamps begin with the year 2000. */
export const TIMESTAMP_MIN_MS = Date.UTC(2000, 0, 1);

const USER_AGENT_LENGTH_MAX = 2000;
const ISO_TIME =
  /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?\s?(?<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * Reads an item of a batch: an event as `parseEvent` takes it plus `timestamp` (ISO 8601, in UTC
 * unless it names an offset, or Unix milliseconds; absent means `nowMs`), `ip`, `user_agent` and
 * `id`. Unlike an optional entry of an event, a bad one of these is an error: ignoring it would
 * store the event under a wrong time or visitor. `value` may be anything; nothing is thrown.
 */
export function parseBatchItem(value: unknown, nowMs: number): ParsedBatchItem {
  const fields = jsonObjectOf(value);
  if (fields === null) return { ok: false, errors: ['The item is not a JSON object.'] };
  const errors: string[] = [];
  const timeMs = itemTimeMs(first(fields, 'timestamp'), nowMs, errors);
  const address = itemAddress(first(fields, 'ip'), errors);
  const userAgent = itemUserAgent(fields, errors);
  const id = itemId(first(fields, 'id'), errors);
  const parsed = parseEventFields(fields);
  if (!parsed.ok) return { ok: false, errors: [...parsed.errors, ...errors] };
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, item: { event: parsed.event, timeMs, address, userAgent, id } };
}

function itemTimeMs(value: unknown, nowMs: number, errors: string[]): number {
  if (value === undefined) return nowMs;
  const timeMs = timestampMs(value);
  if (timeMs === null) {
    errors.push('The timestamp is neither ISO 8601 nor Unix milliseconds.');
  } else if (timeMs < TIMESTAMP_MIN_MS) {
    errors.push('The timestamp is before the year 2000; numbers are Unix milliseconds.');
  } else if (timeMs > nowMs + TIMESTAMP_AHEAD_MAX_MS) {
    errors.push('The timestamp is more than five minutes ahead of the server.');
  } else {
    return timeMs;
  }
  return nowMs;
}

/** The instant that a timestamp names, or null when it names none. */
function timestampMs(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : null;
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (/^\d{9,15}$/.test(text)) return Number(text);
  const match = ISO_TIME.exec(text);
  if (match === null) return null;
  const timeMs = Date.parse(standardIso(text, match.groups?.['zone']));
  return Number.isFinite(timeMs) ? timeMs : null;
}

/** ISO 8601 as `Date.parse` is sure to take it; without an offset it would mean local time. */
function standardIso(text: string, zone: string | undefined): string {
  const time = (zone === undefined ? text : text.slice(0, -zone.length)).trimEnd();
  if (time.length === 10) return time;
  const offset = zone === undefined || /z/i.test(zone) ? 'Z' : longOffset(zone);
  return `${time.slice(0, 10)}T${time.slice(11).replace(',', '.')}${offset}`;
}

function longOffset(zone: string): string {
  const minutes = zone.slice(3).replace(':', '') || '00';
  return `${zone.slice(0, 3)}:${minutes}`;
}

function itemAddress(value: unknown, errors: string[]): string | null {
  if (value === undefined || value === '') return null;
  const address = typeof value === 'string' ? normaliseAddress(value) : null;
  if (address === null) errors.push('The ip is no IP address.');
  return address;
}

function itemUserAgent(fields: JsonObject, errors: string[]): string | null {
  const value = first(fields, 'user_agent', 'userAgent');
  if (value === undefined) return null;
  if (typeof value === 'string') return cleanText(value, USER_AGENT_LENGTH_MAX);
  errors.push('The user_agent is not a string.');
  return null;
}

function itemId(value: unknown, errors: string[]): string | null {
  if (value === undefined || value === '') return null;
  const isInteger = typeof value === 'number' && Number.isSafeInteger(value);
  const id = typeof value === 'string' || isInteger ? String(value) : null;
  if (id === null) errors.push('The id is not a string.');
  else if (id.length > BATCH_ID_LENGTH_MAX) errors.push('The id is longer than 200 characters.');
  return id === null ? null : cleanText(id, BATCH_ID_LENGTH_MAX);
}
