import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from './connection.ts';
import { copyDatabase, inspectCopy, type CopyFacts } from './database-copy.ts';
import { fileFailureOf } from './file-failure.ts';
import { JournalError } from './journal-error.ts';

/**
 * Writes a copy of a data folder's journal into a file that does not exist yet, syncs it and reads
 * all of it again. Invariant V1: the copy is one state of the journal with all that was committed
 * before this call, while a server goes on writing, and has nothing that was deleted and no salt.
 *
 * @param onCopied is called between copying and reading.
 * @throws JournalError; the file may then hold something, which is of no use.
 */
export function writeBackup(
  options: { readonly folder: string; readonly target: string },
  onCopied: () => void = () => undefined,
): CopyFacts {
  const source = journalPath(options.folder);
  try {
    copyDatabase(source, options.target);
  } catch (error) {
    throw fileFailureOf(error, options.target);
  }
  onCopied();
  return inspectCopy(options.target);
}

/** About how large a backup of the folder will be. */
export function backupSizeBytes(folder: string): number {
  const connection = new Connection({ path: journalPath(folder), readOnly: true });
  try {
    const pages = connection.readInteger('page_count') - connection.readInteger('freelist_count');
    return pages * connection.readInteger('page_size');
  } finally {
    connection.close();
  }
}

/** @throws JournalError `journal_missing` */
function journalPath(folder: string): string {
  const path = join(folder, 'journal.db');
  if (existsSync(path)) return path;
  throw new JournalError('journal_missing', `There is no journal in ${folder}`, {
    hint: 'Name the data folder of the server with --data-dir.',
  });
}
