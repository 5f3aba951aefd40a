import { HttpError, type DropReason, type Hit, type Site } from '@loggia/contract';
import { batchFacts, parseBatchItem } from '@loggia/ingest';
import type { EventIntake } from './event-intake.ts';
import type { Services } from './services.ts';

/** Items that one batch may have. */
export const BATCH_ITEMS_MAX = 10_000;

/** The answer to a batch: every item is in exactly one of the three. */
export interface BatchResult {
  readonly accepted: number;
  readonly dropped: readonly { readonly index: number; readonly reason: DropReason }[];
  readonly errors: readonly {
    readonly index: number;
    readonly code: 'bad_json' | 'bad_event';
    readonly message: string;
  }[];
}

/** An item of a batch as it was read: a value, or text that is no JSON. */
export type BatchLine = { readonly value: unknown } | { readonly notJson: string };

/**
 * Splits a body into its items: a JSON array, or one JSON value per line.
 *
 * @throws HttpError `bad_json` when an array was announced and is none, `bad_batch` when there are
 *   too many items.
 */
export function readBatch(body: string, isLines: boolean): BatchLine[] {
  const lines = isLines ? readLines(body) : readArray(body);
  if (lines.length <= BATCH_ITEMS_MAX) return lines;
  throw new HttpError('bad_batch', `A batch has ${BATCH_ITEMS_MAX} items at most.`, {
    hint: 'Split it into several.',
  });
}

function readArray(body: string): BatchLine[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    throw new HttpError('bad_json', 'The body is not valid JSON.', {
      cause: error,
      hint: "Send one event per line with the content type 'application/x-ndjson'.",
    });
  }
  if (Array.isArray(parsed)) return parsed.map((value: unknown) => ({ value }));
  throw new HttpError('bad_batch', 'The body is not a JSON array.', {
    hint: 'A single event goes to /api/event.',
  });
}

function readLines(body: string): BatchLine[] {
  const lines: BatchLine[] = [];
  for (const line of body.split('\n')) {
    if (line.trim() === '') continue;
    try {
      lines.push({ value: JSON.parse(line) });
    } catch {
      lines.push({ notJson: line });
    }
  }
  return lines;
}

/** What a batch is made of while it is sorted into its three heaps. */
interface Sorting {
  readonly hits: Hit[];
  /** For each hit, the index of its item. */
  readonly indexes: number[];
  readonly sitesById: Map<number, Site>;
  readonly reasons: Map<number, DropReason>;
  readonly errors: BatchResult['errors'][number][];
}

/** Takes batches of events that servers and importers send. */
export class BatchIntake {
  readonly #services: Services;
  readonly #events: EventIntake;

  constructor(services: Services, events: EventIntake) {
    this.#services = services;
    this.#events = events;
  }

  /**
   * Stores the good items of a batch in one commit. An item for several sites counts as
   * accepted when one of them took it.
   *
   * @throws HttpError when a limit is hit or the journal cannot be written, with nothing stored.
   */
  async accept(lines: readonly BatchLine[], nowMs: number): Promise<BatchResult> {
    const sorting: Sorting = {
      hits: [],
      indexes: [],
      sitesById: new Map(),
      reasons: new Map(),
      errors: [],
    };
    for (const [index, line] of lines.entries()) this.#sort(index, line, nowMs, sorting);
    this.#takeLimits(sorting, nowMs);
    const accepted = await this.#store(sorting, nowMs);
    const dropped: BatchResult['dropped'][number][] = [];
    for (const [index, reason] of sorting.reasons) {
      if (!accepted.has(index)) dropped.push({ index, reason });
    }
    dropped.sort((left, right) => left.index - right.index);
    this.#services.metrics.accepted(accepted.size);
    return { accepted: accepted.size, dropped, errors: sorting.errors };
  }

  #sort(index: number, line: BatchLine, nowMs: number, sorting: Sorting): void {
    if ('notJson' in line) {
      sorting.errors.push({ index, code: 'bad_json', message: 'The line is not valid JSON.' });
      return;
    }
    const parsed = parseBatchItem(line.value, nowMs);
    if (!parsed.ok) {
      sorting.errors.push({ index, code: 'bad_event', message: parsed.errors.join(' ') });
      return;
    }
    const { event } = parsed.item;
    for (const each of this.#events.enrich(event, batchFacts(parsed.item, nowMs))) {
      if ('hit' in each) {
        sorting.hits.push(each.hit);
        sorting.indexes.push(index);
        sorting.sitesById.set(each.site.id, each.site);
      } else {
        this.#events.countDrop(each.dropped, each.site, nowMs);
        sorting.reasons.set(index, each.dropped);
      }
    }
  }

  #takeLimits(sorting: Sorting, nowMs: number): void {
    const counts = new Map<number, number>();
    for (const hit of sorting.hits) counts.set(hit.siteId, (counts.get(hit.siteId) ?? 0) + 1);
    for (const [siteId, count] of counts) this.#services.eventLimits.takeSite(siteId, nowMs, count);
  }

  /** @returns the indexes of the items that at least one site took. */
  async #store(sorting: Sorting, nowMs: number): Promise<ReadonlySet<number>> {
    const accepted = new Set<number>();
    if (sorting.hits.length === 0) return accepted;
    const outcomes = await this.#services.queue.submit(sorting.hits);
    for (const [position, outcome] of outcomes.entries()) {
      const index = sorting.indexes[position] ?? 0;
      if (outcome === null) {
        accepted.add(index);
        continue;
      }
      const siteId = sorting.hits[position]?.siteId ?? 0;
      this.#events.countDrop(outcome, sorting.sitesById.get(siteId), nowMs);
      sorting.reasons.set(index, outcome);
    }
    return accepted;
  }
}
