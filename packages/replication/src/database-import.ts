import {
  closeSync,
  copyFileSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { DATABASE_HEADER_BYTES, lockPage, parseDatabaseHeader } from '@tandem/sqlite-format';
import type { DatabaseState } from './database-state.ts';
import { INCOMING_SUFFIX } from './database-seed.ts';
import type { OpenDatabase } from './open-database.ts';
import { ReplicationError } from './replication-error.ts';
import { WalAppender } from './wal-appender.ts';
import type { WriteLock } from './write-lock.ts';

const SCHEMA_COOKIE_OFFSET = 40;
const VERSIONS_OFFSET = 18;
const WAL_VERSION = 2;

/**
 * Checks that a file is a sound database on its own.
 *
 * @throws ReplicationError `not_a_database`.
 */
export function checkDatabaseFile(path: string): void {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { readOnly: true });
    const result = connection.prepare('PRAGMA quick_check(1)').get();
    if (result?.quick_check !== 'ok') throw new Error(String(result?.quick_check));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ReplicationError('not_a_database', `The file is no sound database: ${why}`);
  } finally {
    connection?.close();
  }
}

/** Puts a file where a database is to be, in WAL mode, as a whole. */
export function placeDatabaseFile(from: string, path: string): void {
  const incoming = path + INCOMING_SUFFIX;
  copyFileSync(from, incoming);
  const connection = new DatabaseSync(incoming);
  connection.exec('PRAGMA journal_mode = WAL');
  connection.close();
  const descriptor = openSync(incoming, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(incoming, path);
}

/**
 * Gives a database the pages of a file, as one transaction that readers see as a whole. Programs that
 * have the database open read its schema anew.
 *
 * @throws ReplicationError `not_a_database` when the pages have another size.
 */
export function replacePages(
  from: string,
  { open, state, lock }: { open: OpenDatabase; state: DatabaseState; lock: WriteLock },
): void {
  const descriptor = openSync(from, 'r');
  const appender = new WalAppender(open, state.table.pageSize, lock);
  try {
    const { pageSize } = state.table;
    const firstBytes = new Uint8Array(DATABASE_HEADER_BYTES);
    readSync(descriptor, firstBytes, 0, firstBytes.length, 0);
    const header = parseDatabaseHeader(firstBytes);
    if (header?.pageSize !== pageSize) {
      throw new ReplicationError(
        'not_a_database',
        `The file has pages of ${header?.pageSize ?? 0} bytes, the database of ${pageSize}.`,
        { hint: 'VACUUM the file to the same page size, or drop the database before.' },
      );
    }
    const pageCount = Math.floor(fstatSync(descriptor).size / pageSize);
    const page = Buffer.alloc(pageSize);
    for (let pgno = pageCount; pgno >= 1; pgno -= 1) {
      if (pgno === lockPage(pageSize)) continue;
      readSync(descriptor, page, 0, pageSize, (pgno - 1) * pageSize);
      if (pgno === 1) markChanged(page, readCookie(open));
      if (pgno === 1 || !state.table.matches(pgno, page)) appender.write(pgno, page);
    }
    appender.commit(pageCount, true);
  } finally {
    appender.close();
    closeSync(descriptor);
  }
}

/** Page 1 says WAL mode, and a schema other than any that a program has read. */
function markChanged(page: Buffer, cookie: number): void {
  page[VERSIONS_OFFSET] = WAL_VERSION;
  page[VERSIONS_OFFSET + 1] = WAL_VERSION;
  const own = page.readUInt32BE(SCHEMA_COOKIE_OFFSET);
  page.writeUInt32BE((Math.max(own, cookie) + 1) >>> 0, SCHEMA_COOKIE_OFFSET);
}

function readCookie(open: OpenDatabase): number {
  const connection = open.connect();
  try {
    return Number(connection.prepare('PRAGMA schema_version').get()?.schema_version ?? 0);
  } finally {
    open.disconnect(connection);
  }
}
