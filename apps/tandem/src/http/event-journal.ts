import { assert } from '@tandem/base';

/** An event as clients read it: LiteFS's fields, and an id to go on from. */
export interface ApiEvent {
  readonly type: 'init' | 'tx' | 'primaryChange' | 'ready' | 'end';
  /** Names the place in the journal; a reader may ask for what comes after it. */
  readonly id: string;
  /** The database of a `tx`. */
  readonly db?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where a reader goes on. */
export type Resumption =
  /** Everything after the id is still there. */
  | { readonly kind: 'resumed'; readonly cursor: number }
  /** The id is of another start of the node, or too old: something may have been missed. */
  | { readonly kind: 'gap'; readonly cursor: number };

const ID_FORM = /^(?<journal>[0-9a-z]{1,32})-(?<number>\d{1,16})$/;

/**
 * The last events, for readers that come back. Readers hold a cursor, the number of the last event
 * they have; nothing is kept per reader, so a slow one costs nothing and is at some point too late.
 */
export class EventJournal {
  readonly #name: string;
  readonly #eventsMax: number;
  readonly #events: ApiEvent[] = [];
  #lastNumber = 0;

  /** `name` tells the journals of one node's starts apart: lower-case letters and digits. */
  constructor(name: string, eventsMax: number) {
    assert(/^[0-9a-z]{1,32}$/.test(name), 'a journal is named by letters and digits');
    assert(eventsMax > 0, 'a journal keeps at least one event');
    this.#name = name;
    this.#eventsMax = eventsMax;
  }

  /** The cursor of a reader who has everything. */
  get end(): number {
    return this.#lastNumber;
  }

  idOf(cursor: number): string {
    return `${this.#name}-${cursor}`;
  }

  add(event: Omit<ApiEvent, 'id'>): void {
    this.#lastNumber += 1;
    const { type, ...rest } = event;
    this.#events.push({ type, id: this.idOf(this.#lastNumber), ...rest });
    if (this.#events.length > this.#eventsMax) this.#events.shift();
  }

  /** Where a reader goes on whose last event had this id. */
  resume(id: string): Resumption {
    const groups = ID_FORM.exec(id)?.groups;
    const cursor = Number(groups?.['number'] ?? Number.NaN);
    const isHere = groups?.['journal'] === this.#name && this.#reaches(cursor);
    return isHere ? { kind: 'resumed', cursor } : { kind: 'gap', cursor: this.end };
  }

  /** The event after the cursor; `none` when there is none yet, `lost` when it is gone already. */
  after(cursor: number): ApiEvent | 'none' | 'lost' {
    if (cursor === this.#lastNumber) return 'none';
    const event = this.#events[this.#events.length - (this.#lastNumber - cursor)];
    return event ?? 'lost';
  }

  #reaches(cursor: number): boolean {
    return cursor <= this.#lastNumber && cursor >= this.#lastNumber - this.#events.length;
  }
}

/** A line of NDJSON. */
export function ndjsonOf(event: ApiEvent): string {
  return `${JSON.stringify(event)}\n`;
}

/** A message of a server-sent event stream, whose id browsers send back by themselves. */
export function sseOf(event: ApiEvent): string {
  return `event: ${event.type}\nid: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}
