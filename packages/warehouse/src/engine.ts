import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { textSql } from './literal.ts';
import { WarehouseError } from './warehouse-error.ts';

export interface EngineLimits {
  /** What the tables and the queries may use together. */
  readonly memoryBytes: number;
  /** Threads of the engine for all queries together. */
  readonly threads: number;
  /** Where a query may spill; without it, nothing is ever written to disk. */
  readonly tempFolder?: string;
  /** Where Parquet files may be read and written; without it, none may. */
  readonly filesFolder?: string;
}

/** The name of the in-memory database that holds the tables. */
const DATABASE = 'tail';

/**
 * One DuckDB in memory, locked down: no file but those of the two folders is ever opened, no
 * extension is loaded, no setting can be changed by a statement (W7, W11).
 *
 * The tables live in an attached database because only `ATTACH` offers compression in memory: a
 * checkpoint of it brings a million events from 175 MB to 11 MB.
 */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #connections = new Set<DuckDBConnection>();

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /** @throws WarehouseError `open_failed` */
  static async open(limits: EngineLimits): Promise<Engine> {
    try {
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: `${Math.floor(limits.memoryBytes / 1024)}KiB`,
        threads: String(limits.threads),
        temp_directory: limits.tempFolder ?? '',
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        allow_community_extensions: 'false',
        // Checkpoints are ours to time: one during a commit would hold up the queries behind it.
        checkpoint_threshold: '1TB',
      });
      const connection = await instance.connect();
      await connection.run(`ATTACH ':memory:' AS ${DATABASE} (COMPRESS)`);
      if (limits.filesFolder !== undefined) {
        await connection.run(
          `SET allowed_directories = [${textSql(join(limits.filesFolder, '/'))}]`,
        );
        // Footers are kept, for they are read by every query; what else is read, the system keeps.
        await connection.run('SET parquet_metadata_cache = true');
        await connection.run('SET enable_external_file_cache = false');
      }
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
      connection.closeSync();
      return new Engine(instance);
    } catch (error) {
      throw new WarehouseError('open_failed', 'DuckDB could not be started.', {
        cause: error,
        hint: 'Check the memory limit, the number of threads and the temporary folder.',
      });
    }
  }

  /** A connection whose unqualified names are those of the tables. */
  async connect(): Promise<DuckDBConnection> {
    const connection = await this.#instance.connect();
    this.#connections.add(connection);
    await connection.run(`USE ${DATABASE}`);
    return connection;
  }

  disconnect(connection: DuckDBConnection): void {
    if (this.#connections.delete(connection)) connection.closeSync();
  }

  /** Frees everything. No statement may be running. */
  close(): void {
    for (const connection of this.#connections) connection.closeSync();
    this.#connections.clear();
    this.#instance.closeSync();
  }
}
