import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { type ParquetCell, type ParquetColumn, quoted } from './parquet-columns.ts';

/** Reads a Parquet file from its first row to its last, a block of rows at a time. */
export class ParquetReader {
  readonly #path: string;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(path: string, instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#path = path;
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(path: string): Promise<ParquetReader> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: '256MiB',
      threads: '1',
      temp_directory: '',
      autoinstall_known_extensions: 'false',
    });
    return new ParquetReader(path, instance, await instance.connect());
  }

  /** The names of the columns that the file has. @throws when it is no Parquet file. */
  async columnNames(): Promise<readonly string[]> {
    const result = await this.#connection.run(`SELECT * FROM ${this.#table()} LIMIT 0`);
    return result.columnNames();
  }

  async rowCount(): Promise<number> {
    const result = await this.#connection.runAndReadAll(`SELECT count(*) FROM ${this.#table()}`);
    return Number(result.getRows()[0]?.[0] ?? 0);
  }

  /** The rows from number `from` (0 is the first) on, with the cells of `columns`. */
  async *rows(
    columns: readonly ParquetColumn[],
    from: number,
  ): AsyncGenerator<readonly (readonly ParquetCell[])[]> {
    const list = columns.map(readColumn).join(', ');
    const result = await this.#connection.stream(
      `SELECT ${list} FROM read_parquet(${quoted(this.#path, "'")}, file_row_number = true)
       WHERE file_row_number >= ${from}`,
    );
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk.getRows().map((row) => row.map(cellOf));
    }
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  #table(): string {
    return `read_parquet(${quoted(this.#path, "'")})`;
  }
}

function readColumn({ name, kind }: ParquetColumn): string {
  const column = quoted(name, '"');
  if (kind === 'time') return `epoch_ms(CAST(${column} AS TIMESTAMP))`;
  if (kind === 'flag') return `CAST(${column} AS TINYINT)`;
  if (kind === 'integer') return `CAST(${column} AS BIGINT)`;
  return `CAST(${column} AS VARCHAR)`;
}

function cellOf(value: DuckDBValue): ParquetCell {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' || typeof value === 'string' ? value : null;
}
