import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { assert } from '@tandem/base';
import type { SegmentKind, SegmentSet } from '@loggia/contract';
import type { NewSegment, NewSegmentSet, VisitBatch } from '@loggia/journal';
import { ROLLUP_CLEAN_UP, addedUp, rollupStatements } from '@loggia/reports';
import {
  EVENT_TABLE,
  Engine,
  PackedWriter,
  type SegmentCache,
  type TableSchema,
  VISIT_TABLE,
  parquetSql,
} from '@loggia/warehouse';
import { type MergePlan, monthStart } from './merge-plan.ts';
import { writeSegment } from './segment-file.ts';
import type { SiteCalendar } from './site-calendar.ts';

export interface SegmentBuilderOptions {
  /** The folder of the archive's files; what is being built stands in `work` in it. */
  readonly cacheFolder: string;
  readonly cache: SegmentCache;
  readonly memoryBytes: number;
}

/** A set and when each site's first visit in it began. */
export interface BuiltSet {
  readonly set: NewSegmentSet;
  readonly firstStarts: readonly { readonly siteId: number; readonly startMs: number }[];
}

/** What the sums of a part depend on beside its rows. */
export interface PartFacts {
  /** On which all of the visits began. */
  readonly day: number;
  readonly calendar: SiteCalendar;
  /** Sets that hold visits of the same day. */
  readonly known: readonly SegmentSet[];
}

/** The order of a site's rows, which is that of what queries ask for. */
const ORDERS = {
  visits: 'site_id, start_ms, id',
  events: 'site_id, time_ms, id',
} as const;

const SEGMENTS_MERGED = ['visits', 'events', 'rollups'] as const;

/** Makes Parquet files with an engine of its own, which has one thread and little memory. */
export class SegmentBuilder {
  readonly #folder: string;
  readonly #cache: SegmentCache;
  readonly #engine: Engine;
  readonly #connection: DuckDBConnection;

  private constructor(
    folder: string,
    cache: SegmentCache,
    engine: { readonly engine: Engine; readonly connection: DuckDBConnection },
  ) {
    this.#folder = folder;
    this.#cache = cache;
    this.#engine = engine.engine;
    this.#connection = engine.connection;
  }

  /** @throws WarehouseError `open_failed` */
  static async open(options: SegmentBuilderOptions): Promise<SegmentBuilder> {
    const { cacheFolder, cache, memoryBytes } = options;
    const folder = join(cacheFolder, 'work');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const engine = await Engine.open({
      memoryBytes,
      threads: 1,
      filesFolder: cacheFolder,
      // A month is sorted in less memory than it takes.
      tempFolder: join(folder, 'spill'),
    });
    const connection = await engine.connect();
    return new SegmentBuilder(folder, cache, { engine, connection });
  }

  /** The set of visits that all began on one day of their sites. */
  async buildPart(batch: VisitBatch, facts: PartFacts): Promise<BuiltSet> {
    await this.#fill(VISIT_TABLE, batch.visits);
    await this.#fill(EVENT_TABLE, batch.events);
    await this.#fillDays(facts.calendar);
    await this.#fillKnown(facts.known);
    const { day } = facts;
    const built = await this.#writeSet({ level: 'part', firstDay: day, lastDay: day });
    for (const table of ['visit', 'event', 'known_visit', 'known_event', 'site_day']) {
      await this.#connection.run(`DROP TABLE ${table}`);
    }
    return built;
  }

  /** One set of all that the sets of a plan hold. */
  async merge({ level, sets }: MergePlan): Promise<NewSegmentSet> {
    const pinned = SEGMENTS_MERGED.map((kind) => this.#pinned(sets, kind));
    try {
      const [visits = [], events = [], rollups = []] = pinned.map(({ paths }) => paths);
      const firstDay = sets.reduce((day, set) => Math.min(day, set.firstDay), Infinity);
      const written = [
        await this.#writeSorted('visits', VISIT_TABLE, parquetSql(visits)),
        await this.#writeSorted('events', EVENT_TABLE, parquetSql(events)),
        await this.#writeSums('rollups', rollups, 'day'),
        ...(level === 'month'
          ? [await this.#writeSums('months', rollups, monthSql(monthStart(firstDay)))]
          : []),
      ];
      const segments = written.filter((segment) => segment !== undefined);
      return { level, segments, ...spanOf(sets) };
    } finally {
      for (const files of pinned) files.release();
    }
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

  /** The days on which the visits and their events lie. */
  async #fillDays(calendar: SiteCalendar): Promise<void> {
    const spans = await this.#numbers(
      'SELECT site_id, min(start_ms), max(last_ms) FROM visit GROUP BY site_id ORDER BY site_id',
    );
    const days = spans.flatMap(([siteId = 0, fromMs = 0, toMs = 0]) =>
      calendar.days(siteId, fromMs, toMs),
    );
    const values = days.map((one) => `(${one.siteId}, ${one.day}, ${one.fromMs}, ${one.toMs})`);
    await this.#connection.run(
      `CREATE OR REPLACE TABLE site_day AS SELECT * FROM (VALUES ${values.join(', ')})
         AS d (site_id, day, from_ms, to_ms)`,
    );
  }

  /** Earlier visits of the same visitors on the same day, with their events. */
  async #fillKnown(known: readonly SegmentSet[]): Promise<void> {
    const visits = this.#pinned(known, 'visits');
    const events = this.#pinned(known, 'events');
    try {
      await this.#connection.run(
        visits.paths.length === 0
          ? 'CREATE OR REPLACE TABLE known_visit AS FROM visit LIMIT 0'
          : `CREATE OR REPLACE TABLE known_visit AS FROM ${parquetSql(visits.paths)}
             WHERE start_ms >= (SELECT min(from_ms) FROM site_day)
               AND start_ms < (SELECT max(to_ms) FROM site_day)
               AND (site_id, visitor) IN (SELECT (site_id, visitor) FROM visit)`,
      );
      await this.#connection.run(
        events.paths.length === 0
          ? 'CREATE OR REPLACE TABLE known_event AS FROM event LIMIT 0'
          : `CREATE OR REPLACE TABLE known_event AS FROM ${parquetSql(events.paths)}
             WHERE time_ms >= (SELECT min(from_ms) FROM site_day)
               AND visit_id IN (SELECT id FROM known_visit)`,
      );
    } finally {
      visits.release();
      events.release();
    }
  }

  #pinned(sets: readonly SegmentSet[], kind: SegmentKind) {
    const segments = sets.flatMap((set) => set.segments.filter((one) => one.kind === kind));
    return this.#cache.pin(segments);
  }

  async #writeSet(facts: Pick<NewSegmentSet, 'level' | 'firstDay' | 'lastDay'>): Promise<BuiltSet> {
    const visits = await this.#writeSorted('visits', VISIT_TABLE, 'visit');
    const events = await this.#writeSorted('events', EVENT_TABLE, 'event');
    assert(visits !== undefined && events !== undefined, 'a visit has an event');
    const rollups = await this.#writeRollups();
    const segments = rollups === undefined ? [visits, events] : [visits, events, rollups];
    const [fromMs, toMs] = await this.#timeRange();
    return {
      set: { ...facts, fromMs, toMs, visits: visits.rows, events: events.rows, segments },
      firstStarts: await this.#firstStarts(),
    };
  }

  /** The rows of `source`, which has the table's columns. */
  async #writeSorted(
    kind: 'visits' | 'events',
    table: TableSchema,
    source: string,
  ): Promise<NewSegment | undefined> {
    const columns = table.columns.map(({ name }) => name).join(', ');
    const select = `SELECT ${columns} FROM ${source} ORDER BY ${ORDERS[kind]}`;
    return writeSegment(this.#connection, kind, { select, folder: this.#folder });
  }

  /** Invariant A2: what these visits add to the sums, given those that are known. */
  async #writeRollups(): Promise<NewSegment | undefined> {
    const { prepare, select } = rollupStatements();
    for (const statement of prepare) await this.#connection.run(statement);
    const folder = this.#folder;
    const rollups = await writeSegment(this.#connection, 'rollups', { select, folder });
    for (const statement of ROLLUP_CLEAN_UP) await this.#connection.run(statement);
    return rollups;
  }

  /** Invariant A2: what the files say together, with `day` as the day. */
  async #writeSums(
    kind: 'rollups' | 'months',
    paths: readonly string[],
    day: string,
  ): Promise<NewSegment | undefined> {
    if (paths.length === 0) return undefined;
    const select = addedUp(parquetSql(paths), day);
    return writeSegment(this.#connection, kind, { select, folder: this.#folder });
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

/**
 * The first day of the month for days in it. What visits that went on past its end add to later days
 * keeps its day, since those may be asked for without the month.
 */
function monthSql(firstDay: number): string {
  const nextFirstDay = monthStart(firstDay + 31);
  return `CASE WHEN day >= ${firstDay} AND day < ${nextFirstDay} THEN ${firstDay} ELSE day END`;
}

function spanOf(sets: readonly SegmentSet[]): Omit<NewSegmentSet, 'level' | 'segments'> {
  const least = (of: (set: SegmentSet) => number): number => Math.min(...sets.map(of));
  const most = (of: (set: SegmentSet) => number): number => Math.max(...sets.map(of));
  const sum = (of: (set: SegmentSet) => number): number =>
    sets.reduce((total, set) => total + of(set), 0);
  return {
    firstDay: least((set) => set.firstDay),
    lastDay: most((set) => set.lastDay),
    fromMs: least((set) => set.fromMs),
    toMs: most((set) => set.toMs),
    visits: sum((set) => set.visits),
    events: sum((set) => set.events),
  };
}
