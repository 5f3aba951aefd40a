import { existsSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BackupError } from './backup-error.ts';
import { fileFailure } from './replication-error.ts';
import { syncFolder } from './small-file.ts';

/** What SQLite keeps beside a database; it must not meet another one. */
const COMPANIONS = ['-journal', '-wal', '-shm'] as const;
const NAMES_MAX = 1000;

/** Where the database is made: hidden, so that no node takes it for one of its databases. */
export function restorePath(outputPath: string): string {
  return join(dirname(outputPath), `.${basename(outputPath)}.tandem-restore`);
}

/** @throws BackupError `restore_target_exists` when there is something that may not be replaced. */
export function checkPlace(outputPath: string, force: boolean): void {
  if (force || !existsSync(outputPath)) return;
  throw new BackupError('restore_target_exists', `There is a file at ${outputPath} already`, {
    hint: 'Restore to another path, or force it; the old database is then set aside, not deleted.',
  });
}

/**
 * Moves the finished file to its place, durably. A database that is there goes aside with what
 * belongs to it, and so does what is left of one that is gone: a stale log would spoil the new one.
 *
 * The old database goes before its companions. Stopped in between, there is no database, and a
 * second run does the rest; never is there one without its log.
 *
 * @returns the paths of what was set aside
 * @throws BackupError `restore_target_exists`, ReplicationError.
 */
export function putInPlace(temporaryPath: string, outputPath: string, force: boolean): string[] {
  checkPlace(outputPath, force);
  const folder = dirname(outputPath);
  try {
    const asidePath = freePath(outputPath);
    const moved: string[] = [];
    for (const suffix of ['', ...COMPANIONS]) {
      if (!existsSync(outputPath + suffix)) continue;
      renameSync(outputPath + suffix, asidePath + suffix);
      moved.push(asidePath + suffix);
    }
    if (moved.length > 0) syncFolder(folder);
    renameSync(temporaryPath, outputPath);
    syncFolder(folder);
    return moved;
  } catch (error) {
    throw fileFailure(error, `The restored database cannot be put in its place`, folder);
  }
}

/** A hidden name in the same folder that neither a database nor a companion has. */
function freePath(outputPath: string): string {
  for (let number = 1; number <= NAMES_MAX; number += 1) {
    const path = join(dirname(outputPath), `.${basename(outputPath)}.before-restore-${number}`);
    if (['', ...COMPANIONS].every((suffix) => !existsSync(path + suffix))) return path;
  }
  throw new BackupError('restore_target_exists', `${NAMES_MAX} databases were set aside already`, {
    hint: `Remove those named .${basename(outputPath)}.before-restore-… that nobody needs.`,
  });
}
