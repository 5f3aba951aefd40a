import type { DuckDBConnection } from '@duckdb/node-api';
import { ROLLUP_COLUMNS, type Segment } from '@loggia/contract';
import { parquetSql } from './literal.ts';
import { SUM_TABLE } from './table-schema.ts';
import type { SegmentCache } from './segment-cache.ts';

/** Sums that one statement reads: those of a site by one dimension, from some segments. */
export interface SumsRead {
  readonly siteId: number;
  readonly dimensions: readonly number[];
  readonly segments: readonly Segment[];
}

/** A slice of a segment: the rows of one site and dimension. */
interface Slice {
  readonly segmentId: number;
  readonly siteId: number;
  readonly dimension: number;
  rows: number;
  readers: number;
}

/** Some 20 MB when compressed. A busy site's year by month has 200,000 for all dimensions. */
const ROWS_MAX = 1_000_000;
/** Rows written between checkpoints, the size of a row group of the engine. */
const CHECKPOINT_ROWS = 122_880;

const COLUMNS = ROLLUP_COLUMNS.map(({ name }) => name).join(', ');

/**
 * Sums that have been asked for, in memory: opening a year's files and taking their blocks apart
 * takes ten times as long as adding up what is in them.
 *
 * Invariant W16: a slice is in the table as a whole or not at all, and stays as long as a statement
 * that counts on it has not taken its snapshot; what has not been asked for longest goes first.
 */
export class SumsTable {
  readonly #connection: DuckDBConnection;
  readonly #cache: SegmentCache;
  readonly #rowsMax: number;
  /** In the order of their last use. */
  readonly #slices = new Map<string, Slice>();
  #rows = 0;
  #rowsSinceCheckpoint = 0;
  #loading: Promise<unknown> = Promise.resolve();

  constructor(connection: DuckDBConnection, cache: SegmentCache, rowsMax = ROWS_MAX) {
    this.#connection = connection;
    this.#cache = cache;
    this.#rowsMax = rowsMax;
  }

  /** Brings the slices in; they stay until the function that is returned has been called. */
  async hold(read: SumsRead): Promise<() => void> {
    const keys = read.dimensions.flatMap((dimension) =>
      read.segments.map(({ id }) => keyOf(id, read.siteId, dimension)),
    );
    const loaded = this.#loading.then(async () => {
      for (const dimension of read.dimensions) await this.#load(read, dimension);
      for (const key of keys) this.#use(key);
    });
    // A failure is the caller's; the next one tries for itself.
    this.#loading = loaded.catch(() => undefined);
    await loaded;
    return () => {
      for (const key of keys) this.#release(key);
    };
  }

  /** Drops what segments that are gone have left. Wait for it before the tables are read. */
  async keep(segmentIds: ReadonlySet<number>): Promise<void> {
    const gone = [...this.#slices].filter(([, { segmentId }]) => !segmentIds.has(segmentId));
    if (gone.length === 0) return;
    const dropped = this.#loading.then(() => this.#drop(gone));
    this.#loading = dropped.catch(() => undefined);
    await dropped;
  }

  /** Forgets everything, when the table has been emptied. */
  clear(): void {
    this.#slices.clear();
    this.#rows = 0;
  }

  async #load({ siteId, segments }: SumsRead, dimension: number): Promise<void> {
    const missing = segments.filter(({ id }) => !this.#slices.has(keyOf(id, siteId, dimension)));
    if (missing.length === 0) return;
    const files = this.#cache.pin(missing);
    try {
      const source = parquetSql(files.paths, 'filename = true');
      const inserted = await this.#connection.run(
        `INSERT INTO ${SUM_TABLE.name} (segment_id, ${COLUMNS})
         SELECT CAST(regexp_extract(filename, 'segment-([0-9]+)-', 1) AS BIGINT), ${COLUMNS}
         FROM ${source} WHERE site_id = ${siteId} AND dimension = ${dimension}`,
      );
      this.#note({ siteId, dimension, segments: missing, rows: inserted.rowsChanged });
    } finally {
      files.release();
    }
    await this.#makeRoom();
  }

  #note(loaded: {
    readonly siteId: number;
    readonly dimension: number;
    readonly segments: readonly Segment[];
    readonly rows: number;
  }): void {
    const { siteId, dimension, segments, rows } = loaded;
    // How many are of each is not worth asking: they come and go together, mostly.
    const share = rows / segments.length;
    for (const { id: segmentId } of segments) {
      const slice = { segmentId, siteId, dimension, rows: share, readers: 0 };
      this.#slices.set(keyOf(segmentId, siteId, dimension), slice);
    }
    this.#rows += rows;
    this.#rowsSinceCheckpoint += rows;
  }

  #use(key: string): void {
    const slice = this.#slices.get(key);
    if (slice === undefined) return;
    slice.readers += 1;
    this.#slices.delete(key);
    this.#slices.set(key, slice);
  }

  #release(key: string): void {
    const slice = this.#slices.get(key);
    if (slice !== undefined) slice.readers = Math.max(0, slice.readers - 1);
  }

  async #makeRoom(): Promise<void> {
    const old: [string, Slice][] = [];
    let over = this.#rows - this.#rowsMax;
    for (const [key, slice] of this.#slices) {
      if (over <= 0) break;
      if (slice.readers > 0) continue;
      old.push([key, slice]);
      over -= slice.rows;
    }
    if (old.length > 0) await this.#drop(old);
    if (this.#rowsSinceCheckpoint < CHECKPOINT_ROWS) return;
    await this.#connection.run('CHECKPOINT');
    this.#rowsSinceCheckpoint = 0;
  }

  async #drop(slices: readonly (readonly [string, Slice])[]): Promise<void> {
    const tuples = slices.map(
      ([, { segmentId, siteId, dimension }]) => `(${segmentId}, ${siteId}, ${dimension})`,
    );
    await this.#connection.run(
      `DELETE FROM ${SUM_TABLE.name}
       WHERE (segment_id, site_id, dimension) IN (VALUES ${tuples.join(', ')})`,
    );
    for (const [key, { rows }] of slices) {
      this.#slices.delete(key);
      this.#rows -= rows;
      this.#rowsSinceCheckpoint += rows;
    }
  }
}

function keyOf(segmentId: number, siteId: number, dimension: number): string {
  return `${segmentId} ${siteId} ${dimension}`;
}
