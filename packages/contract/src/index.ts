export { EVENT_COLUMNS, ROLLUP_COLUMNS, VISIT_COLUMNS } from './tables.ts';
export type { Column, ColumnType, EventColumn, RollupColumn, VisitColumn } from './tables.ts';
export { PACKED_NULL, PACKED_SEPARATOR } from './packed-rows.ts';
export type { PackedRows } from './packed-rows.ts';
export { ERROR_CODES, HttpError } from './http-error.ts';
export type { ErrorCode } from './http-error.ts';
export { DROP_REASONS } from './drop-reason.ts';
export type { DropReason } from './drop-reason.ts';
export { DEFAULT_SITE_SETTINGS } from './site-settings.ts';
export type { SiteSettings } from './site-settings.ts';
export { SCRIPT_FEATURES } from './script-feature.ts';
export type { ScriptFeature } from './script-feature.ts';
export type { Goal, Site } from './site.ts';
export { KEY_SCOPES } from './key-scope.ts';
export type { KeyScope } from './key-scope.ts';
export type { Hit, VisitAttributes } from './hit.ts';
export { SEGMENT_KINDS } from './segment.ts';
export type { Segment, SegmentKind, SegmentLevel, SegmentSet } from './segment.ts';
export type {
  ArchiveReads,
  LateParameter,
  LateStatement,
  QueryValue,
  RolledUp,
  Statement,
  StatementResult,
} from './statement.ts';
export {
  EVENT_DIMENSIONS,
  FILTER_OPERATORS,
  METRIC_NAMES,
  PROPERTY_PREFIX,
  RELATIVE_RANGES,
  TIME_DIMENSIONS,
  VISIT_DIMENSIONS,
} from './query-names.ts';
export type {
  DimensionName,
  EventDimension,
  FilterDimension,
  FilterOperator,
  MetricName,
  PropertyDimension,
  TimeDimension,
  VisitDimension,
} from './query-names.ts';
export { ROWS_MAX } from './query.ts';
export type {
  MetricValue,
  MetricWarning,
  QueryAnswer,
  QueryFilter,
  QueryRow,
  RevenueValue,
} from './query.ts';
