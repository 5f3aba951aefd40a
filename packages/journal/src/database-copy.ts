import { closeSync, openSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { integerOf, textOf } from './cell.ts';
import { Connection } from './connection.ts';
import { fullDisk } from './file-failure.ts';
import { JournalError } from './journal-error.ts';
import { APPLICATION_ID } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { syncPath } from './synced-files.ts';

/** What a copy of a journal holds. */
export interface CopyFacts {
  /** The number of migrations that the database has been through. */
  readonly version: number;
  readonly bytes: number;
  /** Rows by the table's name. */
  readonly tables: Readonly<Record<string, number>>;
}

/** Only its owner may read it: it holds the hashes of passwords. */
const COPY_MODE = 0o600;
const FAULTS_MAX = 1;

/**
 * Writes a journal as it is at this moment, and nothing that has been deleted from it, into a new
 * file of its own and syncs it. Other connections read and write meanwhile.
 *
 * `VACUUM INTO` takes 1.5 times the time of SQLite's interface for backups, which copies pages as
 * they are: with the remains of deleted rows in them.
 *
 * @throws JournalError; what has been written is left.
 */
export function copyDatabase(source: string, target: string): void {
  closeSync(openSync(target, 'wx', COPY_MODE));
  const connection = new Connection({ path: source, readOnly: true });
  try {
    connection.query('VACUUM INTO ?').run(target);
  } catch (error) {
    throw isFull(error) ? fullDisk(target, error) : error;
  } finally {
    connection.close();
  }
  syncPath(target);
}

function isFull(error: unknown): boolean {
  return error instanceof JournalError && error.code === 'journal_full';
}

/**
 * Reads all of a journal that nobody writes to and that has no log, and leaves nothing beside it.
 *
 * @throws JournalError `journal_unreadable` when anything is wrong with it, `journal_newer`.
 */
export function inspectCopy(path: string): CopyFacts {
  // Without this word SQLite would make a log beside a database whose header asks for one.
  const url = `${pathToFileURL(path).href}?immutable=1`;
  const connection = new Connection({ path: url, readOnly: true });
  try {
    return { ...factsOf(connection, path), bytes: statSync(path).size };
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    const message = error.message.replaceAll(url, path);
    const hint =
      error.code === 'journal_newer'
        ? 'Use the newer version of the program; nothing was changed.'
        : 'Take another backup; nothing was changed.';
    throw new JournalError(error.code, message, { cause: error, hint });
  } finally {
    connection.close();
  }
}

function factsOf(connection: Connection, path: string): Omit<CopyFacts, 'bytes'> {
  const version = connection.readInteger('user_version');
  if (connection.readInteger('application_id') !== APPLICATION_ID || version === 0) {
    throw new JournalError('journal_unreadable', `${path} is no journal of Loggia`);
  }
  if (version > MIGRATIONS.length) {
    throw new JournalError(
      'journal_newer',
      `${path} has version ${version}; this program knows ${MIGRATIONS.length}`,
    );
  }
  refuseFault(connection, path, `PRAGMA integrity_check(${FAULTS_MAX})`, 'ok');
  refuseFault(connection, path, 'PRAGMA foreign_key_check', undefined);
  return { version, tables: rowCounts(connection) };
}

function refuseFault(
  connection: Connection,
  path: string,
  pragma: string,
  verdict: 'ok' | undefined,
): void {
  const found = connection.query(pragma).get()?.[0];
  if (found === verdict) return;
  throw new JournalError('journal_unreadable', `${path} is damaged: ${String(found)}`);
}

function rowCounts(connection: Connection): Record<string, number> {
  const names = connection
    .query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .all()
    .map(([name]) => textOf(name));
  const counts = names.map((name) => {
    const cells = connection.query(`SELECT count(*) FROM "${name}"`).get();
    return [name, integerOf(cells?.[0])] as const;
  });
  return Object.fromEntries(counts);
}

/** Whether a log with content belongs to the database at `path`. */
export function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
