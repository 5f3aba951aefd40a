/** A text literal of the engine; it cannot hold NUL. */
export function textSql(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `read_parquet` of exactly these files, of which there is at least one. */
export function parquetSql(paths: readonly string[], option?: string): string {
  const list = `[${paths.map(textSql).join(', ')}]`;
  return `read_parquet(${option === undefined ? list : `${list}, ${option}`})`;
}
