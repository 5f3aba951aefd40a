import type { Statement } from '@loggia/contract';
import { conjunctsOf } from './filter-sql.ts';
import type { Filter } from './query.ts';
import type { ResolvedQuery } from './resolved-query.ts';
import { chosenVisitSql } from './scope.ts';
import { sql, statementOf } from './sql.ts';
import type { TimeRange } from './time-range.ts';

/** Visits of a site that began in a range and pass filters, as reports choose them. */
export interface VisitChoice {
  readonly siteId: number;
  readonly range: TimeRange;
  readonly filters: readonly Filter[];
  readonly goals: ResolvedQuery['goals'];
}

/** One column, `id`: the chosen visits. */
export function chosenVisitsStatement({ siteId, range, filters, goals }: VisitChoice): Statement {
  const conjuncts = conjunctsOf(filters);
  const { fromMs, toMs } = range;
  const query: ResolvedQuery = {
    siteId,
    metrics: [],
    dimensions: [],
    conjuncts,
    range,
    compared: undefined,
    orderBy: [],
    goals,
    listedGoals: goals,
    revenue: NO_REVENUE,
    zoneSinceMs: 0,
  };
  const scope = {
    query,
    range,
    conjuncts,
    dimensions: [],
    fromMs: sql`${fromMs}`,
    toMs: sql`${toMs}`,
  };
  const text = sql`SELECT v.id AS id FROM visit v WHERE ${chosenVisitSql(scope)}`;
  return { ...statementOf(text), reads: { fromMs, toMs } };
}

const NO_REVENUE = {
  kind: 'none',
  warning: { code: 'no_revenue_goals_matching', warning: '' },
} as const;
