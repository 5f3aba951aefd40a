import { mkdirSync, rmSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { assert } from '@tandem/base';
import type { NewSegmentSet, VisitBatch } from '@loggia/journal';
import {
  EVENT_TABLE,
  Engine,
  PackedWriter,
  VISIT_TABLE,
  type TableSchema,
} from '@loggia/warehouse';
import { writeSegment } from './segment-file.ts';

export interface SegmentBuilderOptions {
  /** A folder of its own, emptied at the start and removed at the end. */
  readonly folder: string;
  readonly memoryBytes: number;
}

/** A set and when each site's first visit in it began. */
export interface BuiltSet {
  readonly set: NewSegmentSet;
  readonly firstStarts: readonly { readonly siteId: number; readonly startMs: number }[];
}

const ORDERS = {
  visits: 'site_id, start_ms, id',
  events: 'site_id, time_ms, id',
} as const;

/** Makes Parquet files with an engine of its own, which has one thread and little memory. */
export class SegmentBuilder {
  readonly #folder: string;
  readonly #engine: Engine;
  readonly #connection: DuckDBConnection;

  private constructor(folder: string, engine: Engine, connection: DuckDBConnection) {
    this.#folder = folder;
    this.#engine = engine;
    this.#connection = connection;
  }

  /** @throws WarehouseError `open_failed` */
  static async open({ folder, memoryBytes }: SegmentBuilderOptions): Promise<SegmentBuilder> {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const engine = await Engine.open({ memoryBytes, threads: 1, filesFolder: folder });
    return new SegmentBuilder(folder, engine, await engine.connect());
  }

  /** The set of visits that all began on `day`. */
  async buildPart(batch: VisitBatch, day: number): Promise<BuiltSet> {
    await this.#fill(VISIT_TABLE, batch.visits);
    await this.#fill(EVENT_TABLE, batch.events);
    const built = await this.#writeSet({ level: 'part', firstDay: day, lastDay: day });
    await this.#connection.run('DROP TABLE visit; DROP TABLE event');
    return built;
  }

  close(): void {
    this.#engine.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #fill(table: TableSchema, rows: VisitBatch['visits']): Promise<void> {
    // What an attempt that failed has left.
    await this.#connection.run(`DROP TABLE IF EXISTS ${table.name}`);
    await this.#connection.run(table.createSql);
    await new PackedWriter(this.#connection, table).append(rows);
  }

  async #writeSet(facts: Pick<NewSegmentSet, 'level' | 'firstDay' | 'lastDay'>): Promise<BuiltSet> {
    const segments = [];
    for (const [kind, table] of [
      ['visits', VISIT_TABLE],
      ['events', EVENT_TABLE],
    ] as const) {
      const columns = table.columns.map(({ name }) => name).join(', ');
      const select = `SELECT ${columns} FROM ${table.name} ORDER BY ${ORDERS[kind]}`;
      const segment = await writeSegment(this.#connection, kind, { select, folder: this.#folder });
      if (segment !== undefined) segments.push(segment);
    }
    const [visits, events] = segments;
    assert(visits !== undefined && events !== undefined, 'a visit has an event');
    const [fromMs, toMs] = await this.#timeRange();
    return {
      set: { ...facts, fromMs, toMs, visits: visits.rows, events: events.rows, segments },
      firstStarts: await this.#firstStarts(),
    };
  }

  async #timeRange(): Promise<readonly [number, number]> {
    const [row] = await this.#numbers(
      `SELECT least((SELECT min(start_ms) FROM visit), (SELECT min(time_ms) FROM event)),
         greatest((SELECT max(last_ms) FROM visit), (SELECT max(time_ms) FROM event))`,
    );
    const [fromMs, toMs] = row ?? [];
    assert(fromMs !== undefined && toMs !== undefined, 'there is a visit');
    return [fromMs, toMs];
  }

  async #firstStarts(): Promise<BuiltSet['firstStarts']> {
    const rows = await this.#numbers(
      'SELECT site_id, min(start_ms) FROM visit GROUP BY site_id ORDER BY site_id',
    );
    return rows.map(([siteId = 0, startMs = 0]) => ({ siteId, startMs }));
  }

  async #numbers(sql: string): Promise<number[][]> {
    const rows = (await this.#connection.runAndReadAll(sql)).getRows();
    return rows.map((row) => row.map(Number));
  }
}
