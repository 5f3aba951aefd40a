import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { lockPage } from '@tandem/sqlite-format';

export const LARGE_PAGE_SIZE = 65_536;

/**
 * A database in WAL mode that ends a few pages before SQLite's lock page, 1 GiB from the start. What
 * lies between is a hole in the file, and pages that nothing refers to.
 */
export function makeLargeDatabase(path: string): void {
  const made = new DatabaseSync(path);
  made.exec(`PRAGMA page_size=${LARGE_PAGE_SIZE}; PRAGMA journal_mode=wal`);
  made.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT, pad BLOB)');
  made.close();
  const pageCount = lockPage(LARGE_PAGE_SIZE) - 5;
  const descriptor = openSync(path, 'r+');
  ftruncateSync(descriptor, pageCount * LARGE_PAGE_SIZE);
  const header = Buffer.alloc(100);
  readSync(descriptor, header, 0, header.length, 0);
  header.writeUInt32BE(pageCount, 28);
  // The size is believed while both counters agree.
  header.writeUInt32BE(header.readUInt32BE(24), 92);
  writeSync(descriptor, header, 0, header.length, 0);
  closeSync(descriptor);
}
