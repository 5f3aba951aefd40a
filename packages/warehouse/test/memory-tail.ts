import {
  type Column,
  EVENT_COLUMNS,
  type EventColumn,
  VISIT_COLUMNS,
  type VisitColumn,
} from '@loggia/contract';
import type { TailHead, TailRow, TailSource } from '../src/index.ts';

export type EventValues = Partial<Record<EventColumn, unknown>>;
export type VisitValues = Partial<Record<VisitColumn, unknown>>;

/** A journal in memory: an array of events and a map of visits, and what a follower sees of it. */
export class MemoryTail implements TailSource {
  events: TailRow[] = [];
  visits = new Map<number, { change: number; row: TailRow }>();
  epoch = 1;
  #eventId = 0;
  #change = 0;
  /** Thrown by every read while it is set. */
  failure: Error | undefined;

  /** One committed transaction: new events, and visits that are new or changed. */
  commit({ events = [], visits = [] }: { events?: EventValues[]; visits?: VisitValues[] }): void {
    for (const values of events) {
      this.#eventId += 1;
      this.events.push(rowOf(EVENT_COLUMNS, { id: this.#eventId, ...values }));
    }
    if (visits.length > 0) this.#change += 1;
    for (const values of visits) {
      const id = Number(values.id);
      this.visits.set(id, { change: this.#change, row: rowOf(VISIT_COLUMNS, values) });
    }
  }

  /** As a restore does: the last rows are gone, their ids are used again, and the epoch rises. */
  restore(eventsKept: number): void {
    this.events = this.events.slice(0, eventsKept);
    this.visits = new Map([...this.visits].slice(0, eventsKept));
    this.#eventId = this.events.length;
    this.epoch += 1;
  }

  head(): TailHead {
    if (this.failure !== undefined) throw this.failure;
    return { eventId: this.#eventId, visitChange: this.#change, epoch: this.epoch };
  }

  readEvents(afterId: number, rowsMax: number): TailRow[] {
    if (this.failure !== undefined) throw this.failure;
    const begin = this.events.findIndex((row) => Number(row[0]) > afterId);
    return begin < 0 ? [] : this.events.slice(begin, begin + rowsMax);
  }

  readVisits(afterChange: number, rowsMax: number): TailRow[] {
    if (this.failure !== undefined) throw this.failure;
    const rows = [...this.visits.values()]
      .filter(({ change }) => change > afterChange)
      .sort((a, b) => a.change - b.change);
    const lastChange = rows.slice(0, rowsMax).at(-1)?.change ?? 0;
    return rows
      .filter(({ change }, index) => index < rowsMax || change === lastChange)
      .map(({ change, row }) => [...row, change]);
  }
}

function rowOf(columns: readonly Column[], values: Readonly<Record<string, unknown>>): TailRow {
  return columns.map(({ name, type, nullable }) => {
    const value = values[name];
    if (value !== undefined) return value;
    if (nullable) return null;
    if (type === 'int64') return 0n;
    return type === 'text' ? '' : 0;
  });
}
