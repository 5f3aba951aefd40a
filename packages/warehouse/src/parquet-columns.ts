/**
 * What a column of a Parquet file holds, as rows in JavaScript have it: `integer` and `time`
 * (milliseconds since the Unix epoch, UTC) as numbers, `int64` as decimal text, `flag` as 0 or 1.
 */
export type ParquetKind = 'text' | 'integer' | 'int64' | 'time' | 'flag';

export interface ParquetColumn {
  readonly name: string;
  readonly kind: ParquetKind;
}

/** A cell as `ParquetKind` has it. */
export type ParquetCell = string | number | null;

/** The name of a column, or a path, as SQL has it. */
export function quoted(text: string, mark: '"' | "'"): string {
  return mark + text.replaceAll(mark, mark + mark) + mark;
}
