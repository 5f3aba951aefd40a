import { DatabaseSync } from 'node:sqlite';

/** All that a migration leaves in a journal's file, and that the file is sound, as one value. */
export function schemaOf(path: string): unknown {
  using database = new DatabaseSync(path);
  const all = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  return {
    soundness: all('PRAGMA integrity_check'),
    version: all('PRAGMA user_version'),
    applicationId: all('PRAGMA application_id'),
    journalMode: all('PRAGMA journal_mode'),
    autoVacuum: all('PRAGMA auto_vacuum'),
    objects: all('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name'),
    counters: all('SELECT name FROM counter ORDER BY name'),
  };
}
