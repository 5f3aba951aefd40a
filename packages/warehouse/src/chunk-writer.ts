import { DuckDBDataChunk, type DuckDBConnection } from '@duckdb/node-api';
import { assert } from '@tandem/base';
import { encoderOf, type EncodeValue } from './engine-value.ts';
import type { TableSchema } from './table-schema.ts';
import type { TailRow } from './tail-source.ts';

/** The engine's vector size: a data chunk holds no more rows. */
const CHUNK_ROWS = 2048;

/**
 * Appends rows to one table in the connection's open transaction, a chunk per turn of the event
 * loop. One chunk's memory is used again and again; rows are flushed chunk by chunk, since what
 * the appender holds back is kept uncompressed outside the engine's memory limit.
 */
export class ChunkWriter {
  readonly #connection: DuckDBConnection;
  readonly #table: TableSchema;
  readonly #encoders: readonly EncodeValue[];
  readonly #chunk: DuckDBDataChunk;

  constructor(connection: DuckDBConnection, table: TableSchema) {
    this.#connection = connection;
    this.#table = table;
    this.#encoders = table.types.map(encoderOf);
    this.#chunk = DuckDBDataChunk.create(table.types);
  }

  /** Elements of a row beyond the table's columns are left out. */
  async append(rows: readonly TailRow[]): Promise<void> {
    if (rows.length === 0) return;
    const appender = await this.#connection.createAppender(this.#table.name);
    try {
      for (let begin = 0; begin < rows.length; begin += CHUNK_ROWS) {
        if (begin > 0) await nextTurn();
        this.#fill(rows, begin, Math.min(CHUNK_ROWS, rows.length - begin));
        appender.appendDataChunk(this.#chunk);
        appender.flushSync();
      }
    } catch (error) {
      appender.clear();
      throw error;
    } finally {
      appender.closeSync();
    }
  }

  #fill(rows: readonly TailRow[], begin: number, count: number): void {
    this.#chunk.reset();
    this.#chunk.rowCount = count;
    for (const [index, encode] of this.#encoders.entries()) {
      const vector = this.#chunk.getColumnVector(index);
      for (let item = 0; item < count; item += 1) {
        const row = rows[begin + item];
        assert(row !== undefined && row.length > index, 'a row of the journal has every column');
        vector.setItem(item, encode(row[index]));
      }
      vector.flush();
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
