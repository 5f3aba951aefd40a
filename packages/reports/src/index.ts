export { answerQuery } from './answer.ts';
export type { Execute } from './answer.ts';
export { chosenVisitsStatement } from './chosen-visits.ts';
export type { VisitChoice } from './chosen-visits.ts';
export { currentVisitorsStatement } from './current-visitors.ts';
export { parseQuery } from './query-parser.ts';
export type {
  Comparison,
  DateRange,
  Filter,
  FilterBranch,
  FilterDeed,
  FilterLeaf,
  FilterNegation,
  Order,
  Query,
  QueryContext,
} from './query.ts';
export { ROLLUP_CLEAN_UP, ROLLUP_SUMS, addedUp, rollupStatements } from './rollup-rows.ts';
export { resolveQuery } from './resolved-query.ts';
export type { ResolvedDimension, ResolvedQuery } from './resolved-query.ts';
export { queryStatement } from './statement.ts';
export type { StatementOptions } from './statement.ts';
export { resolveDateRange } from './time-range.ts';
export type { TimeRange } from './time-range.ts';
export { shapeAnswer } from './shape.ts';
export { answerV1 } from './v1/answer.ts';
export type { V1Answer } from './v1/answer.ts';
export { parseAggregate, parseBreakdown, parseTimeseries } from './v1/request.ts';
export type { SearchParams, V1Request } from './v1/request.ts';
