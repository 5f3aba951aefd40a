import { closeSync, openSync, readdirSync, readSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DATABASE_HEADER_BYTES, isDatabaseHeader } from '@tandem/sqlite-format';
import { INCOMING_SUFFIX } from './database-seed.ts';
import { isBusy } from './sqlite-failure.ts';

/** What stands beside a database and is none itself. */
const COMPANION = /-(?:wal|shm|journal)$/;
const DEPTH_MAX = 16;

/** A database file that was found. */
export interface FoundDatabase {
  /** Relative path with '/' between folders. */
  readonly name: string;
  readonly path: string;
  readonly inode: number;
}

/** Which of the files found are meant. */
export type DatabaseFilter = (name: string) => boolean;

export interface FindOptions {
  /** The inodes of databases that this process has open (R1), with their names. */
  readonly known: ReadonlyMap<number, string>;
  readonly isMeant: DatabaseFilter;
  /** Whether other code of this process has databases open. */
  readonly isSharedInProcess?: boolean | undefined;
}

/**
 * Finds the SQLite databases in `folder` and the folders in it, in the order of their names. Hidden
 * files and folders, and files that a companion's name gives away, are passed over.
 *
 * R1. Databases that this process has open are not touched, since closing a descriptor would drop
 * SQLite's locks; where it may have others open than are known, only SQLite looks into files.
 */
export function findDatabases(
  folder: string,
  { known, isMeant, isSharedInProcess }: FindOptions,
): FoundDatabase[] {
  const isDatabase = isSharedInProcess === true ? opensAsDatabase : holdsDatabase;
  return [...walk(folder, '', 0)]
    .filter(({ name }) => isMeant(name))
    .filter(({ path, inode }) => known.has(inode) || isDatabase(path))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The folder and all in it that `findDatabases` looks into, with the times of their last change. */
export function foldersWithTimes(folder: string): Map<string, number> {
  const times = new Map<string, number>();
  const visit = (path: string, depth: number): void => {
    const mtimeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (mtimeMs === undefined) return;
    times.set(path, mtimeMs);
    for (const entry of depth < DEPTH_MAX ? listFolder(path) : []) {
      if (entry.isDirectory() && !entry.name.startsWith('.'))
        visit(join(path, entry.name), depth + 1);
    }
  };
  visit(folder, 0);
  return times;
}

/** Whether one of the folders has changed since. */
export function haveChanged(folders: ReadonlyMap<string, number>): boolean {
  for (const [path, mtimeMs] of folders) {
    if (statSync(path, { throwIfNoEntry: false })?.mtimeMs !== mtimeMs) return true;
  }
  return false;
}

/** The inode of the file at `path`; undefined when there is none. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function* walk(folder: string, prefix: string, depth: number): Generator<FoundDatabase> {
  for (const entry of listFolder(join(folder, prefix))) {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory() && depth < DEPTH_MAX) yield* walk(folder, name, depth + 1);
    const isCandidate = !COMPANION.test(name) && !name.endsWith(INCOMING_SUFFIX);
    if (!entry.isFile() || !isCandidate) continue;
    const path = join(folder, name);
    const inode = inodeOf(path);
    if (inode !== undefined) yield { name, path, inode };
  }
}

/** What is in a folder; nothing when it went away while others were read. */
function listFolder(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

function opensAsDatabase(path: string): boolean {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { readOnly: true });
    return connection.prepare('PRAGMA schema_version').get() !== undefined;
  } catch (error) {
    return isBusy(error);
  } finally {
    connection?.close();
  }
}

function holdsDatabase(path: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const bytes = new Uint8Array(DATABASE_HEADER_BYTES);
    return (
      readSync(descriptor, bytes, 0, bytes.length, 0) === bytes.length && isDatabaseHeader(bytes)
    );
  } finally {
    closeSync(descriptor);
  }
}
