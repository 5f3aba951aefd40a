/**
 * Rows of a table turned on their side, for passing many of them on without a value of its own for
 * each cell: SQLite writes such a text in one go, and DuckDB takes it apart in one go.
 */
export interface PackedRows {
  readonly rowCount: number;
  /** The greatest of the numbers by which the rows are read in turn; 0 when there is no row. */
  readonly last: number;
  /**
   * For each column the values of all rows as text in UTF-8, with `PACKED_SEPARATOR` between them
   * and `PACKED_NULL` for none. No columns when there is no row.
   */
  readonly columns: readonly Uint8Array[];
}

/** No text in the tables holds the character NUL, so a value is never taken for one of these. */
export const PACKED_NULL = '\0';
export const PACKED_SEPARATOR = '\0\n';
