import { parquetSql } from './literal.ts';
import { EVENT_TABLE, VISIT_TABLE, type TableSchema } from './table-schema.ts';

/** The kinds of files that hold rows of a table. */
export type RowKind = 'visits' | 'events';

const TABLES: Readonly<Record<RowKind, TableSchema>> = {
  visits: VISIT_TABLE,
  events: EVENT_TABLE,
};

/**
 * Times of a visit that files hold as milliseconds since its start, under these names: they are
 * small then, and take a tenth of the space.
 */
const SINCE_START: Readonly<Record<string, string>> = {
  last_ms: 'length_ms',
  entry_ms: 'entry_after_ms',
  exit_ms: 'exit_after_ms',
};

/** The SELECT list that makes the columns of a file from those of the table. */
export function storedColumns(kind: RowKind): string {
  const columns = TABLES[kind].columns.map(({ name }) => {
    const stored = kind === 'visits' ? SINCE_START[name] : undefined;
    return stored === undefined ? name : `${name} - start_ms AS ${stored}`;
  });
  return columns.join(', ');
}

/** A SELECT of the table's columns from files, of which there is at least one. */
export function sealedRows(kind: RowKind, paths: readonly string[]): string {
  const columns = TABLES[kind].columns.map(({ name }) => {
    const stored = kind === 'visits' ? SINCE_START[name] : undefined;
    return stored === undefined ? name : `start_ms + ${stored} AS ${name}`;
  });
  return `SELECT ${columns.join(', ')} FROM ${parquetSql(paths)}`;
}
