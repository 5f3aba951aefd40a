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

/** One SELECT over the tables `event` and `visit`, with `?` placeholders in order. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly (string | number | bigint | boolean | null)[];
  /** Lets the store leave out what lies elsewhere; without it, everything is read. */
  readonly reads?: ArchiveReads;
}

export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly QueryValue[])[];
}
