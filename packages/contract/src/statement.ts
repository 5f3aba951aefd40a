/** A value of a query's answer. Integers past 2^53 do not occur in answers. */
export type QueryValue = string | number | boolean | null;

/** One SELECT over the tables `event` and `visit`, with `?` placeholders in order. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly (string | number | bigint | boolean | null)[];
}

export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly QueryValue[])[];
}
