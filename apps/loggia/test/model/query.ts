/** A body of `POST /api/v2/query`, as users send it. */
export interface QueryBody {
  readonly site_id: string;
  readonly metrics: readonly string[];
  readonly date_range: string | readonly [string, string];
  readonly dimensions?: readonly string[];
  readonly filters?: readonly Filter[];
  readonly order_by?: readonly (readonly [string, 'asc' | 'desc'])[];
  readonly include?: Include;
  readonly pagination?: { readonly limit?: number; readonly offset?: number };
}

export interface Include {
  readonly time_labels?: boolean;
  readonly total_rows?: boolean;
  readonly trim_relative_date_range?: boolean;
  readonly comparisons?: Comparisons;
}

export interface Comparisons {
  readonly mode: 'previous_period' | 'year_over_year' | 'custom';
  readonly date_range?: readonly [string, string];
  readonly match_day_of_week?: boolean;
}

export type Filter = Leaf | Connective | Negation | Behaviour;
export type Leaf =
  | readonly [LeafOperator, string, readonly string[]]
  | readonly [LeafOperator, string, readonly string[], { readonly case_sensitive: boolean }];
export type LeafOperator =
  | 'is'
  | 'is_not'
  | 'contains'
  | 'contains_not'
  | 'matches'
  | 'matches_not'
  | 'matches_wildcard'
  | 'matches_wildcard_not';
export type Connective = readonly ['and' | 'or', readonly Filter[]];
export type Negation = readonly ['not', Filter];
export type Behaviour = readonly ['has_done' | 'has_not_done', Filter];

export function isLeaf(filter: Filter): filter is Leaf {
  return !['and', 'or', 'not', 'has_done', 'has_not_done'].includes(filter[0]);
}

export function isConnective(filter: Filter): filter is Connective {
  return filter[0] === 'and' || filter[0] === 'or';
}

/** All leaves of a filter, at any depth. */
export function leavesOf(filter: Filter): readonly Leaf[] {
  if (isLeaf(filter)) return [filter];
  if (isConnective(filter)) return filter[1].flatMap(leavesOf);
  return leavesOf(filter[1]);
}

export type MetricValue = number | null | Money;

export interface Money {
  readonly value: number;
  readonly currency: string;
}

export interface ResultRow {
  readonly dimensions: readonly string[];
  readonly metrics: readonly MetricValue[];
  readonly comparison?: {
    readonly dimensions: readonly (string | null)[];
    readonly metrics: readonly MetricValue[];
    readonly change: readonly (number | null)[];
  };
}

export interface Answer {
  readonly results: readonly ResultRow[];
  readonly time_labels?: readonly string[];
  readonly total_rows?: number;
}
