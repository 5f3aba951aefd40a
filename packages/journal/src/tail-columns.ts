import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import {
  EVENT_COLUMNS,
  PACKED_NULL,
  PACKED_SEPARATOR,
  VISIT_COLUMNS,
  type Column,
} from '@loggia/contract';
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

/**
 * The columns of `PackedRows`, one aggregate each. As BLOB, since what goes on to another engine
 * needs no string in between.
 */
export function packedList(columns: readonly Column[]): string {
  return columns
    .map(({ name, nullable }) => {
      const value = nullable ? `ifnull(${name}, ${sqlText(PACKED_NULL)})` : name;
      return `CAST(group_concat(${value}, ${sqlText(PACKED_SEPARATOR)}) AS BLOB)`;
    })
    .join(', ');
}

/** SQLite ends a literal at NUL. */
function sqlText(text: string): string {
  return `char(${Array.from(text, (character) => character.codePointAt(0)).join(', ')})`;
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
