import type { DuckDBConnection } from '@duckdb/node-api';
import { assert } from '@tandem/base';
import { HttpError, type Statement, type StatementResult } from '@loggia/contract';
import { ArchiveReader } from './archive-reader.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Engine, type EngineLimits } from './engine.ts';
import { statementError } from './engine-error.ts';
import type { EventStore, QueryOptions, StoreStatus } from './event-store.ts';
import { Follower } from './follower.ts';
import { Mirror } from './mirror.ts';
import { Slots } from './slots.ts';
import { SegmentCache } from './segment-cache.ts';
import { StopSignal } from './stop-signal.ts';
import { SumsTable } from './sums-table.ts';
import { TailSpans } from './tail-spans.ts';
import type { TailSource } from './tail-source.ts';
import { WarehouseError } from './warehouse-error.ts';

export interface QueryLimits {
  /**
   * Queries that run at once, each on one of the process's pool threads (`UV_THREADPOOL_SIZE`, 4
   * unless set), which catching up needs as well.
   */
  readonly runningMax: number;
  /** Queries that wait for one of those; more are refused with `overloaded`. */
  readonly waitingMax: number;
  /** For queries that bring no limit of their own. */
  readonly timeoutMs: number;
  readonly rowsMax: number;
}

export interface EmbeddedStoreOptions {
  readonly tail: TailSource;
  readonly limits: EngineLimits;
  /** Where the files of the archive are kept; needed when `tail` has an archive. */
  readonly cacheFolder?: string;
  readonly queries?: Partial<QueryLimits>;
  /** Rows of each table that are read and taken in at once while catching up. */
  readonly stepRowsMax?: number;
}

const DEFAULT_QUERY_LIMITS: QueryLimits = {
  runningMax: 3,
  waitingMax: 64,
  timeoutMs: 30_000,
  rowsMax: 1_000_000,
};

const MEMORY_SQL = 'SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT FROM duckdb_memory()';

interface StoreParts {
  readonly engine: Engine;
  readonly mirror: Mirror;
  readonly follower: Follower;
  readonly cache: SegmentCache | undefined;
  readonly sums: SumsTable | undefined;
  readonly tailSpans: TailSpans;
  readonly statusConnection: DuckDBConnection;
  readonly limits: QueryLimits;
}

/**
 * The event store of one machine: DuckDB in memory, filled from the journal and following it.
 * It holds nothing that the journal does not hold, and writes no database file. Closing ends what runs
 * and what waits first (W10).
 */
export class EmbeddedStore implements EventStore {
  readonly #parts: StoreParts;
  readonly #connections: ConnectionPool;
  readonly #slots: Slots;
  readonly #stops = new Set<StopSignal>();
  readonly #work = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  private constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#connections = new ConnectionPool(parts.engine);
    this.#slots = new Slots(parts.limits);
  }

  /**
   * Opens an empty store; the first `follow` or `query` loads it.
   *
   * @throws WarehouseError `open_failed`
   */
  static async open(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
    const { tail, limits, cacheFolder, stepRowsMax } = options;
    const cache = cacheOf(tail, cacheFolder);
    const engine = await Engine.open({
      ...limits,
      ...(cacheFolder !== undefined && { filesFolder: cacheFolder }),
    });
    const mirror = new Mirror(await engine.connect());
    const sums = cache === undefined ? undefined : new SumsTable(await engine.connect(), cache);
    return new EmbeddedStore({
      engine,
      mirror,
      cache,
      sums,
      tailSpans: new TailSpans(),
      follower: new Follower({ tail, mirror, cache, sums, stepRowsMax }),
      statusConnection: await engine.connect(),
      limits: { ...DEFAULT_QUERY_LIMITS, ...options.queries },
    });
  }

  async query(statement: Statement, options: QueryOptions = {}): Promise<StatementResult> {
    this.#checkOpen();
    const { timeoutMs, rowsMax } = this.#parts.limits;
    using stop = new StopSignal({ timeoutMs, ...options });
    this.#stops.add(stop);
    try {
      // The caller is told at once; what the engine still does is ended and waited for apart.
      return await stop.race(this.#track(this.#run(statement, options.rowsMax ?? rowsMax, stop)));
    } finally {
      this.#stops.delete(stop);
    }
  }

  async status(): Promise<StoreStatus> {
    this.#checkOpen();
    const { mirror, follower, statusConnection } = this.#parts;
    const memory = await this.#track(statusConnection.runAndReadAll(MEMORY_SQL));
    return {
      events: mirror.eventCount,
      visits: mirror.visitCount,
      eventId: follower.eventId,
      behindRows: follower.behindRows(),
      memoryBytes: Number(memory.getRows()[0]?.[0] ?? 0),
      ready: follower.ready,
    };
  }

  async follow(): Promise<void> {
    this.#checkOpen();
    await this.#parts.follower.catchUp();
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #run(statement: Statement, rowsMax: number, stop: StopSignal): Promise<StatementResult> {
    await this.#slots.acquire(stop);
    try {
      return await this.#runInSlot(statement, rowsMax, stop);
    } catch (error) {
      // The engine's word for an interrupt says nothing about who asked for it and why.
      stop.signal.throwIfAborted();
      throw statementError(error);
    } finally {
      this.#slots.release();
    }
  }

  async #runInSlot(
    statement: Statement,
    rowsMax: number,
    stop: StopSignal,
  ): Promise<StatementResult> {
    const connection = await this.#connections.take();
    const reader = new ArchiveReader(connection, this.#parts);
    try {
      await reader.begin(statement, stop);
      return await reader.read(rowsMax, stop.signal);
    } finally {
      await this.#giveBack(connection, reader);
    }
  }

  async #giveBack(connection: DuckDBConnection, reader: ArchiveReader): Promise<void> {
    try {
      await reader.end();
      this.#connections.give(connection);
    } catch {
      this.#connections.discard(connection);
    }
  }

  async #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#work.add(work);
    try {
      return await work;
    } finally {
      this.#work.delete(work);
    }
  }

  async #close(): Promise<void> {
    for (const stop of this.#stops) {
      stop.stop(new HttpError('shutting_down', 'The server is stopping.', { retryable: true }));
    }
    await this.#parts.follower.close();
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
    this.#parts.engine.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new WarehouseError('store_closed', 'The store has been closed.');
    }
  }
}

function cacheOf(tail: TailSource, folder: string | undefined): SegmentCache | undefined {
  if (tail.archive === undefined) return undefined;
  assert(folder !== undefined, 'an archive has a folder for its files');
  return new SegmentCache(folder, tail.archive);
}
