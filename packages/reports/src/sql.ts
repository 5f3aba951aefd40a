import type { LateParameter, LateStatement, Statement } from '@loggia/contract';
import { assert } from '@tandem/base';

/** A piece of SQL with the values of its placeholders, in order. */
export interface Sql {
  readonly text: string;
  readonly parameters: LateStatement['parameters'];
}

/**
 * A piece of SQL from a template. Pieces are inserted; strings and whole numbers become typed
 * placeholders, so no value ever reaches the text.
 */
export function sql(
  strings: TemplateStringsArray,
  ...values: readonly (Sql | string | number)[]
): Sql {
  let text = strings[0] ?? '';
  const parameters: (string | number | LateParameter)[] = [];
  for (const [index, value] of values.entries()) {
    if (typeof value === 'object') {
      text += value.text;
      parameters.push(...value.parameters);
    } else {
      text += placeholder(value);
      parameters.push(value);
    }
    text += strings[index + 1] ?? '';
  }
  return { text, parameters };
}

/** A whole number that the store fills in. */
export function late(name: LateParameter['late']): Sql {
  return { text: placeholder(0), parameters: [{ late: name }] };
}

/** A statement that has nothing to be filled in. */
export function statementOf({ text, parameters }: Sql): Statement {
  return { sql: text, parameters: parameters.map(known) };
}

function known(parameter: string | number | LateParameter): string | number {
  assert(typeof parameter !== 'object', 'the statement is complete');
  return parameter;
}

// The casts matter: a driver may bind a JavaScript number as DOUBLE, and arithmetic must stay exact.
function placeholder(value: string | number): string {
  if (typeof value === 'string') return 'CAST(? AS VARCHAR)';
  assert(Number.isSafeInteger(value), 'numbers in SQL are whole');
  return 'CAST(? AS BIGINT)';
}

/** An identifier: lower-case letters, digits, underscores and dots only. */
export function identifier(name: string): Sql {
  assert(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$/.test(name), `'${name}' is an identifier`);
  return { text: name, parameters: [] };
}

/** The pieces one after the other, with `separator` between them. */
export function joinSql(pieces: readonly Sql[], separator: string): Sql {
  return {
    text: pieces.map((piece) => piece.text).join(separator),
    parameters: pieces.flatMap((piece) => piece.parameters),
  };
}

/** True when all of `conditions` are; true when there are none. */
export function allOf(conditions: readonly Sql[]): Sql {
  if (conditions.length === 0) return sql`TRUE`;
  return sql`(${joinSql(conditions, ' AND ')})`;
}

/** True when any of `conditions` is; false when there are none. */
export function anyOf(conditions: readonly Sql[]): Sql {
  if (conditions.length === 0) return sql`FALSE`;
  return sql`(${joinSql(conditions, ' OR ')})`;
}

/** The values as a list of placeholders, for IN and for list literals. */
export function valueList(values: readonly (string | number)[]): Sql {
  return joinSql(
    values.map((value) => sql`${value}`),
    ', ',
  );
}
