import { DuckDBDecimalValue, type DuckDBValue, DuckDBTypeId } from '@duckdb/node-api';
import type { QueryValue } from '@loggia/contract';
import { WarehouseError } from './warehouse-error.ts';

const ANSWERABLE: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.SQLNULL,
]);

/** @throws WarehouseError `bad_answer` for a column type that no answer can hold */
export function checkAnswerType(column: string, type: DuckDBTypeId): void {
  if (ANSWERABLE.has(type)) return;
  throw new WarehouseError(
    'bad_answer',
    `The column ${column} is of type ${DuckDBTypeId[type]}, which no answer can hold.`,
  );
}

/** @throws WarehouseError `bad_answer` for an integer past 2^53 */
export function decodeAnswerValue(value: DuckDBValue): QueryValue {
  if (typeof value === 'bigint') return decodeInteger(value);
  if (value instanceof DuckDBDecimalValue) return value.toDouble();
  if (value === null || typeof value !== 'object') return value;
  throw new WarehouseError('bad_answer', 'The answer holds a value of an unknown kind.');
}

function decodeInteger(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new WarehouseError('bad_answer', `The answer holds ${value}, which no number can hold.`);
}
