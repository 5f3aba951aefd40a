import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SegmentKind, SegmentSet } from '@loggia/contract';
import type { NewSegment, VisitBatch } from '@loggia/journal';
import { ROLLUP_CLEAN_UP, addedUp, rollupStatements } from '@loggia/reports';
import {
  EVENT_TABLE,
  Engine,
  PackedWriter,
  type PinnedFiles,
  type SegmentCache,
  VISIT_TABLE,
  sealedRows,
  storedColumns,
} from '@loggia/warehouse';
import { writeSegment } from './segment-file.ts';
import type { SiteCalendar } from './site-calendar.ts';

export interface BuildSpaceOptions {
  /** The folder of the archive's files. */
  readonly cacheFolder: string;
  /** The name of the folder in it where files are built; processes need different ones. */
  readonly workName?: string;
  readonly cache: SegmentCache;
  readonly memoryBytes: number;
}

/** The tables of rows, with the order of a site's rows, which is that of what queries ask for. */
const ROWS = {
  visits: { table: VISIT_TABLE, order: 'site_id, start_ms, id' },
  // A visit's events lie together, so that what they repeat takes no space.
  events: { table: EVENT_TABLE, order: 'site_id, visit_id, time_ms, id' },
} as const;

/** All tables that files are made in. */
const TABLES = ['visit', 'event', 'known_visit', 'known_event', 'site_day', 'chosen'];

/** An engine of its own, with one thread and little memory, and the tables that files are made of. */
export class BuildSpace {
  readonly #folder: string;
  readonly #cache: SegmentCache;
  readonly #engine: Engine;
  readonly #connection: DuckDBConnection;

  private constructor(
    folder: string,
    cache: SegmentCache,
    opened: { readonly engine: Engine; readonly connection: DuckDBConnection },
  ) {
    this.#folder = folder;
    this.#cache = cache;
    this.#engine = opened.engine;
    this.#connection = opened.connection;
  }

  /** @throws WarehouseError `open_failed` */
  static async open(options: BuildSpaceOptions): Promise<BuildSpace> {
    const { cacheFolder, workName = 'work', cache, memoryBytes } = options;
    const folder = join(cacheFolder, workName);
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
    return new BuildSpace(folder, cache, { engine, connection });
  }

  close(): void {
    this.#engine.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs a statement that has no answer. */
  async run(sql: string, parameters: readonly (string | number)[] = []): Promise<void> {
    await this.#connection.run(sql, [...parameters]);
  }

  /** The rows of a statement whose columns are whole numbers. */
  async numbers(sql: string): Promise<number[][]> {
    const rows = (await this.#connection.runAndReadAll(sql)).getRows();
    return rows.map((row) => row.map(Number));
  }

  /** Drops the tables, also those that an attempt which failed has left. */
  async clear(): Promise<void> {
    for (const table of TABLES) await this.run(`DROP TABLE IF EXISTS ${table}`);
  }

  /** Makes `visit` and `event` of rows of the tail. */
  async fillPacked(batch: VisitBatch): Promise<void> {
    await this.clear();
    for (const kind of ['visits', 'events'] as const) {
      const { table } = ROWS[kind];
      await this.run(table.createSql);
      await new PackedWriter(this.#connection, table).append(batch[kind]);
    }
  }

  /** Makes `visit` and `event` of the rows of two SELECTs; the second may read `visit`. */
  async fillSelected(selects: Readonly<Record<'visits' | 'events', string>>): Promise<void> {
    for (const kind of ['visits', 'events'] as const) {
      const { table } = ROWS[kind];
      await this.run(table.createSql);
      await this.run(`INSERT INTO ${table.name} BY NAME ${selects[kind]}`);
    }
  }

  /** Makes `site_day`: the days on which the visits and their events lie. */
  async fillDays(calendar: SiteCalendar): Promise<void> {
    const spans = await this.numbers(
      'SELECT site_id, min(start_ms), max(last_ms) FROM visit GROUP BY site_id ORDER BY site_id',
    );
    const days = spans.flatMap(([siteId = 0, fromMs = 0, toMs = 0]) =>
      calendar.days(siteId, fromMs, toMs),
    );
    const values = days.map((one) => `(${one.siteId}, ${one.day}, ${one.fromMs}, ${one.toMs})`);
    await this.run(
      `CREATE TABLE site_day AS SELECT * FROM (VALUES ${values.join(', ')})
         AS d (site_id, day, from_ms, to_ms)`,
    );
  }

  /**
   * Makes `known_visit` and `known_event`: visits that the sets hold, by the visitors of `visit` and
   * on the same days, other than `visit` itself.
   */
  async fillKnown(known: readonly SegmentSet[]): Promise<void> {
    const visits = this.pin(known, 'visits');
    const events = this.pin(known, 'events');
    const none = visits.paths.length === 0 || events.paths.length === 0;
    try {
      await this.run(
        none
          ? 'CREATE TABLE known_visit AS FROM visit LIMIT 0'
          : `CREATE TABLE known_visit AS FROM (${sealedRows('visits', visits.paths)})
             WHERE start_ms >= (SELECT min(from_ms) FROM site_day)
               AND start_ms < (SELECT max(to_ms) FROM site_day)
               AND (site_id, visitor) IN (SELECT (site_id, visitor) FROM visit)
               AND id NOT IN (SELECT id FROM visit)`,
      );
      await this.run(
        none
          ? 'CREATE TABLE known_event AS FROM event LIMIT 0'
          : `CREATE TABLE known_event AS FROM (${sealedRows('events', events.paths)})
             WHERE time_ms >= (SELECT min(from_ms) FROM site_day)
               AND visit_id IN (SELECT id FROM known_visit)`,
      );
    } finally {
      visits.release();
      events.release();
    }
  }

  /** The files of a kind of all the sets. */
  pin(sets: readonly SegmentSet[], kind: SegmentKind): PinnedFiles {
    const segments = sets.flatMap((set) => set.segments.filter((one) => one.kind === kind));
    return this.#cache.pin(segments);
  }

  /** The rows of `source`, which has the columns of `visit` or of `event`. */
  async writeRows(kind: 'visits' | 'events', source: string): Promise<NewSegment | undefined> {
    const columns = storedColumns(kind);
    return this.write(kind, `SELECT ${columns} FROM ${source} ORDER BY ${ROWS[kind].order}`);
  }

  /** Invariant A2: what the visits of `visit` add to the sums, given those that are known. */
  async writeRollups(): Promise<NewSegment | undefined> {
    const { prepare, select } = rollupStatements();
    for (const statement of prepare) await this.run(statement);
    const rollups = await this.write('rollups', select);
    for (const statement of ROLLUP_CLEAN_UP) await this.run(statement);
    return rollups;
  }

  /** Invariant A2: what `source` says in all, with `day` as the day. */
  async writeSums(
    kind: 'rollups' | 'months',
    source: string,
    day: string,
  ): Promise<NewSegment | undefined> {
    return this.write(kind, addedUp(source, day));
  }

  /** The rows of `select`, whose order is total, as a file; undefined when there are none. */
  async write(kind: SegmentKind, select: string): Promise<NewSegment | undefined> {
    return writeSegment(this.#connection, kind, { select, folder: this.#folder });
  }
}
