import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The bytes of a database as SQLite itself puts them together from the file and its log. */
export function checkpointedCopy(path: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-copy-'));
  try {
    const copy = join(folder, 'copy.db');
    cpSync(path, copy);
    if (existsSync(`${path}-wal`)) cpSync(`${path}-wal`, `${copy}-wal`);
    const connection = new DatabaseSync(copy);
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    connection.close();
    return readFileSync(copy);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
