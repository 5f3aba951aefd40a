import type {
  DimensionName,
  FilterDimension,
  FilterOperator,
  Goal,
  MetricName,
  QueryFilter,
} from '@loggia/contract';

/** A filter tree, checked: names exist, clauses are strings. */
export type Filter = FilterLeaf | FilterBranch | FilterNegation | FilterDeed;

/** `dimension` compared with any of `clauses`. */
export interface FilterLeaf {
  readonly kind: 'leaf';
  readonly operator: FilterOperator;
  readonly dimension: FilterDimension;
  readonly clauses: readonly string[];
  readonly caseSensitive: boolean;
}

export interface FilterBranch {
  readonly kind: 'and' | 'or';
  readonly filters: readonly Filter[];
}

export interface FilterNegation {
  readonly kind: 'not';
  readonly filter: Filter;
}

/** Whether the visit has some event that passes `filter`, of its own and not the one matched. */
export interface FilterDeed {
  readonly kind: 'has_done' | 'has_not_done';
  readonly filter: Filter;
}

/**
 * A range as it was asked for, before it has a site and a present.
 *
 * - `days` are the N days before `anchor`; `months` the N whole months before its month.
 * - `anchor` is the date that relative ranges count from: today, unless a v1 call names another.
 * - `dates` and `moments` include both ends, a moment's whole second included.
 */
export type DateRange =
  | { readonly kind: 'day' | 'month' | 'year' | 'all' | '24h'; readonly anchor?: string }
  | { readonly kind: 'days' | 'months'; readonly count: number; readonly anchor?: string }
  | { readonly kind: 'dates'; readonly first: string; readonly last: string }
  | { readonly kind: 'moments'; readonly firstMs: number; readonly lastMs: number };

export interface Comparison {
  readonly mode: 'previous_period' | 'year_over_year' | 'custom';
  readonly matchDayOfWeek: boolean;
  /** With the mode `custom`, and only with it. */
  readonly dateRange?: DateRange;
}

export type Order = readonly [MetricName | DimensionName, 'asc' | 'desc'];

/** A well-formed query; whether it makes sense for a site shows when it is answered. */
export interface Query {
  /** The site's domain, as sent. */
  readonly siteId: string;
  readonly metrics: readonly MetricName[];
  readonly dateRange: DateRange;
  readonly dimensions: readonly DimensionName[];
  readonly filters: readonly Filter[];
  /** The filters as sent, for the answer's echo. */
  readonly filtersSent: readonly QueryFilter[];
  /** Undefined: the default order. */
  readonly orderBy: readonly Order[] | undefined;
  readonly include: {
    readonly imports: boolean;
    readonly timeLabels: boolean;
    readonly totalRows: boolean;
    readonly trimRelativeDateRange: boolean;
    readonly comparisons: Comparison | undefined;
  };
  /** `include` as sent, for the echo. */
  readonly includeSent: Readonly<Record<string, unknown>>;
  readonly pagination: { readonly limit: number; readonly offset: number };
}

/** What a query's answer depends on beside the query and the events. */
export interface QueryContext {
  readonly site: {
    readonly id: number;
    readonly domain: string;
    /** IANA name. */
    readonly timezone: string;
    readonly createdMs: number;
    /** When the zone was changed last; absent when it never was. */
    readonly zoneSinceMs?: number;
  };
  readonly nowMs: number;
  /** The time of the site's first event, if it has any: where the range `all` begins. */
  readonly firstEventMs: number | undefined;
  readonly goals: readonly Goal[];
}
