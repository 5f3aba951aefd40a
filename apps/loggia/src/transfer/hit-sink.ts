import type { Site } from '@loggia/contract';
import {
  TailWriter,
  VISIT_GAP_MS,
  type Enricher,
  type EventBody,
  type RequestFacts,
} from '@loggia/ingest';
import type { Journal } from '@loggia/journal';
import { HeldVisits } from './held-visits.ts';
import { BadRecord, type ImportSink } from './import-kind.ts';

/** What a record of another program says: an event, or why it is none. */
export type ParsedHit =
  | { readonly skipped: string; readonly timeMs?: number }
  | { readonly event: EventBody; readonly request: Omit<RequestFacts, 'nowMs'> };

export interface HitSinkOptions {
  readonly journal: Journal;
  readonly site: Site;
  readonly enricher: Enricher;
  /** By how much a record may be earlier than one before it. */
  readonly disorderMs: number;
  readonly nowMs: () => number;
  /** Hits of one transaction; 5000 when absent. */
  readonly writeHits?: number;
}

/** Older times are faults of clocks and formats. */
const TIME_MIN_MS = Date.UTC(2000, 0, 1);

/** @throws BadRecord for a time that no event of the web can have. */
export function checkedTime(timeMs: number): number {
  if (timeMs >= TIME_MIN_MS) return timeMs;
  throw new BadRecord('the time is before the year 2000');
}

const WRITE_HITS = 5000;

/** Puts events of other programs through the enrichment and the forming of visits of live ones. */
export class HitSink implements ImportSink<ParsedHit> {
  readonly #options: HitSinkOptions;
  readonly #writer: TailWriter;
  readonly #held = new HeldVisits();
  readonly #counts: Map<string, number>;
  #latestMs = Number.NEGATIVE_INFINITY;

  constructor(options: HitSinkOptions, counts: Readonly<Record<string, number>>) {
    this.#options = options;
    this.#writer = new TailWriter(options.journal);
    this.#counts = new Map(Object.entries(counts));
  }

  get isDue(): boolean {
    return this.#held.readyCount >= (this.#options.writeHits ?? WRITE_HITS);
  }

  take(parsed: ParsedHit, number: number): void {
    if ('skipped' in parsed) {
      this.#count(parsed.skipped, 1);
      return;
    }
    const { enricher, site, nowMs, disorderMs } = this.#options;
    const request = { ...parsed.request, nowMs: nowMs() };
    const hit = enricher.enrich(parsed.event, site, request);
    if ('dropped' in hit) {
      this.#count(hit.dropped, 1);
      return;
    }
    this.#held.add(hit, number);
    if (hit.timeMs <= this.#latestMs) return;
    this.#latestMs = hit.timeMs;
    this.#held.closeBefore(hit.timeMs - VISIT_GAP_MS - disorderMs);
  }

  pending(): readonly number[] {
    return this.#held.pending();
  }

  end(): void {
    this.#held.closeAll();
  }

  write(alongside: () => void): void {
    const { hits } = this.#held.takeReady();
    for (const { name } of hits) this.#count(name === 'pageview' ? 'pageviews' : 'events', 1);
    this.#writer.write(hits, this.#options.nowMs(), [], alongside);
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  #count(name: string, more: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + more);
  }
}
