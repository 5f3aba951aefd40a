import { parseEvent, type Platform, type RequestFacts } from '@loggia/ingest';
import type { ParsedHit } from './hit-sink.ts';
import { BadRecord } from './import-kind.ts';

/** What a row of another program's export says of an event. */
export interface CsvHit {
  readonly timeMs: number;
  readonly name: string;
  readonly url: string;
  readonly domain: string;
  readonly referrer: string | null;
  readonly screenWidth: number | null;
  /** The same for all events of a visitor. */
  readonly visitor: string;
  /** Null when the row has none, and `platform` says what is known. */
  readonly userAgent: string | null;
  readonly platform: Platform;
  readonly language: string | null;
  readonly place: RequestFacts['headerPlace'];
}

/** @throws BadRecord when it makes no event. */
export function parsedHit(hit: CsvHit): ParsedHit {
  const parsed = parseEvent({
    n: hit.name,
    u: hit.url,
    d: hit.domain,
    r: hit.referrer ?? undefined,
    w: hit.screenWidth ?? undefined,
  });
  if (!parsed.ok) throw new BadRecord(parsed.errors.join(' '));
  const { visitor, userAgent, platform, language, place, timeMs } = hit;
  return {
    event: parsed.event,
    request: {
      address: null,
      userAgent,
      language,
      headerPlace: place,
      hasOptedOut: false,
      timeMs,
      dedupeId: null,
      known: userAgent === null ? { visitor, platform } : { visitor },
    },
  };
}

/** A time in UTC unless it names an offset. @throws BadRecord */
export function utcTimeMs(text: string): number {
  const hasZone = /(?:[Zz]|[+-]\d\d(?::?\d\d)?)$/.test(text);
  const iso = text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
  const timeMs = Date.parse(hasZone ? iso : `${iso}Z`);
  if (Number.isFinite(timeMs)) return timeMs;
  throw new BadRecord(`'${text}' is no time`);
}

/** The width of a screen like `1920x1080` or `1920,1080,1`. */
export function widthOf(text: string | null): number | null {
  const digits = /^\d+/.exec(text ?? '')?.[0];
  return digits === undefined ? null : Number(digits);
}
