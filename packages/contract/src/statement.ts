/** A value of a query's answer. Integers past 2^53 do not occur in answers. */
export type QueryValue = string | number | boolean | null;

/**
 * What a statement looks at: only visits and events whose times lie in `[fromMs, toMs)`, and whole
 * visits that touch it.
 */
export interface ArchiveReads {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A number that the store fills in when it knows which days it has to count anew. */
export interface LateParameter {
  readonly late: 'rawFromMs' | 'rawToMs' | 'rawFromDay' | 'rawEndDay';
}

/** A SELECT whose parameters the store completes. */
export interface LateStatement {
  readonly sql: string;
  readonly parameters: readonly (string | number | LateParameter)[];
}

/**
 * The same answer from sums. Days of the site that have visits in the tail have to be counted anew;
 * those that may be summed are `[firstDay, rawFromDay)` and `[rawEndDay, endDay)`.
 */
export interface RolledUp {
  readonly siteId: number;
  /** Whose sums are read, by their numbers. */
  readonly dimensions: readonly number[];
  /** Days since the epoch on the site's calendar. */
  readonly firstDay: number;
  /** When each of the days begins and, last of all, when the last one ends. */
  readonly dayStartsMs: readonly number[];
  /** Where the range ends; past the last day when it cuts one, which is then counted anew. */
  readonly toMs: number;
  /** Whether sums of whole months will do. */
  readonly byMonth: boolean;
  /** Over the table `rollup` alone. */
  readonly summed: LateStatement;
  /** Over `rollup`, and over `visit` and `event` for times in `[rawFromMs, rawToMs)`. */
  readonly mixed: LateStatement;
}

/** One SELECT over the tables `event` and `visit`, with `?` placeholders in order. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly (string | number | bigint | boolean | null)[];
  /** Lets the store leave out what lies elsewhere; without it, everything is read. */
  readonly reads?: ArchiveReads;
  readonly rolledUp?: RolledUp;
}

export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly QueryValue[])[];
}
