import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { JournalError } from './journal-error.ts';

/** What SQLite may keep beside a database; it belongs to it and must not meet another one. */
export const COMPANIONS = ['-journal', '-wal', '-shm'] as const;

/**
 * Moves a database and its companions into `quarantine/` of the same folder, under the first free
 * number, and returns where the database is now, or undefined when `inode` is no longer the file's:
 * then another process has set it aside already.
 *
 * The database goes first: a companion that a crash leaves behind has no database any more, and
 * SQLite throws away the journal of a database that is empty or missing.
 *
 * @throws JournalError `journal_failed`.
 */
export function setAside(folder: string, name: string, inode: number): string | undefined {
  try {
    return moveAside(folder, name, inode);
  } catch (error) {
    throw new JournalError('journal_failed', `${name} is unreadable and cannot be set aside`, {
      cause: error,
      hint: `Make ${folder} writable for this user, or move ${name} away by hand.`,
    });
  }
}

function moveAside(folder: string, name: string, inode: number): string | undefined {
  const quarantine = join(folder, 'quarantine');
  mkdirSync(quarantine, { recursive: true });
  const source = join(folder, name);
  if (inodeOf(source) !== inode) return undefined;
  const target = join(quarantine, freeQuarantineName(folder, name));
  renameSync(source, target);
  for (const companion of COMPANIONS) {
    if (existsSync(source + companion)) renameSync(source + companion, target + companion);
  }
  return target;
}

/** The first name for `name` under `quarantine/` that neither a database nor a companion has. */
export function freeQuarantineName(folder: string, name: string): string {
  for (let number = 1; ; number += 1) {
    const free = `${name}.${number}`;
    const path = join(folder, 'quarantine', free);
    if (!['', ...COMPANIONS].some((companion) => existsSync(path + companion))) return free;
  }
}

/** The number of the file at `path`, or undefined when there is none. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Deletes what `setAside` made of `name` and was last written before `beforeMs`. */
export function emptyQuarantine(folder: string, name: string, beforeMs: number): void {
  const quarantine = join(folder, 'quarantine');
  if (!existsSync(quarantine)) return;
  for (const entry of readdirSync(quarantine)) {
    const path = join(quarantine, entry);
    const writtenMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (entry.startsWith(`${name}.`) && writtenMs !== undefined && writtenMs < beforeMs) {
      rmSync(path, { force: true });
    }
  }
}
