/** A text literal of the engine; it cannot hold NUL. */
export function textSql(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `read_parquet` of exactly these files, of which there is at least one. */
export function parquetSql(paths: readonly string[]): string {
  return `read_parquet([${paths.map(textSql).join(', ')}])`;
}
