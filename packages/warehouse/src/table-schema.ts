import { BIGINT, type DuckDBType, INTEGER, MAP, TINYINT, VARCHAR } from '@duckdb/node-api';
import {
  type Column,
  type ColumnType,
  EVENT_COLUMNS,
  ROLLUP_COLUMNS,
  VISIT_COLUMNS,
} from '@loggia/contract';

export interface TableSchema {
  readonly name: string;
  /** The contract's. */
  readonly columns: readonly Column[];
  /** The engine's types, in the order of the columns. */
  readonly types: readonly DuckDBType[];
  /** Creates the table in the current database unless it is there. */
  readonly createSql: string;
}

const DUCKDB_TYPES: Readonly<Record<ColumnType, DuckDBType>> = {
  int: BIGINT,
  int64: BIGINT,
  text: VARCHAR,
  flag: TINYINT,
  properties: MAP(VARCHAR, VARCHAR),
};

/** Counts that stay far below 2^31 even after a report multiplies them by a hundred. */
const SMALL_INTEGERS: ReadonlySet<string> = new Set([
  'site_id',
  'pageviews',
  'events',
  'scroll_depth',
  'dimension',
  'day',
]);

export const EVENT_TABLE: TableSchema = tableSchema('event', EVENT_COLUMNS);
export const VISIT_TABLE: TableSchema = tableSchema('visit', VISIT_COLUMNS);
/** Empty in memory: all of its rows are in files. */
export const ROLLUP_TABLE: TableSchema = tableSchema('rollup', ROLLUP_COLUMNS);
/** Rows of `rollup` that have been asked for, each with its segment. */
export const SUM_TABLE: TableSchema = tableSchema('sum_row', [
  { name: 'segment_id', type: 'int', nullable: false },
  ...ROLLUP_COLUMNS,
]);

function tableSchema(name: string, columns: readonly Column[]): TableSchema {
  const types = columns.map(duckdbType);
  const list = columns.map((column) => `${column.name} ${duckdbType(column).toString()}`);
  return {
    name,
    columns,
    types,
    createSql: `CREATE TABLE IF NOT EXISTS ${name} (${list.join(', ')})`,
  };
}

function duckdbType(column: Column): DuckDBType {
  if (SMALL_INTEGERS.has(column.name)) return INTEGER;
  return DUCKDB_TYPES[column.type];
}
