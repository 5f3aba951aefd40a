import { JournalError, type CopyFacts } from '@loggia/journal';
import type { BackupThreadData, BackupThreadMessage } from './backup-thread.ts';
import { startBackupThread } from './threads.ts';

/**
 * Writes a backup in a thread of its own, since SQLite gives no sign before it is done.
 *
 * @param onCopied is called when the copy is written and still to be read again.
 * @throws JournalError
 */
export async function runBackup(data: BackupThreadData, onCopied: () => void): Promise<CopyFacts> {
  const { promise, resolve, reject } = Promise.withResolvers<CopyFacts>();
  const thread = startBackupThread(data);
  thread.on('message', (message: BackupThreadMessage) => {
    if (message.kind === 'copied') onCopied();
    else if (message.kind === 'done') resolve(message.facts);
    else reject(errorOf(message));
  });
  thread.on('error', reject);
  thread.on('exit', () => reject(new Error('the thread that writes the backup ended')));
  return await promise;
}

function errorOf({
  code,
  message,
  hint,
}: Extract<BackupThreadMessage, { kind: 'failed' }>): JournalError {
  return new JournalError(code, message, hint === undefined ? {} : { hint });
}
