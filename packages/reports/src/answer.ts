import type { QueryAnswer, Statement, StatementResult } from '@loggia/contract';

import { badQuery, describe } from './bad-query.ts';
import { patternsIn } from './filter-sql.ts';
import type { Query, QueryContext } from './query.ts';
import { resolveQuery, type ResolvedQuery } from './resolved-query.ts';
import { comparedRows, plainRows, shapeAnswer, totalRows } from './shape.ts';
import type { PlainRow } from './shape.ts';
import { joinSql, sql, statementOf } from './sql.ts';
import { queryStatement } from './statement.ts';

/** Runs one statement; it rejects when the engine fails, never because of the query's values. */
export type Execute = (statement: Statement) => Promise<StatementResult>;

/** More rows than this are not looked up one by one in the compared range. */
const COMPARED_ROWS_MAX = 100_000;

/**
 * Answers a query.
 *
 * @throws HttpError `bad_query` when the query makes no sense for this site, and whatever `execute`
 *   throws.
 */
export async function answerQuery(
  query: Query,
  context: QueryContext,
  execute: Execute,
): Promise<QueryAnswer> {
  const resolved = resolveQuery(query, context);
  await refuseBadPatterns(query, execute);
  const { limit, offset } = query.pagination;
  const result = await execute(queryStatement(resolved, { range: resolved.range, limit, offset }));
  const rows = plainRows(resolved, resolved.range, result);
  const total = await totalOf(query, resolved, result, execute);
  const answered = resolved.compared === undefined ? rows : await compare(resolved, rows, execute);
  return shapeAnswer(query, resolved, context, { rows: answered, totalRows: total });
}

/** The engine itself says which patterns it takes, so that there is no second opinion. */
async function refuseBadPatterns(query: Query, execute: Execute): Promise<void> {
  const patterns = [...new Set(patternsIn(query.filters))];
  if (patterns.length === 0) return;
  const statement = patternStatement(patterns);
  const { rows } = await execute(statement);
  const bad = patterns.find((_, index) => rows[0]?.[index] === null);
  if (bad === undefined) return;
  throw badQuery(`The pattern ${describe(bad)} is not a regular expression that RE2 takes.`);
}

const NOTHING_READ = { fromMs: 0, toMs: 0 };

/** One row: for each pattern null when it is malformed. */
function patternStatement(patterns: readonly string[]): Statement {
  const columns = patterns.map((pattern) => sql`TRY(regexp_matches('', ${pattern}))`);
  const statement = sql`SELECT ${joinSql(columns, ', ')}`;
  return { ...statementOf(statement), reads: NOTHING_READ };
}

async function totalOf(
  query: Query,
  resolved: ResolvedQuery,
  result: StatementResult,
  execute: Execute,
): Promise<number> {
  const isPastEnd = result.rows.length === 0 && query.pagination.offset > 0;
  if (!query.include.totalRows || !isPastEnd) return totalRows(result);
  const first = await execute(
    queryStatement(resolved, { range: resolved.range, limit: 1, offset: 0 }),
  );
  return totalRows(first);
}

async function compare(resolved: ResolvedQuery, rows: readonly PlainRow[], execute: Execute) {
  const { compared } = resolved;
  if (compared === undefined) return rows;
  const labels = resolved.dimensions.map((dimension, index) =>
    dimension.kind === 'time'
      ? undefined
      : [...new Set(rows.map((row) => row.dimensions[index] ?? ''))],
  );
  const nothingToFind = labels.some((values) => values?.length === 0);
  if (nothingToFind) return comparedRows(resolved, rows, []);
  const result = await execute(
    queryStatement(resolved, { range: compared, limit: COMPARED_ROWS_MAX, offset: 0, labels }),
  );
  return comparedRows(resolved, rows, plainRows(resolved, compared, result));
}
