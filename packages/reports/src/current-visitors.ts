import type { Statement } from '@loggia/contract';

import { sql, statementOf } from './sql.ts';

const RECENT_MS = 5 * 60_000;

/** One row, one column: the distinct visitors with an event in the last five minutes. */
export function currentVisitorsStatement(siteId: number, nowMs: number): Statement {
  const since = nowMs - RECENT_MS;
  const text = sql`SELECT count(DISTINCT e.visitor) AS visitors FROM event e WHERE e.site_id = ${siteId} AND e.time_ms >= ${since} AND e.time_ms <= ${nowMs} AND e.name <> 'engagement'`;
  const reads = { fromMs: since, toMs: nowMs + 1 };
  return { ...statementOf(text), reads };
}
