import {
  type Column,
  EVENT_COLUMNS,
  type EventColumn,
  PACKED_NULL,
  PACKED_SEPARATOR,
  type PackedRows,
  VISIT_COLUMNS,
  type VisitColumn,
} from '@loggia/contract';
import type { TailHead, TailSource } from '../src/index.ts';

type Cell = string | number | bigint | null;
type Row = readonly (Cell | undefined)[];

export type EventValues = Partial<Record<EventColumn, Cell>>;
export type VisitValues = Partial<Record<VisitColumn, Cell>>;

/** A journal in memory: an array of events and a map of visits, and what a follower sees of it. */
export class MemoryTail implements TailSource {
  events: Row[] = [];
  visits = new Map<number, { change: number; row: Row }>();
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

  packEvents(afterId: number, rowsMax: number): PackedRows {
    if (this.failure !== undefined) throw this.failure;
    const begin = this.events.findIndex((row) => Number(row[0]) > afterId);
    const rows = begin < 0 ? [] : this.events.slice(begin, begin + rowsMax);
    return packed(rows, Number(rows.at(-1)?.[0] ?? 0));
  }

  packVisits(afterChange: number, rowsMax: number): PackedRows {
    if (this.failure !== undefined) throw this.failure;
    const rows = [...this.visits.values()]
      .filter(({ change }) => change > afterChange)
      .sort((a, b) => a.change - b.change);
    const lastChange = rows.slice(0, rowsMax).at(-1)?.change ?? 0;
    const taken = rows.filter(({ change }, index) => index < rowsMax || change === lastChange);
    return packed(
      taken.map(({ row }) => row),
      lastChange,
    );
  }
}

function packed(rows: readonly Row[], last: number): PackedRows {
  const [first] = rows;
  if (first === undefined) return { rowCount: 0, last: 0, columns: [] };
  const columns = first.map((_, index) =>
    Buffer.from(rows.map((row) => textOf(row[index])).join(PACKED_SEPARATOR)),
  );
  return { rowCount: rows.length, last, columns };
}

function textOf(value: Cell | undefined): string {
  return value === null ? PACKED_NULL : String(value);
}

function rowOf(columns: readonly Column[], values: Readonly<Record<string, Cell>>): Row {
  return columns.map(({ name, type, nullable }) => {
    const value = values[name];
    if (value !== undefined) return value;
    if (nullable) return null;
    if (type === 'int64') return 0n;
    return type === 'text' ? '' : 0;
  });
}
