/** The most rows that one answer may carry. */
export const ROWS_MAX = 10_000;

/** A filter as it stands in a query: a comparison, or others combined. */
export type QueryFilter =
  | readonly [string, string, readonly (string | number)[]]
  | readonly [
      string,
      string,
      readonly (string | number)[],
      { readonly case_sensitive?: boolean | undefined },
    ]
  | readonly ['and' | 'or', readonly QueryFilter[]]
  | readonly ['not' | 'has_done' | 'has_not_done', QueryFilter];

/** An amount of money; `short` and `long` are for people. */
export interface RevenueValue {
  readonly value: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly short: string;
  readonly long: string;
}

export type MetricValue = number | RevenueValue | null;

export interface QueryRow {
  /** In the order of the query's dimensions. */
  readonly dimensions: readonly string[];
  /** In the order of the query's metrics. */
  readonly metrics: readonly MetricValue[];
  readonly comparison?: {
    readonly dimensions: readonly string[];
    readonly metrics: readonly MetricValue[];
    /** Difference for rates, per cent for the rest, null where there is none. */
    readonly change: readonly (number | null)[];
  };
}

/** Why a metric of an answer is empty. */
export interface MetricWarning {
  readonly code: string;
  readonly warning: string;
}

/** The answer of `POST /api/v2/query`. */
export interface QueryAnswer {
  readonly results: readonly QueryRow[];
  readonly meta: {
    readonly imports_included?: boolean;
    readonly imports_skip_reason?: string;
    readonly metric_warnings?: Readonly<Record<string, MetricWarning>>;
    readonly time_labels?: readonly string[];
    readonly total_rows?: number;
  };
  /** The query as it was understood, with its range in the site's zone. */
  readonly query: {
    readonly site_id: string;
    readonly metrics: readonly string[];
    readonly date_range: readonly [string, string];
    readonly comparison_date_range?: readonly [string, string];
    readonly filters: readonly QueryFilter[];
    readonly dimensions: readonly string[];
    readonly order_by: readonly (readonly [string, 'asc' | 'desc'])[];
    readonly include: Readonly<Record<string, unknown>>;
    readonly pagination: { readonly offset: number; readonly limit: number };
  };
}
