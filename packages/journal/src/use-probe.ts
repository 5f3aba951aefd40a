import { closeSync, linkSync, openSync, readSync, rmSync } from 'node:fs';
import { Connection } from './connection.ts';
import { JournalError } from './journal-error.ts';

const MAGIC = 'SQLite format 3\0';

/** Whether a file begins as a database of SQLite does. False for one that is not there. */
export function isDatabase(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(MAGIC.length);
    readSync(file, bytes, 0, bytes.length, 0);
    return bytes.toString('latin1') === MAGIC;
  } finally {
    closeSync(file);
  }
}

/**
 * Whether another connection, of any process of this machine, has the database open. Neither it nor
 * its log is changed: they are looked at under another name, since SQLite's locks belong to the
 * file and its log to the name. What is no database cannot tell, and is said to be free.
 */
export function isInUse(path: string): boolean {
  if (!isDatabase(path)) return false;
  const alias = `${path}.probe`;
  rmSync(alias, { force: true });
  linkSync(path, alias);
  try {
    return isLocked(alias);
  } finally {
    rmSync(alias, { force: true });
  }
}

/** In write-ahead mode each open connection holds a lock that excludes others. */
function isLocked(path: string): boolean {
  const connection = new Connection({ path, readOnly: false, busyTimeoutMs: 0 });
  try {
    connection.execute('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK');
    return false;
  } catch (error) {
    if (error instanceof JournalError) return error.code === 'journal_busy';
    throw error;
  } finally {
    connection.close();
  }
}
