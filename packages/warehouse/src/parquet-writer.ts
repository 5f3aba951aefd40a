import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  BIGINT,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  VARCHAR,
} from '@duckdb/node-api';
import { assert } from '@tandem/base';
import {
  type ParquetCell,
  type ParquetColumn,
  type ParquetKind,
  quoted,
} from './parquet-columns.ts';

/**
 * Rows that are held in memory before they go to a file of their own: one of fifty columns takes
 * about a kilobyte there.
 */
const PART_ROWS_MAX = 50_000;
const CHUNK_ROWS = 2048;
const MEMORY_LIMIT = '384MiB';

/**
 * Writes rows into one Parquet file of any size with memory for one part of it: parts go to the
 * folder `PATH.parts` and are put together at the end, in their order.
 */
export class ParquetWriter {
  readonly #path: string;
  readonly #partsFolder: string;
  readonly #columns: readonly ParquetColumn[];
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #parts: string[] = [];
  #appender: DuckDBAppender | undefined;
  #partRows = 0;

  private constructor(
    path: string,
    columns: readonly ParquetColumn[],
    instance: DuckDBInstance,
    connection: DuckDBConnection,
  ) {
    this.#path = path;
    this.#partsFolder = `${path}.parts`;
    this.#columns = columns;
    this.#instance = instance;
    this.#connection = connection;
  }

  /** `path` is overwritten at the end. */
  static async open(path: string, columns: readonly ParquetColumn[]): Promise<ParquetWriter> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY_LIMIT,
      threads: '1',
      temp_directory: '',
      autoinstall_known_extensions: 'false',
    });
    const connection = await instance.connect();
    const writer = new ParquetWriter(path, columns, instance, connection);
    await connection.run(`CREATE TABLE part (${columns.map(tableColumn).join(', ')})`);
    mkdirSync(writer.#partsFolder, { recursive: true });
    return writer;
  }

  /** Each row has one cell per column. */
  async write(rows: readonly (readonly ParquetCell[])[]): Promise<void> {
    this.#appender ??= await this.#connection.createAppender('part');
    for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
      this.#append(this.#appender, rows.slice(from, from + CHUNK_ROWS));
    }
    if (this.#partRows >= PART_ROWS_MAX) await this.#writePart();
  }

  /** Writes what is left and puts the parts together. */
  async finish(): Promise<void> {
    if (this.#partRows > 0 || this.#parts.length === 0) await this.#writePart();
    const [first, ...others] = this.#parts;
    assert(first !== undefined, 'there is a part');
    if (others.length === 0) {
      renameSync(first, this.#path);
      return;
    }
    const files = this.#parts.map((part) => quoted(part, "'")).join(', ');
    await this.#copy(`SELECT * FROM read_parquet([${files}])`, this.#path);
  }

  /** Frees everything and removes the parts. */
  close(): void {
    this.#appender?.closeSync();
    this.#connection.closeSync();
    this.#instance.closeSync();
    rmSync(this.#partsFolder, { recursive: true, force: true });
  }

  #append(appender: DuckDBAppender, rows: readonly (readonly ParquetCell[])[]): void {
    const chunk = DuckDBDataChunk.create(
      this.#columns.map(({ kind }) => TYPES[kind]),
      rows.length,
    );
    chunk.setColumns(
      this.#columns.map(({ kind }, index) =>
        rows.map((row) => cellValue(kind, row[index] ?? null)),
      ),
    );
    appender.appendDataChunk(chunk);
    this.#partRows += rows.length;
  }

  async #writePart(): Promise<void> {
    this.#appender?.closeSync();
    this.#appender = undefined;
    const part = join(this.#partsFolder, `${this.#parts.length}.parquet`);
    await this.#copy(`SELECT ${this.#columns.map(fileColumn).join(', ')} FROM part`, part);
    await this.#connection.run('TRUNCATE part');
    this.#parts.push(part);
    this.#partRows = 0;
  }

  async #copy(select: string, path: string): Promise<void> {
    const options = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${PART_ROWS_MAX}`;
    await this.#connection.run(`COPY (${select}) TO ${quoted(path, "'")} (${options})`);
  }
}

const TYPES: Readonly<Record<ParquetKind, DuckDBType>> = {
  text: VARCHAR,
  integer: BIGINT,
  int64: VARCHAR,
  time: BIGINT,
  flag: BIGINT,
};

function cellValue(kind: ParquetKind, cell: ParquetCell): DuckDBValue {
  if (cell === null) return null;
  return kind === 'text' || kind === 'int64' ? String(cell) : BigInt(cell);
}

function tableColumn({ name, kind }: ParquetColumn): string {
  return `${quoted(name, '"')} ${TYPES[kind].toString()}`;
}

function fileColumn({ name, kind }: ParquetColumn): string {
  const column = quoted(name, '"');
  if (kind === 'time') return `epoch_ms(${column}) AS ${column}`;
  if (kind === 'int64') return `CAST(${column} AS BIGINT) AS ${column}`;
  if (kind === 'flag') return `CAST(${column} AS BOOLEAN) AS ${column}`;
  return column;
}
