import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { EVENT_COLUMNS, VISIT_COLUMNS, type Column } from '@loggia/contract';
import { int64Of } from './cell.ts';

export const EVENT_NAMES = EVENT_COLUMNS.map((column) => column.name);
export const VISIT_NAMES = VISIT_COLUMNS.map((column) => column.name);
export const VISITOR_IN_EVENT = EVENT_NAMES.indexOf('visitor');
export const VISITOR_IN_VISIT = VISIT_NAMES.indexOf('visitor');

export function insertSql(table: string, names: readonly string[]): string {
  const places = names.map(() => '?').join(', ');
  return `INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`;
}

/**
 * The columns in order, an `int64` as its upper half, and its lower half last of all. Reading all
 * integers as bigint instead costs an allocation for each and a conversion of most.
 */
export function selectList(columns: readonly Column[], ...more: readonly string[]): string {
  const upper = columns.map(({ name, type }) => (type === 'int64' ? `${name} >> 32` : name));
  const wide = columns.filter(({ type }) => type === 'int64');
  const lower = wide.map(({ name }) => `${name} & 4294967295`);
  return [...upper, ...more, ...lower].join(', ');
}

/** Puts the visitor's two halves, at `index` and at the row's end, together at `index`. */
export function foldVisitor(row: SQLOutputValue[], index: number): void {
  const lower = row.pop();
  row[index] = int64Of(row[index], lower);
}

/** The row's values in the order of `names`, for binding. */
export function valuesOf<Name extends string>(
  row: Readonly<Record<Name, SQLInputValue>>,
  names: readonly Name[],
): SQLInputValue[] {
  return names.map((name) => row[name]);
}
