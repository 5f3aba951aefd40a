import type { Statement } from '@loggia/contract';
import { assert } from '@tandem/base';
import { textSql } from './literal.ts';

/**
 * The statement with its values written out. The engine plans a statement with parameters twice: when
 * it is prepared and again when the values are known, since only then filters can skip anything.
 * Planning takes longer than most reports.
 *
 * The text may not hold a question mark other than as a placeholder; that of the reports does not,
 * since all values are parameters there.
 */
export function inlined({ sql, parameters, ...more }: Statement): Statement {
  // A literal cannot hold NUL; such a value stays a parameter, and with it all the others.
  if (parameters.some((value) => typeof value === 'string' && value.includes('\0'))) {
    return { sql, parameters, ...more };
  }
  const pieces = sql.split('?');
  assert(pieces.length === parameters.length + 1, 'each placeholder has a value');
  const text = pieces.reduce(
    (done, piece, index) => done + literal(parameters[index - 1] ?? null) + piece,
  );
  return { sql: text, parameters: [], ...more };
}

function literal(value: Statement['parameters'][number]): string {
  return typeof value === 'string' ? textSql(value) : String(value);
}
