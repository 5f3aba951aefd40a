import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { PACKED_NULL, PACKED_SEPARATOR, type Column, type PackedRows } from '@loggia/contract';
import { assert } from '@tandem/base';
import { rowError } from './engine-error.ts';
import type { TableSchema } from './table-schema.ts';
import { WarehouseError } from './warehouse-error.ts';

/**
 * Inserts packed rows into one table in the connection's open transaction.
 *
 * The engine takes the columns apart itself, on a thread of the pool. Filling its vectors from
 * JavaScript takes three times the processor time, nearly all of it on the thread that answers
 * everything else.
 */
export class PackedWriter {
  readonly #connection: DuckDBConnection;
  readonly #table: TableSchema;
  #statement: DuckDBPreparedStatement | undefined;

  /** The table need not exist yet. */
  constructor(connection: DuckDBConnection, table: TableSchema) {
    this.#connection = connection;
    this.#table = table;
  }

  /** @throws WarehouseError `bad_row` when a value is not what its column holds. */
  async append(rows: PackedRows): Promise<void> {
    if (rows.rowCount === 0) return;
    const { columns } = this.#table;
    assert(rows.columns.length === columns.length, 'packed rows have every column');
    this.#statement ??= await this.#connection.prepare(insertSql(this.#table));
    for (const [index, column] of rows.columns.entries()) {
      this.#statement.bindBlob(index + 1, column);
    }
    try {
      const { rowsChanged } = await this.#statement.run();
      if (rowsChanged === rows.rowCount) return;
    } catch (error) {
      throw rowError(error);
    } finally {
      // The last rows would stay in memory as long as nothing else comes.
      this.#statement.clearBindings();
    }
    throw new WarehouseError('bad_row', 'The journal holds text with the character NUL.');
  }
}

function insertSql({ name, columns, types }: TableSchema): string {
  const separator = chrSql(PACKED_SEPARATOR);
  const cells = columns.map(
    (_, index) => `unnest(string_split(decode($${index + 1}), ${separator})) AS c${index}`,
  );
  const values = columns.map((column, index) =>
    valueSql(column, `c${index}`, types[index]?.toString() ?? ''),
  );
  const names = columns.map((column) => column.name);
  return (
    `INSERT INTO ${name} (${names.join(', ')}) ` +
    `SELECT ${values.join(', ')} FROM (SELECT ${cells.join(', ')})`
  );
}

function valueSql({ type, nullable }: Column, cell: string, engineType: string): string {
  const text = nullable ? `nullif(${cell}, ${chrSql(PACKED_NULL)})` : cell;
  if (type === 'text') return text;
  if (type === 'properties') return `from_json_strict(${text}, '"${engineType}"')`;
  return `CAST(${text} AS ${engineType})`;
}

/** A literal of the engine cannot hold NUL. */
function chrSql(text: string): string {
  return Array.from(text, (character) => `chr(${character.codePointAt(0)})`).join(' || ');
}
