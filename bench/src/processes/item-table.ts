import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 2;
const ARRIVAL_MS_MAX = 300_000;

/** Adds a row; `at` is whatever the program wants to remember with it. */
export const INSERT_ITEM = 'INSERT INTO item (at, text) VALUES (?, ?)';
/** Some hundred bytes, as a small record has. */
export const ITEM_TEXT = 'A small record of an application, some hundred bytes long. '.repeat(2);

/** How an application opens its database. Everything else is as SQLite has it. */
export function openItems(path: string, synchronous: 'NORMAL' | 'FULL' = 'NORMAL'): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
  return database;
}

/** Makes a database with an empty table. */
export function createItems(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  using database = openItems(path);
  database.exec(
    'CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, text NOT NULL)',
  );
}

/** The last row of the table, as programs that only read see it; 0 when there is none. */
export function lastItem(path: string): number {
  using database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  return Number(database.prepare('SELECT max(id) AS id FROM item').get()?.['id'] ?? 0);
}

/** How many rows there are. Reads them all. */
export function itemCount(path: string): number {
  using database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  return Number(database.prepare('SELECT count(*) AS n FROM item').get()?.['n']);
}

/** Waits until the last row of one database is the last row of the other; milliseconds. */
export async function untilSameItems(sourcePath: string, targetPath: string): Promise<number> {
  const startMs = performance.now();
  const wanted = lastItem(sourcePath);
  using database = new DatabaseSync(targetPath, { readOnly: true, timeout: 5000 });
  const look = database.prepare('SELECT max(id) AS id FROM item');
  while (Number(look.get()?.['id'] ?? 0) < wanted) {
    if (performance.now() - startMs > ARRIVAL_MS_MAX) throw new Error('The replica stays behind.');
    await pause(LOOK_MS);
  }
  return performance.now() - startMs;
}
