import { MEASURES, type Measure } from './metrics.ts';
import { NO_DIMENSION } from './rollup-dimensions.ts';
import type { ResolvedDimension } from './resolved-query.ts';
import type { RollupPlan } from './rollup-plan.ts';
import type { Scope } from './scope.ts';
import { identifier, joinSql, late, sql, valueList, type Sql } from './sql.ts';
import { dayStepSql } from './time-step.ts';

/** The part of a statement that adds up sums: its columns are those of the other parts. */
export function rollupPart(scope: Scope, plan: RollupPlan, measures: readonly Measure[]): Sql {
  const keys = scope.dimensions.map(
    (dimension, index) => sql`${keySql(dimension)} AS ${identifier(`d${index}`)}`,
  );
  const sums = measures.map(
    (measure) => sql`CAST(sum(r.${identifier(measure)}) AS BIGINT) AS ${identifier(measure)}`,
  );
  const columns = joinSql([...keys, ...sums, sql`${presentSql(measures)} AS present`], ', ');
  const grouping = scope.dimensions.map((_, index) => identifier(`d${index}`));
  const groupBy = grouping.length === 0 ? sql`` : sql` GROUP BY ${joinSql(grouping, ', ')}`;
  return sql`SELECT ${columns} FROM rollup r WHERE ${summedRowsSql(scope, plan)}${groupBy}`;
}

/** The rows of a statement that adds up nothing but sums, as it would make them of the part. */
export function rollupRows(scope: Scope, plan: RollupPlan, measures: readonly Measure[]): Sql {
  const keys = scope.dimensions.map(
    (dimension, index) => sql`${keySql(dimension)} AS ${identifier(`d${index}`)}`,
  );
  const sums = measures.map((measure) => {
    const name = identifier(measure);
    return sql`CAST(coalesce(sum(r.${name}), 0) AS BIGINT) AS ${name}`;
  });
  const rows = sql`SELECT ${joinSql([...keys, ...sums], ', ')} FROM rollup r WHERE ${summedRowsSql(scope, plan)}`;
  if (keys.length === 0) return rows;
  const grouping = keys.map((_, index) => identifier(`d${index}`));
  return sql`${rows} GROUP BY ${joinSql(grouping, ', ')} HAVING ${presentSql(measures)}`;
}

/** The number of visitors of the days that are summed. */
export function rollupVisitorsSql(scope: Scope, plan: RollupPlan): Sql {
  return sql`SELECT coalesce(sum(r.visitors), 0) FROM rollup r WHERE ${summedRowsSql(scope, totalPlan(plan))}`;
}

function keySql(dimension: ResolvedDimension): Sql {
  return dimension.kind === 'time' ? dayStepSql(dimension.step, sql`r.day`) : sql`r.value`;
}

/** As the parts say it: rows are made by visits and by events, where those are asked for. */
function presentSql(measures: readonly Measure[]): Sql {
  const makers = [
    ...(measures.some((measure) => MEASURES[measure] === 'visits') ? [sql`sum(r.visits) > 0`] : []),
    ...(measures.some((measure) => MEASURES[measure] === 'events') ? [sql`sum(r.events) > 0`] : []),
  ];
  return makers.length === 0 ? sql`FALSE` : joinSql(makers, ' OR ');
}

/** What the whole query's visitors are read from. */
export function totalPlan(plan: RollupPlan): RollupPlan {
  return plan.values === undefined ? { ...plan, dimension: NO_DIMENSION } : plan;
}

function summedRowsSql(scope: Scope, plan: RollupPlan): Sql {
  const { dimension, values } = plan;
  const ofValue = values === undefined ? sql`` : sql` AND r.value IN (${valueList(values)})`;
  const endDay = plan.firstDay + plan.dayStartsMs.length - 1;
  return sql`r.site_id = ${scope.query.siteId} AND r.dimension = ${dimension}${ofValue} AND r.day >= ${plan.firstDay} AND r.day < ${endDay} AND (r.day < ${late('rawFromDay')} OR r.day >= ${late('rawEndDay')})`;
}
