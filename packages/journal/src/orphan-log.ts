import { statSync } from 'node:fs';
import { JournalError } from './journal-error.ts';

/**
 * Refuses to open a database that is missing or empty beside a log with content, as a restore that
 * ended half-way leaves it. SQLite would throw the log away as that of a database that is no more.
 *
 * @throws JournalError `journal_unreadable`.
 */
export function refuseOrphanLog(path: string): void {
  const logPath = `${path}-wal`;
  // The log first: another process that makes the database at this moment fills that before the log.
  if (sizeOf(logPath) === 0 || sizeOf(path) > 0) return;
  const message = `${path} is missing or empty, but its log ${logPath} is there`;
  throw new JournalError('journal_unreadable', message, {
    hint: 'Restore both from the same backup, or move the log away to begin anew.',
  });
}

/** 0 for a file that does not exist or may not be seen. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
